/** What the ways of generation share. */
import { expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { repeat, streamSeed } from '../../src/generation/context.ts';

it('repeats ids row by row', () => {
  expect(repeat([4, 5, 6], 2)).toEqual(Int32Array.of(4, 5, 6, 4, 5, 6));
  expect(repeat([4], 0)).toEqual(new Int32Array(0));
});

it('draws otherwise for each seed, image and candidate', () => {
  const first = new Set<number>();
  for (const seed of [0, 1, 2])
    for (let image = 0; image < 20; image++)
      for (let candidate = 0; candidate < 5; candidate++)
        first.add(createRandom(streamSeed(seed, image, candidate)).next());
  expect(first.size).toBe(3 * 20 * 5);
  expect(streamSeed(7, 0, 0)).toBe(7);
});
