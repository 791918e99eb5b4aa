/** Boxes over a grid, compared with a picture that has the boxes painted and is cropped and mirrored as it is. */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../src/base/random.ts';
import type { Box } from '../../../src/data/captions/entities.ts';
import { augment, randomFraming } from '../../../src/data/images/augment.ts';
import type { RgbImage } from '../../../src/data/images/rgb.ts';
import { coveredCells, seenPart, wholePicture } from '../../../src/train/grounding/cells.ts';

const [width, height, side] = [90, 60, 5];
const settings = { scale: [0.4, 1], ratio: [0.75, 4 / 3], flip: true } as const;

/** A black picture in which the boxes, in pixels, are white. */
function painted(boxes: readonly Box[]) {
  const data = new Uint8Array(width * height * 3);
  for (const [left, top, right, bottom] of boxes)
    for (let y = top; y < bottom; y++)
      data.fill(255, (y * width + left) * 3, (y * width + right) * 3);
  return { width, height, data };
}

/** How white each cell of the grid is: each pixel's share of the cell counted in finer steps. */
function whiteness(image: RgbImage): number[] {
  const fine = 40;
  const cells = new Array<number>(side * side).fill(0);
  const steps = side * fine;
  for (let y = 0; y < steps; y++)
    for (let x = 0; x < steps; x++) {
      const row = Math.floor(((y + 0.5) / steps) * image.height);
      const column = Math.floor(((x + 0.5) / steps) * image.width);
      const white = image.data[(row * image.width + column) * 3] / 255;
      cells[Math.floor(y / fine) * side + Math.floor(x / fine)] += white / (fine * fine);
    }
  return cells;
}

const inParts = (boxes: readonly Box[]): Box[] =>
  boxes.map(([l, t, r, b]) => [l / width, t / height, r / width, b / height]);

describe('coveredCells', () => {
  it('lie where a picture with painted boxes is white, however it is cropped and mirrored', () => {
    const random = createRandom(3);
    let mirrored = 0;
    for (let i = 0; i < 40; i++) {
      // Side by side, so that no two lie over each other.
      const middle = 10 + random.integer(width - 20);
      const boxes: Box[] = [
        [random.integer(middle), random.integer(30), middle, 31 + random.integer(29)],
        [middle, random.integer(30), width - random.integer(9), 31 + random.integer(29)],
      ];
      const framing = randomFraming({ width, height }, settings, createRandom(i), true);
      if (framing.mirrored) mirrored += 1;
      const shown = augment(painted(boxes), settings, createRandom(i), true);
      const wanted = whiteness(shown);
      const found = coveredCells(inParts(boxes), seenPart(framing, { width, height }), side);
      for (const [cell, share] of wanted.entries()) expect(found[cell]).toBeCloseTo(share, 1);
    }
    expect(mirrored).toBeGreaterThan(5);
  });

  it('are whole within a box that covers all, even twice, and none outside of what is seen', () => {
    const all: Box = [0, 0, 1, 1];
    expect(coveredCells([all, all], wholePicture, 2)).toEqual(Float32Array.of(1, 1, 1, 1));
    const right = { left: 0.5, top: 0, width: 0.5, height: 1, mirrored: false };
    expect(coveredCells([[0, 0, 0.5, 1]], right, 2)).toEqual(new Float32Array(4));
  });
});
