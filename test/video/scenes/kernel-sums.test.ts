/** What the kernel measures of frames is what the plain functions measure, to the last unit. */
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import type { VideoFrame } from '../../../src/data/films/frames.ts';
import {
  colourFactors,
  planesLength,
  planesToRgb,
} from '../../../src/data/films/kernel/colours.ts';
import { FilmKernel } from '../../../src/data/films/kernel/kernel.ts';
import { kernelSums } from '../../../src/video/scenes/kernel-sums.ts';
import { plainSums } from '../../../src/video/scenes/measure.ts';
import { noise } from '../../data/films/films.ts';

/** Sizes of films: small, of one row or column, more than 256 pixels long on either side. */
const size = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 })),
  fc.tuple(fc.integer({ min: 1, max: 900 }), fc.integer({ min: 1, max: 60 })),
  fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 900 })),
);
const seeds = fc.array(fc.integer(), { minLength: 1, maxLength: 3 });

function sumsOf(width: number, height: number, kernel?: FilmKernel) {
  const sums = kernelSums(width, height, kernel);
  if (!sums) throw new Error('this Node has no WebAssembly with SIMD');
  return sums;
}
const frameOf = (width: number, height: number, data: Uint8Array): VideoFrame => ({
  ...{ index: 0, time: 0, width, height, data },
});

it('of frames of RGB', () => {
  fc.assert(
    fc.property(size, seeds, ([width, height], frames) => {
      const sums = sumsOf(width, height);
      const plain = plainSums(width, height);
      for (const seed of frames) {
        const frame = frameOf(width, height, noise(3 * width * height, seed));
        expect(sums(frame)).toEqual(plain(frame));
      }
    }),
  );
});

it('of frames of planes, which are not made RGB', () => {
  fc.assert(
    fc.property(size, seeds, fc.boolean(), ([width, height], frames, isFull) => {
      const kernel = FilmKernel.open(width, height);
      if (!kernel) throw new Error('this Node has no WebAssembly with SIMD');
      const sums = sumsOf(width, height, kernel);
      const plain = plainSums(width, height);
      const colours = colourFactors('bt709', isFull);
      for (const seed of frames) {
        const planes = noise(planesLength(width, height), seed);
        kernel.memory.set(planes, kernel.frame);
        const toRgb = vi.spyOn(kernel, 'toRgb');
        const data = planesToRgb(planes, width, height, colours);
        const frame = frameOf(width, height, new Uint8Array(0));
        expect(sums({ ...frame, place: { kernel, colours } })).toEqual(
          plain(frameOf(width, height, data)),
        );
        expect(toRgb).not.toHaveBeenCalled();
      }
    }),
  );
});

it('of every colour, one after the other', () => {
  // 256 x 256 pixels at a time, each of another red, green and blue: all hues and saturations that there are.
  const sums = sumsOf(256, 256);
  const plain = plainSums(256, 256);
  for (let blue = 0; blue < 256; blue += 3) {
    const data = new Uint8Array(3 * 2 ** 16);
    for (let i = 0; i < 2 ** 16; i++) data.set([i >> 8, i & 255, blue], 3 * i);
    const frame = frameOf(256, 256, data);
    expect(sums(frame)).toEqual(plain(frame));
  }
});
