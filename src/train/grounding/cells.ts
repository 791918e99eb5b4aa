/** Boxes over the grid of a tower's tokens, as an augmented version of the picture shows them. Pure. */
import type { Box } from '../../data/captions/entities.ts';
import type { Framing } from '../../data/images/augment.ts';

/** What a version shows of a picture: a rectangle in parts of it, 0 to 1, and whether it is mirrored. */
export interface SeenPart {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly mirrored: boolean;
}

export const wholePicture: SeenPart = { left: 0, top: 0, width: 1, height: 1, mirrored: false };

/** What a framing shows of a picture of this size, which is in pixels. */
export function seenPart(
  { crop, mirrored }: Framing,
  { width, height }: { readonly width: number; readonly height: number },
): SeenPart {
  return {
    left: crop.left / width,
    top: crop.top / height,
    width: crop.width / width,
    height: crop.height / height,
    mirrored,
  };
}

/**
 * How much of each cell the boxes cover, 0 to 1, row by row; where boxes lie over each other, at most all of it.
 * @param side cells a side of the square grid, which stretches over all that is seen
 */
export function coveredCells(
  boxes: readonly Box[],
  { left, top, width, height, mirrored }: SeenPart,
  side: number,
): Float32Array {
  const cells = new Float32Array(side * side);
  for (const box of boxes) {
    const [x0, x1] = [(box[0] - left) / width, (box[2] - left) / width];
    const across = overlaps(mirrored ? 1 - x1 : x0, mirrored ? 1 - x0 : x1, side);
    const down = overlaps((box[1] - top) / height, (box[3] - top) / height, side);
    for (const [y, rows] of down.entries())
      for (const [x, columns] of across.entries())
        cells[y * side + x] = Math.min(1, cells[y * side + x] + rows * columns);
  }
  return cells;
}

/** How much of each of `count` equal parts of 0 to 1 lies between two places. */
function overlaps(from: number, to: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) =>
    Math.max(0, Math.min(to * count, i + 1) - Math.max(from * count, i)),
  );
}
