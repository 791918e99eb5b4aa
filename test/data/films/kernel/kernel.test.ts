/** Planes made RGB: by the kernel as by the plain function, and by both as by ffmpeg. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sourceMark } from '../../../../src/data/films/kernel/bytes.ts';
import {
  colourFactors,
  planesLength,
  planesToRgb,
} from '../../../../src/data/films/kernel/colours.ts';
import { FilmKernel } from '../../../../src/data/films/kernel/kernel.ts';
import { repositoryRoot } from '../../../paths.ts';
import { convertsPlanes, noise } from '../films.ts';

function opened(width: number, height: number): FilmKernel {
  const kernel = FilmKernel.open(width, height);
  if (!kernel) throw new Error('this Node has no WebAssembly with SIMD');
  return kernel;
}

const spaces = ['bt709', 'fcc', 'smpte170m', 'smpte240m', 'bt2020nc', 'unknown'];

describe('the kernel', () => {
  it('is compiled from the source that is here', () => {
    const source = readFileSync(join(repositoryRoot, 'scripts/film-kernel/kernel.as'));
    expect(createHash('sha256').update(source).digest('hex')).toBe(sourceMark);
  });

  it('makes RGB of planes as the plain function does', () => {
    const size = fc.integer({ min: 1, max: 70 });
    fc.assert(
      fc.property(
        ...[size, size, fc.integer(), fc.constantFrom(...spaces), fc.boolean()],
        (width, height, seed, space, isFull) => {
          const planes = noise(planesLength(width, height), seed);
          const colours = colourFactors(space, isFull);
          const kernel = opened(width, height);
          kernel.memory.set(planes, kernel.frame);
          const rgb = kernel.toRgb(width, height, colours);
          expect(Buffer.compare(rgb, planesToRgb(planes, width, height, colours))).toBe(0);
        },
      ),
    );
  });

  it('has memory for a film of 8K, and says so where there is none', () => {
    const kernel = opened(7680, 4320);
    expect(kernel.memory.length).toBeGreaterThan(2 * 3 * 7680 * 4320);
    expect(() => kernel.allocate(2 ** 22)).toThrow(RangeError);
    expect(FilmKernel.open(2 ** 16, 2 ** 16)).toBeUndefined();
  });
});

describe.skipIf(!convertsPlanes)('ffmpeg', () => {
  it.each(
    spaces.flatMap((space) => [
      [space, 'tv', 'yuv420p'],
      [space, 'pc', 'yuvj420p'],
    ]),
  )('makes the same RGB of planes: %s, %s', (space, range, layout) => {
    const [width, height] = [149, 42];
    const planes = noise(planesLength(width, height), 7);
    const tags = space === 'unknown' ? '' : `setparams=colorspace=${space},`;
    const filters = `${tags}scale=${width}:${height}:flags=bicubic,format=rgb24`;
    const raw = ['-f', 'rawvideo', '-pix_fmt', layout, '-s', `${width}x${height}`, '-i', 'pipe:0'];
    const { stdout } = spawnSync(
      'ffmpeg',
      ['-v', 'error', ...raw, '-vf', filters, '-f', 'rawvideo', 'pipe:1'],
      { input: planes },
    );
    const wanted = planesToRgb(planes, width, height, colourFactors(space, range === 'pc'));
    expect(Buffer.compare(stdout, wanted)).toBe(0);
  });
});
