/** Do maps point at what people drew boxes around? The pointing game (Zhang et al. 2018) and a soft IoU. */
import type { Captioner } from '../../caption/captioner.ts';
import type { PreparedImage } from '../../caption/prepare.ts';
import { type Box, boxesOf, type EntityImage } from '../../data/captions/entities.ts';
import { sumOfMaps } from '../explanation.ts';
import { positiveShares } from '../grid.ts';
import { methods } from '../methods/methods.ts';
import type { MethodName } from '../methods/names.ts';
import { sceneOf } from './scenes.ts';

/** A phrase's result by one method or baseline. */
export interface PhraseResult {
  readonly types: readonly string[];
  /** By method or baseline: whether the highest place is inside a box, and the soft IoU. */
  readonly by: Readonly<Record<string, { readonly hit: number; readonly overlap: number }>>;
}

interface Phrase {
  readonly types: readonly string[];
  readonly boxes: readonly Box[];
  readonly positions: readonly number[];
}

/** Where a point, in parts of the picture, is inside one of the boxes. */
export function isInside(x: number, y: number, boxes: readonly Box[]): boolean {
  return boxes.some(([l, t, r, b]) => x >= l && x <= r && y >= t && y <= b);
}

/** The middle of a map's highest cell, in parts of the picture. */
export function highest(map: Float32Array, side: number): [x: number, y: number] {
  let best = 0;
  for (const [cell, value] of map.entries()) if (value > map[best]) best = cell;
  return [((best % side) + 0.5) / side, (Math.floor(best / side) + 0.5) / side];
}

/** Points a side of a cell at which it is looked for boxes. */
const fine = 8;

/** How much of each cell lies inside the boxes. */
export function coverage(boxes: readonly Box[], side: number): Float32Array {
  const edge = side * fine;
  const covered = new Float32Array(side * side);
  for (let y = 0; y < edge; y++)
    for (let x = 0; x < edge; x++)
      if (isInside((x + 0.5) / edge, (y + 0.5) / edge, boxes))
        covered[Math.floor(y / fine) * side + Math.floor(x / fine)] += 1 / (fine * fine);
  return covered;
}

/** Sum of minima over sum of maxima of the map, its highest place 1, and the boxes' cells. */
export function softIou(map: Float32Array, covered: Float32Array): number {
  const shares = positiveShares(map);
  const top = Math.max(...shares);
  let [inside, all] = [0, 0];
  for (const [cell, share] of shares.entries()) {
    inside += Math.min(share / top, covered[cell]);
    all += Math.max(share / top, covered[cell]);
  }
  return all > 0 ? inside / all : 0;
}

/** A Gaussian hill in the middle, its deviation a quarter of the side. */
export function centreMap(side: number): Float32Array {
  const middle = (side - 1) / 2;
  return Float32Array.from({ length: side * side }, (_, cell) => {
    const [x, y] = [(cell % side) - middle, Math.floor(cell / side) - middle];
    return Math.exp(-(x * x + y * y) / (2 * (side / 4) ** 2));
  });
}

/**
 * Forces people's captions of a picture and asks every method where the head noun (the last word) of each phrase with
 * boxes is. Phrases whose head the vocabulary lacks are left out.
 * @param captions of the picture's captions, how many
 */
export async function pointAtPhrases(
  captioner: Captioner,
  image: PreparedImage,
  entities: EntityImage,
  names: readonly MethodName[],
  { captions, seed, signal }: { captions: number; seed: number; signal?: AbortSignal | undefined },
): Promise<PhraseResult[]> {
  const results: PhraseResult[] = [];
  for (const { words, phrases } of entities.captions.slice(0, captions)) {
    const { ids, places } = forcedCaption(words, captioner);
    const asked = phrases.flatMap((phrase): Phrase[] => {
      const boxes = boxesOf(entities, phrase.id);
      const positions = places[phrase.first + phrase.words - 1] ?? [];
      const { unknown } = captioner.tokenizer.ids;
      const isKnown = positions.every((position) => ids[position + 1] !== unknown);
      if (boxes.length === 0 || positions.length === 0 || !isKnown) return [];
      return [{ types: phrase.types, boxes, positions }];
    });
    if (asked.length === 0) continue;
    const scene = sceneOf(captioner, image, ids, { seed, signal });
    const maps = new Map<MethodName, Awaited<ReturnType<(typeof methods)[MethodName]['maps']>>>();
    for (const name of names) maps.set(name, await methods[name].maps(scene));
    for (const phrase of asked)
      results.push({ types: phrase.types, by: judge(phrase, maps, entities) });
  }
  return results;
}

function judge(
  { boxes, positions }: Phrase,
  maps: ReadonlyMap<MethodName, { side: number; values: readonly Float32Array[] }>,
  entities: EntityImage,
): PhraseResult['by'] {
  const by: Record<string, { hit: number; overlap: number }> = {};
  for (const [name, { side, values }] of maps) {
    const map = sumOfMaps({ positions }, values);
    by[name] = {
      hit: Number(isInside(...highest(map, side), boxes)),
      overlap: softIou(map, coverage(boxes, side)),
    };
  }
  // What knows nothing of the model is laid over the finest of the methods' grids.
  const side = Math.max(...[...maps.values()].map((found) => found.side));
  const covered = coverage(boxes, side);
  by.centre = {
    hit: Number(isInside(0.5, 0.5, boxes)),
    overlap: softIou(centreMap(side), covered),
  };
  const largest = largestBox(entities);
  const [x, y] = [(largest[0] + largest[2]) / 2, (largest[1] + largest[3]) / 2];
  by['largest box'] = {
    hit: Number(isInside(x, y, boxes)),
    overlap: softIou(coverage([largest], side), covered),
  };
  const area = covered.reduce((a, b) => a + b, 0) / covered.length;
  by.chance = { hit: area, overlap: softIou(new Float32Array(covered.length).fill(1), covered) };
  return by;
}

/** The largest box of a picture, whatever it is of. */
function largestBox(entities: EntityImage): Box {
  const area = ([l, t, r, b]: Box): number => (r - l) * (b - t);
  const all = Object.keys(entities.boxes).flatMap((id) => boxesOf(entities, id));
  return all.reduce((best, box) => (area(box) > area(best) ? box : best));
}

/** A caption's ids and, for each of its words, the positions that write its pieces. */
function forcedCaption(
  words: readonly string[],
  { tokenizer, config }: Captioner,
): { ids: number[]; places: number[][] } {
  const { bos_token_id: first, max_position_embeddings: most } = config.text_config;
  const ids = [first];
  const places: number[][] = [];
  for (const word of words) {
    const pieces = tokenizer.encode(word, { specialTokens: false });
    if (ids.length + pieces.length > most) break;
    places.push(pieces.map((_, i) => ids.length - 1 + i));
    ids.push(...pieces);
  }
  return { ids, places };
}
