/** Images read as one: copies of an image say what it says alone, and the order of images does not matter. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Captioner } from '../../src/caption/captioner.ts';
import { tensor } from '../../src/engine/runtime/tensor.ts';
import { joinImages } from '../../src/generation/joined.ts';
import { fixtures } from '../paths.ts';

const tiny = join(fixtures, 'blip/tiny');
const file = (name: string) => join(tiny, 'images', name);
let captioner: Captioner;
beforeAll(async () => {
  captioner = await Captioner.load(tiny, { threads: 1 });
});
afterAll(() => captioner[Symbol.dispose]());

const together = async (names: readonly string[], by = captioner) =>
  by.captionTogether(await Promise.all(names.map((name) => by.prepare(file(name)))), {
    num_beams: 3,
  });

describe('images read as one', () => {
  it('have their tokens end to end for every head', () => {
    // 4 images, 2 heads, 3 tokens, width 1; a value says image, head and token.
    const values = [0, 1, 2, 3].flatMap((image) =>
      [0, 1].flatMap((head) => [0, 1, 2].map((token) => 100 * image + 10 * head + token)),
    );
    const cross = { 'crossKey.0': tensor('f32', [4, 2, 3, 1], Float32Array.from(values)) };
    const tokens = tensor('f32', [4, 3, 5]);
    const joined = joinImages({ count: 4, tokens, cross }, 2);
    expect([joined.count, joined.tokens.shape]).toEqual([2, [2, 6, 5]]);
    expect(joined.cross['crossKey.0'].shape).toEqual([2, 2, 6, 1]);
    expect([...joined.cross['crossKey.0'].data]).toEqual(
      [0, 100, 10, 110, 200, 300, 210, 310].flatMap((first) => [first, first + 1, first + 2]),
    );
    expect(() => joinImages({ count: 4, tokens, cross }, 3)).toThrow(/cannot be joined by 3/);
  });

  it('say of copies what is said of one', async () => {
    const [one, three] = [
      await together(['cat-0.png']),
      await together(Array(3).fill('cat-0.png')),
    ];
    expect(three.caption).toBe(one.caption);
    expect(three.captions[0].ids).toEqual(one.captions[0].ids);
    expect(Math.abs(three.captions[0].logprob - one.captions[0].logprob)).toBeLessThan(1e-4);
    expect(await captioner.caption(file('cat-0.png'), { num_beams: 3 })).toEqual(one);
  });

  it('may come in any order, and each is looked at', async () => {
    const names = ['cat-0.png', 'coffee-0.png', 'astronaut-1.png'];
    const [forth, back] = [await together(names), await together([...names].reverse())];
    expect(forth.captions[0].ids).toEqual(back.captions[0].ids);
    expect(Math.abs(forth.captions[0].logprob - back.captions[0].logprob)).toBeLessThan(1e-4);
    const alone = await together([names[0]]);
    expect(Math.abs(forth.captions[0].logprob - alone.captions[0].logprob)).toBeGreaterThan(1e-4);
  });

  it('are read so by workers too, bit for bit', async () => {
    using workers = await Captioner.load(tiny, { threads: 1, workers: 1 });
    const names = ['cat-0.png', 'coffee-0.png'];
    expect(await together(names, workers)).toEqual(await together(names));
  });
});
