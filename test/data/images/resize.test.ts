/** Resampling equals Pillow's in every byte. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ResizeFilter, resizeRgb } from '../../../src/data/index.ts';
import { fixtures } from '../../paths.ts';

type Case = [kind: string, w: number, h: number, newW: number, newH: number, ResizeFilter, string];
const folder = join(fixtures, 'resize');
const { cases } = JSON.parse(readFileSync(join(folder, 'pillow.json'), 'utf8')) as {
  cases: Case[];
};

/** The pictures of test/fixtures/resize/make.py. */
function picture(kind: string, width: number, height: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const noise = Math.imul(i + seed, 2654435761) >>> 24;
    const x = Math.floor(i / 3) % width;
    const y = Math.floor(i / 3 / width);
    if (kind === 'noise') return noise;
    if (kind === 'edges') return Math.floor((x + y + (i % 3)) / (1 + (seed % 5))) % 2 ? 255 : 0;
    return (x * (3 + (seed % 7)) + y * 2 + (i % 3) * 40 + (noise >> 4)) % 256;
  });
}

describe('resizeRgb', () => {
  it(`equals Pillow on ${cases.length} pictures, odd shapes and both orders of the passes`, () => {
    const wrong: string[] = [];
    let verticalFirst = 0;
    cases.forEach(([kind, width, height, newWidth, newHeight, filter, digest], seed) => {
      const image = { width, height, data: picture(kind, width, height, seed) };
      const resized = resizeRgb(image, newWidth, newHeight, filter);
      expect([resized.width, resized.height]).toEqual([newWidth, newHeight]);
      if (newHeight < height && height - newHeight > 2 * (width - newWidth)) verticalFirst++;
      if (createHash('sha1').update(resized.data).digest('hex') !== digest)
        wrong.push(`${width}x${height} to ${newWidth}x${newHeight} ${filter}`);
    });
    expect(wrong).toEqual([]);
    expect(verticalFirst).toBeGreaterThan(50);
    expect(verticalFirst).toBeLessThan(cases.length - 50);
  });

  it('keeps a plain colour, and an image of the right size', () => {
    const side = fc.integer({ min: 1, max: 40 });
    const filter = fc.constantFrom<ResizeFilter>(
      'bicubic',
      'bilinear',
      'lanczos',
      'box',
      'hamming',
      'nearest',
    );
    fc.assert(
      fc.property(side, side, side, side, fc.nat(255), filter, (w, h, newW, newH, level, name) => {
        const image = { width: w, height: h, data: new Uint8Array(w * h * 3).fill(level) };
        expect(resizeRgb(image, newW, newH, name).data.every((value) => value === level)).toBe(
          true,
        );
        expect(resizeRgb(image, w, h, name)).toBe(image);
      }),
    );
  });

  it('does not depend on what was resized before', () => {
    const image = { width: 33, height: 20, data: picture('noise', 33, 20, 1) };
    const first = resizeRgb(image, 17, 31).data;
    for (let n = 1; n < 200; n++) resizeRgb(image, n, n);
    expect(resizeRgb(image, 17, 31).data).toEqual(first);
  });
});
