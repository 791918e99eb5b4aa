/** Position embeddings for another image size: bicubic interpolation of the grid, as PyTorch does it. */
import { InputError } from '../../base/errors.ts';

/** PyTorch's and OpenCV's coefficient of cubic convolution (Keys 1981). */
const a = -0.75;

/**
 * Interpolates a learned table [1, 1 + side^2, width] (class token first) to another grid, as
 * `F.interpolate(mode='bicubic', align_corners=False)` does.
 * @returns [1 + newSide^2, width], row-major
 * @throws InputError when the table's rows are no square and one
 */
export function interpolatePositions(
  table: Float32Array,
  width: number,
  newSide: number,
): Float32Array {
  const side = Math.round(Math.sqrt(table.length / width - 1));
  if ((side * side + 1) * width !== table.length)
    throw new InputError(
      `the position embeddings have ${table.length / width} rows, which are not one and a square`,
    );
  if (side === newSide) return table;
  const taps = cubicTaps(side, newSide);
  const result = new Float32Array((newSide * newSide + 1) * width);
  result.set(table.subarray(0, width));
  for (const [row, down] of taps.entries())
    for (const [column, across] of taps.entries()) {
      const target = (1 + row * newSide + column) * width;
      for (const [y, v] of down)
        for (const [x, h] of across) {
          const source = (1 + y * side + x) * width;
          for (let i = 0; i < width; i++) result[target + i] += v * h * table[source + i];
        }
    }
  return result;
}

/** For each new place, the four old ones (kept inside the border) and their weights. */
function cubicTaps(side: number, newSide: number): [place: number, weight: number][][] {
  const near = (x: number) => ((a + 2) * x - (a + 3)) * x * x + 1;
  const far = (x: number) => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return Array.from({ length: newSide }, (_, i) => {
    const at = ((i + 0.5) * side) / newSide - 0.5;
    const base = Math.floor(at);
    const t = at - base;
    const weights = [far(t + 1), near(t), near(1 - t), far(2 - t)];
    return weights.map((weight, k) => [Math.min(side - 1, Math.max(0, base - 1 + k)), weight]);
  });
}
