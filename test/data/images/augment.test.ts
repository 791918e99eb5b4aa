/** Random resized crops and mirroring: their sizes, their shares, and that nothing else is read. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../src/base/random.ts';
import {
  type Augmentation,
  augment,
  mayFlip,
  randomCrop,
} from '../../../src/data/images/augment.ts';
import type { RgbImage } from '../../../src/data/images/rgb.ts';

const usual: Augmentation = { scale: [0.5, 1], ratio: [3 / 4, 4 / 3], flip: true };

/** Each pixel tells where it is: x, y and a mark. */
function mapPicture(width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i += 3) data.set([x, y, 7], i);
  return { width, height, data };
}

const pixel = ({ data, width }: RgbImage, x: number, y: number) =>
  [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)] as const;

const settings = fc.record({
  least: fc.double({ min: 0.05, max: 1, noNaN: true }),
  narrow: fc.double({ min: 0.3, max: 1, noNaN: true }),
  wide: fc.double({ min: 1, max: 3, noNaN: true }),
});

describe('randomCrop', () => {
  it('gives a rectangle inside the image, whatever its size', () => {
    const size = fc.integer({ min: 1, max: 200 });
    fc.assert(
      fc.property(size, size, settings, fc.nat(), (width, height, s, seed) => {
        const crop = randomCrop(
          width,
          height,
          { scale: [s.least, 1], ratio: [s.narrow, s.wide], flip: false },
          createRandom(seed),
        );
        expect(Number.isInteger(crop.left) && Number.isInteger(crop.top)).toBe(true);
        expect(crop.left).toBeGreaterThanOrEqual(0);
        expect(crop.top).toBeGreaterThanOrEqual(0);
        expect(crop.width).toBeGreaterThanOrEqual(1);
        expect(crop.height).toBeGreaterThanOrEqual(1);
        expect(crop.left + crop.width).toBeLessThanOrEqual(width);
        expect(crop.top + crop.height).toBeLessThanOrEqual(height);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('draws areas uniformly and ratios log-uniformly', () => {
    const random = createRandom(3);
    // Small enough that every draw fits at once.
    const range: Augmentation = { scale: [0.1, 0.5], ratio: [1 / 2, 2], flip: false };
    const crops = Array.from({ length: 20000 }, () => randomCrop(1000, 1000, range, random));
    const shares = crops.map(({ width, height }) => (width * height) / 1e6);
    const logs = crops.map(({ width, height }) => Math.log(width / height) / Math.log(2));
    const below = (values: number[], limit: number) =>
      values.filter((value) => value < limit).length / values.length;
    // Four standard deviations of a share of 20,000 draws are 0.014 at most.
    for (const [limit, share] of [
      [0.2, 0.25],
      [0.3, 0.5],
      [0.4, 0.75],
    ])
      expect(Math.abs(below(shares, limit) - share)).toBeLessThan(0.014);
    for (const [limit, share] of [
      [-0.5, 0.25],
      [0, 0.5],
      [0.5, 0.75],
    ])
      expect(Math.abs(below(logs, limit) - share)).toBeLessThan(0.014);
    const places = crops.map(({ left, width }) => left / (1000 - width));
    expect(Math.abs(below(places, 0.5) - 0.5)).toBeLessThan(0.014);
  });

  it('falls back on the largest centred rectangle of an allowed ratio', () => {
    const range: Augmentation = { scale: [1, 1], ratio: [3 / 4, 4 / 3], flip: false };
    expect(randomCrop(300, 90, range, createRandom(1))).toEqual({
      left: 90,
      top: 0,
      width: 120,
      height: 90,
    });
    expect(randomCrop(90, 300, range, createRandom(1))).toEqual({
      left: 0,
      top: 90,
      width: 90,
      height: 120,
    });
  });
});

describe('augment', () => {
  it('copies the pixels of one rectangle, row by row, and no other', () => {
    const size = fc.integer({ min: 1, max: 60 });
    fc.assert(
      fc.property(size, size, settings, fc.nat(), fc.boolean(), (width, height, s, seed, flip) => {
        const options = { scale: [s.least, 1], ratio: [s.narrow, s.wide], flip } as const;
        const image = mapPicture(width, height);
        const { left, top, ...crop } = randomCrop(width, height, options, createRandom(seed));
        const result = augment(image, options, createRandom(seed), true);
        expect(result).toMatchObject(crop);
        expect(result.data.length).toBe(crop.width * crop.height * 3);
        const isMirrored = pixel(result, 0, 0)[0] !== left;
        expect(isMirrored && !flip).toBe(false);
        for (let y = 0; y < crop.height; y++)
          for (let x = 0; x < crop.width; x++)
            expect(pixel(result, x, y)).toEqual([
              isMirrored ? left + crop.width - 1 - x : left + x,
              top + y,
              7,
            ]);
      }),
      { seed: 2, numRuns: 60 },
    );
  });

  it('mirrors half of the images, and none that may not be', () => {
    const image = mapPicture(9, 4);
    const whole: Augmentation = { scale: [1, 1], ratio: [9 / 4, 9 / 4], flip: true };
    const results = Array.from({ length: 2000 }, (_, seed) => ({
      free: augment(image, whole, createRandom(seed), true),
      bound: augment(image, whole, createRandom(seed), false),
    }));
    const mirrored = results.filter(({ free }) => pixel(free, 0, 0)[0] === 8).length;
    expect(Math.abs(mirrored / 2000 - 0.5)).toBeLessThan(0.045);
    for (const { bound } of results) expect(bound.data).toEqual(image.data);
  });

  it('mirrored twice is the image itself', () => {
    const image = mapPicture(8, 5);
    const whole: Augmentation = { scale: [1, 1], ratio: [8 / 5, 8 / 5], flip: true };
    const seed = [...Array(50).keys()].find(
      (s) => pixel(augment(image, whole, createRandom(s), true), 0, 0)[0] === 7,
    );
    const once = augment(image, whole, createRandom(seed ?? 0), true);
    expect(once.data).not.toEqual(image.data);
    expect(augment(once, whole, createRandom(seed ?? 0), true).data).toEqual(image.data);
  });

  it('leaves the image as it was, and gives the same for the same seed', () => {
    const image = mapPicture(30, 20);
    const before = image.data.slice();
    const results = [1, 1, 2].map((seed) => augment(image, usual, createRandom(seed), true));
    expect(image.data).toEqual(before);
    expect(results[0]).toEqual(results[1]);
    expect(results[0]).not.toEqual(results[2]);
  });
});

it('mayFlip refuses captions that say left or right as words', () => {
  const refused = ['A dog on the left', 'RIGHT hand up', 'turning left.', 'a left-handed man'];
  const allowed = ['A bright day', 'leftovers on a plate', 'a man is frightened', ''];
  for (const caption of refused) expect(mayFlip(['A cat', caption]), caption).toBe(false);
  expect(mayFlip(allowed)).toBe(true);
  expect(mayFlip([])).toBe(true);
});
