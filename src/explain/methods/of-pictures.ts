/** Methods that change the picture and look at what that does to each word: no look into the model. */
import { createRandom } from '../../base/random.ts';
import { resizeGrid } from '../grid.ts';
import { cellOf, meanPicture, mix, scorePictures } from '../pictures.ts';
import type { ExplainedScene, Maps, Method } from './method.ts';

/** Cells a side at most: each is a run of the model. */
const mostCells = 8;

/** The finest grid of the tower's that is not finer than that; else 7 x 7. */
export function cellsFor(side: number): number {
  for (let cells = mostCells; cells >= 3; cells--) if (side % cells === 0) return cells;
  return 7;
}

/** Covers one cell after the other with the picture's mean colour (Zeiler and Fergus 2014). */
export const occlusion: Method = {
  isSigned: true,
  async maps({ model, pixels, size, ids, signal }: ExplainedScene): Promise<Maps> {
    const [{ side }] = await model.grids();
    const cells = cellsFor(side);
    const fill = meanPicture(pixels);
    const covered = (place: number, target: Float32Array): void =>
      mix(pixels, fill, (pixel) => (cellOf(pixel, size, cells) === place ? 0 : 1), target);
    const whole = (_: number, target: Float32Array): void => target.set(pixels);
    const [before] = await scorePictures(model, size, 1, whole, [ids], signal);
    const after = await scorePictures(model, size, cells * cells, covered, [ids], signal);
    const values = Array.from(before, (logprob, position) =>
      resizeGrid(
        Float32Array.from(after, (scores) => logprob - scores[position]),
        cells,
        side,
      ),
    );
    return { side, values };
  },
};

/** Masks that rise draws. */
const maskCount = 256;
/** Cells a side of a mask before it is enlarged and shifted. */
const maskCells = 7;

/**
 * Random smooth masks (Petsiuk et al. 2018, RISE), half of each shown over the picture's mean colour: the word's mean
 * probability where a place is seen, less its mean over all masks.
 */
export const rise: Method = {
  isSigned: true,
  async maps({ model, pixels, size, ids, seed, signal }: ExplainedScene): Promise<Maps> {
    const [{ side }] = await model.grids();
    const masks = drawMasks(size, seed);
    const fill = meanPicture(pixels);
    const masked = (mask: number, target: Float32Array): void =>
      mix(pixels, fill, (pixel) => masks[mask](pixel), target);
    const scores = await scorePictures(model, size, masks.length, masked, [ids], signal);
    const shown = masks.map((mask) => cellMeans(mask, size, side));
    const values = Array.from({ length: ids.length - 1 }, (_, position) =>
      weighted(
        scores.map((logprobs) => Math.exp(logprobs[position])),
        shown,
      ),
    );
    return { side, values };
  },
};

type Mask = (pixel: number) => number;

function drawMasks(size: number, seed: number): Mask[] {
  const random = createRandom(seed);
  const step = size / maskCells;
  const wide = maskCells + 2;
  return Array.from({ length: maskCount }, () => {
    const grid = Float32Array.from({ length: wide * wide }, () => (random.next() < 0.5 ? 1 : 0));
    const [dx, dy] = [random.next(), random.next()];
    return (pixel) => {
      const [x, y] = [(pixel % size) / step + dx, Math.floor(pixel / size) / step + dy];
      const [left, top] = [Math.floor(x), Math.floor(y)];
      const [sx, sy] = [x - left, y - top];
      const at = top * wide + left;
      const upper = (1 - sx) * grid[at] + sx * grid[at + 1];
      const lower = (1 - sx) * grid[at + wide] + sx * grid[at + wide + 1];
      return (1 - sy) * upper + sy * lower;
    };
  });
}

/** How much of each cell a mask shows. */
function cellMeans(mask: Mask, size: number, side: number): Float32Array {
  const sums = new Float32Array(side * side);
  const counts = new Float32Array(side * side);
  for (let pixel = 0; pixel < size * size; pixel++) {
    const cell = cellOf(pixel, size, side);
    sums[cell] += mask(pixel);
    counts[cell] += 1;
  }
  return sums.map((sum, cell) => sum / Math.max(1, counts[cell]));
}

/** For each cell the mean of the values, weighted by how much of the cell was shown, less their plain mean. */
function weighted(values: readonly number[], shown: readonly Float32Array[]): Float32Array {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return shown[0].map((_, cell) => {
    let [sum, weight] = [0, 0];
    for (const [i, value] of values.entries()) {
      sum += value * shown[i][cell];
      weight += shown[i][cell];
    }
    return weight > 0 ? sum / weight - mean : 0;
  });
}
