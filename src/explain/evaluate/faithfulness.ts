/**
 * Do maps say what the model uses? Deletion and insertion (Petsiuk et al. 2018) of a word's log-probability: cells of
 * the picture go, or come, in the order of the map, and the area under the curve is taken.
 */
import { createRandom, shuffle } from '../../base/random.ts';
import { resizeGrid } from '../grid.ts';
import type { ExplainedScene } from '../methods/method.ts';
import { cellsFor } from '../methods/of-pictures.ts';
import { blurredPicture, cellOf, meanPicture, mix, scorePictures } from '../pictures.ts';
import { centreMap } from './pointing.ts';

export const fills = ['blur', 'mean'] as const;
export const directions = ['deletion', 'insertion'] as const;
/** What covers cells, and whether they go or come. */
export type Curve = `${(typeof fills)[number]} ${(typeof directions)[number]}`;
export const curves: readonly Curve[] = fills.flatMap((fill) =>
  directions.map((direction): Curve => `${fill} ${direction}`),
);

/** Areas by curve: the mean log-probability, in nats, while cells go or come. */
export type Areas = Readonly<Record<Curve, number>>;

/** Groups of cells that go or come together. */
const steps = 7;

/**
 * The areas of each order of cells, and those of a greedy oracle if it is asked for: at each step it looks which
 * cells, each alone, would change the word's log-probability most.
 * @param positions that write the word
 * @param maps by name, each a square; higher cells go first
 */
export async function areasOf(
  scene: ExplainedScene,
  positions: readonly number[],
  maps: ReadonlyMap<string, Float32Array>,
  { oracle }: { readonly oracle: boolean },
): Promise<Map<string, Areas>> {
  const [{ side }] = await scene.model.grids();
  const cells = cellsFor(side);
  const orders = new Map(
    [...maps].map(([name, map]) => [
      name,
      cellOrder(resizeGrid(map, Math.sqrt(map.length), cells)),
    ]),
  );
  const areas = new Map<string, Record<Curve, number>>();
  for (const fill of fills) {
    const judge = judgeOf(scene, positions, cells, fill);
    for (const direction of directions) {
      const curve: Curve = `${fill} ${direction}`;
      const add = (name: string, area: number): void => {
        const known = areas.get(name) ?? emptyAreas();
        known[curve] = area;
        areas.set(name, known);
      };
      const ends = await judge([new Set(), new Set(Array(cells * cells).keys())], direction);
      const inner = [...orders.values()].flatMap((order) => prefixes(order));
      const scores = await judge(inner, direction);
      const each = steps - 1;
      for (const [i, name] of [...orders.keys()].entries())
        add(name, area([ends[0], ...scores.slice(i * each, (i + 1) * each), ends[1]]));
      if (oracle) add('oracle', await greedyArea(judge, direction, cells * cells, ends));
    }
  }
  return areas;
}

type Direction = (typeof directions)[number];
/** The word's log-probability where these cells are gone (deletion) or there (insertion). */
type Judge = (sets: readonly ReadonlySet<number>[], direction: Direction) => Promise<number[]>;

function judgeOf(
  { model, pixels, size, ids, signal }: ExplainedScene,
  positions: readonly number[],
  cells: number,
  fill: (typeof fills)[number],
): Judge {
  const cover = fill === 'mean' ? meanPicture(pixels) : blurredPicture(pixels, size);
  const cellOfPixel = Int32Array.from({ length: size * size }, (_, i) => cellOf(i, size, cells));
  return async (sets, direction) => {
    const kept = direction === 'insertion' ? 1 : 0;
    const write = (picture: number, target: Float32Array): void =>
      mix(
        pixels,
        cover,
        (pixel) => (sets[picture].has(cellOfPixel[pixel]) ? kept : 1 - kept),
        target,
      );
    const scores = await scorePictures(model, size, sets.length, write, [ids], signal);
    return scores.map((logprobs) => positions.reduce((sum, p) => sum + logprobs[p], 0));
  };
}

async function greedyArea(
  judge: Judge,
  direction: Direction,
  count: number,
  [first, last]: readonly number[],
): Promise<number> {
  const curve = [first];
  let chosen = new Set<number>();
  for (let step = 1; step < steps; step++) {
    const left = Array.from({ length: count }, (_, cell) => cell).filter((c) => !chosen.has(c));
    const alone = await judge(
      left.map((cell) => new Set([...chosen, cell])),
      direction,
    );
    const sign = direction === 'insertion' ? -1 : 1;
    const order = left.map((_, i) => i).sort((i, j) => sign * (alone[i] - alone[j]));
    const wanted = groupEnd(step, count) - chosen.size;
    chosen = new Set([...chosen, ...order.slice(0, wanted).map((i) => left[i])]);
    curve.push((await judge([chosen], direction))[0]);
  }
  return area([...curve, last]);
}

function emptyAreas(): Record<Curve, number> {
  return { 'blur deletion': 0, 'blur insertion': 0, 'mean deletion': 0, 'mean insertion': 0 };
}

/** Cells from the highest to the lowest. */
function cellOrder(map: Float32Array): number[] {
  return Array.from(map, (_, cell) => cell).sort((a, b) => map[b] - map[a]);
}

function groupEnd(step: number, count: number): number {
  return Math.round((step * count) / steps);
}

/** The first group of an order, the first two, ... all but the last. */
function prefixes(order: readonly number[]): Set<number>[] {
  return Array.from(
    { length: steps - 1 },
    (_, i) => new Set(order.slice(0, groupEnd(i + 1, order.length))),
  );
}

/** The mean height of a curve of equal steps, by trapezoids. */
export function area(curve: readonly number[]): number {
  const inner = curve.reduce((sum, value) => sum + value, 0);
  return (inner - (curve[0] + curve[curve.length - 1]) / 2) / (curve.length - 1);
}

/** Orders that know nothing of the model: by chance, from the middle, by edges. */
export function baselineMaps(
  { pixels, size }: ExplainedScene,
  side: number,
  seed: number,
): Map<string, Float32Array> {
  const order = shuffle(
    Array.from({ length: side * side }, (_, i) => i),
    createRandom(seed),
  );
  return new Map([
    ['random', Float32Array.from(order)],
    ['centre', centreMap(side)],
    ['edges', edgeMap(pixels, size, side)],
  ]);
}

/** How much brightness changes from pixel to pixel in each cell. */
export function edgeMap(pixels: Float32Array, size: number, side: number): Float32Array {
  const plane = size * size;
  const grey = (i: number): number => pixels[i] + pixels[plane + i] + pixels[2 * plane + i];
  const sums = new Float32Array(side * side);
  for (let y = 0; y + 1 < size; y++)
    for (let x = 0; x + 1 < size; x++) {
      const i = y * size + x;
      sums[cellOf(i, size, side)] += Math.hypot(grey(i + 1) - grey(i), grey(i + size) - grey(i));
    }
  return sums;
}
