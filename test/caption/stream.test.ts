/** Captions word by word, as they are written. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Captioner, type CaptionOptions, type Word } from '../../src/caption/index.ts';
import { fixtures } from '../paths.ts';

const tiny = join(fixtures, 'blip/tiny');
let captioner: Captioner;
let pictures: string[];
beforeAll(async () => {
  captioner = await Captioner.load(tiny, { threads: 1 });
  const names = (await readdir(join(tiny, 'images'))).sort();
  pictures = names.map((name) => join(tiny, 'images', name));
});
afterAll(() => captioner[Symbol.dispose]());

async function streamed(picture: string, options: CaptionOptions) {
  const words: Word[] = [];
  const stream = captioner.stream(picture, options);
  for (;;) {
    const { done, value } = await stream.next();
    if (done) return { words, result: value };
    words.push(value);
  }
}

describe('a stream', () => {
  it.each([{}, { num_beams: 3 }, { do_sample: true, seed: 3 }, { prompt: 'a' }, { max_length: 5 }])(
    'gives the words of the caption, and then the caption: %j',
    async (options) => {
      let count = 0;
      for (const picture of pictures.slice(0, 8)) {
        const whole = await captioner.caption(picture, { ...options, words: true });
        const { words, result } = await streamed(picture, options);
        expect(words).toEqual(whole.captions[0].words);
        expect(result.caption).toBe(whole.caption);
        count += words.length;
      }
      expect(count).toBeGreaterThan(8);
    },
  );

  it('may be left, and stopped', async () => {
    const picture = join(tiny, 'images/owl-1.png');
    for await (const { text } of captioner.stream(picture)) {
      expect(text).toBe((await captioner.caption(picture)).caption.split(' ')[0]);
      break;
    }
    const stop = new AbortController();
    const stream = captioner.stream(picture, { signal: stop.signal });
    await stream.next();
    stop.abort();
    const rest = async () => {
      while (!(await stream.next()).done);
    };
    await expect(rest()).rejects.toThrow('abort');
    expect((await captioner.caption(picture)).caption).not.toBe('');
  });

  it('says what is wrong with a picture or an option', async () => {
    await expect(captioner.stream('nowhere.png').next()).rejects.toThrow('nowhere.png');
    await expect(captioner.stream(pictures[0], { num_beams: 0 }).next()).rejects.toThrow(
      'num_beams',
    );
  });
});
