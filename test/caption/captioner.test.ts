/** The captioner: what it takes, what it gives, what it refuses. That its ids are transformers' is in test/generation. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Captioner } from '../../src/caption/captioner.ts';
import { decodeImage } from '../../src/data/images/decode.ts';
import { explain } from '../../src/explain/explain.ts';
import { tiny } from './models.ts';

let captioner: Captioner;
beforeAll(async () => {
  captioner = await Captioner.load(tiny, { threads: 1 });
});
afterAll(() => captioner[Symbol.dispose]());
const file = (name: string) => join(tiny, 'images', name);

describe('a captioner', () => {
  it('takes a path, bytes or pixels, alone or as a batch, prepared or not', async () => {
    const path = file('owl-1.png');
    const result = await captioner.caption(path);
    expect(result).toMatchObject({
      caption: 'a brown owl stares with yellow eyes',
      width: 48,
      height: 48,
    });
    expect(await captioner.caption(await readFile(path))).toEqual(result);
    expect(await captioner.caption(await decodeImage(path))).toEqual(result);
    expect(await captioner.captionAll([])).toEqual([]);
    const other = await captioner.caption(file('cat-0.png'));
    // A batch's sums may differ from a single picture's in their last bit.
    const pair = await captioner.captionAll([file('cat-0.png'), path]);
    expect(pair.map(({ captions }) => captions[0].ids)).toEqual(
      [other, result].map(({ captions }) => captions[0].ids),
    );
    const prepared = await captioner.prepare(path);
    expect(prepared.pixels.length).toBe(3 * 48 * 48);
    expect(await captioner.captionPrepared([prepared])).toEqual([result]);
  });

  it('begins with the prompt, leaves banned words out, and gives the words that it is asked for', async () => {
    const { caption } = await captioner.caption(file('owl-1.png'), { prompt: 'a brown' });
    expect(caption).toMatch(/^a brown /);
    const without = await captioner.caption(file('owl-1.png'), { bannedWords: ['owl', 'brown'] });
    expect(without.caption).not.toMatch(/owl|brown/);
    const [best] = (await captioner.caption(file('owl-1.png'), { words: true })).captions;
    expect(best.words?.map(({ text }) => text).join(' ')).toBe(best.text);
  });

  it('says how much each word depends on the picture, as explanations do', async () => {
    const files = ['owl-1.png', 'cat-0.png'].map(file);
    const options = { num_beams: 3, num_return_sequences: 2, dependence: true };
    for (const [i, { captions }] of (await captioner.captionAll(files, options)).entries())
      for (const { text, words = [] } of captions) {
        expect(words.length).toBeGreaterThan(0);
        const explained = await explain(captioner, files[i], {
          caption: text,
          method: 'attention',
        });
        for (const [at, { dependence, text: own }] of words.entries()) {
          expect(explained.words[at].text).toBe(own);
          expect(dependence).toBeCloseTo(explained.words[at].dependence, 4);
        }
      }
  });

  it('draws by the seed and the number of a picture, not by its batch', async () => {
    const files = ['owl-1.png', 'cat-0.png', 'owl-1.png'].map(file);
    const drawn = { do_sample: true, temperature: 2, seed: 3 };
    const all = await captioner.captionAll(files, { ...drawn, imageNumbers: [4, 5, 6] });
    const alone = await captioner.caption(files[2], { ...drawn, imageNumbers: [6] });
    expect(all[2].caption).toBe(alone.caption);
    expect(all[2].caption).not.toBe(all[0].caption);
  });

  it('says what is wrong before it runs anything', async () => {
    expect(() => captioner.check({ num_beams: 0 })).toThrow('num_beams');
    expect(() => captioner.check({ bannedWords: ['...', ''] })).toThrow("banned word ''");
    expect(() => captioner.check({ max_length: 2, prompt: 'a man' })).toThrow('no room');
    expect(() => captioner.check({ num_beams: 3, prompt: 'a' })).not.toThrow();
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(captioner.caption(file('owl-1.png'), { signal })).rejects.toThrow('enough');
  });

  it('gives no captions after it was disposed of', async () => {
    const other = await Captioner.load(tiny, { threads: 1 });
    other[Symbol.dispose]();
    other[Symbol.dispose]();
    await expect(other.caption(file('owl-1.png'))).rejects.toThrow('disposed');
  });
});
