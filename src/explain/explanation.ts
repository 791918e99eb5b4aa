/** What an explanation says: from what each position of a caption owes to the picture to its words. */
import type { TextTokenizer } from '../data/text/tokenizer.ts';
import { placeOf } from './grid.ts';
import type { MethodName } from './methods/names.ts';
import type { ExplainedPositions } from './positions.ts';
import { type WordPieces, wordPieces } from './words.ts';

export interface ExplainedWord {
  readonly text: string;
  /** Natural log of the word's probability after the words before it, summed over its pieces. */
  readonly logprob: number;
  /** How much less likely it is without the picture: `logprob` less that with all image tokens at their mean. */
  readonly dependence: number;
  /** [side, side], row by row: high where the picture speaks for the word. */
  readonly map: Float32Array;
  /** Where that is: 'upper left', 'centre', 'all over the picture', ... */
  readonly place: string;
}

export interface Explanation {
  readonly caption: string;
  readonly method: MethodName;
  /** Cells a side of the maps. */
  readonly side: number;
  readonly words: readonly ExplainedWord[];
  /** Pixels of the picture, turned upright. */
  readonly width: number;
  readonly height: number;
}

/** The explained caption, and the picture's own size. */
interface ExplainedCaption extends Pick<Explanation, 'method' | 'width' | 'height'> {
  /** [DEC] first, without the end. */
  readonly ids: readonly number[];
}

/** What its positions say of a caption, word by word. */
export function explanationOf(
  { side, logprobs, without, maps }: ExplainedPositions,
  { ids, ...told }: ExplainedCaption,
  tokenizer: TextTokenizer,
): Explanation {
  const words = wordPieces(ids, tokenizer).map((word): ExplainedWord => {
    const logprob = sumOver(word, logprobs);
    const map = sumOfMaps(word, maps);
    const dependence = logprob - sumOver(word, without);
    return { text: word.text, logprob, dependence, map, place: placeOf(map, side) };
  });
  return { caption: tokenizer.decode(ids), side, words, ...told };
}

/** A word's value: the sum of its pieces'. */
export function sumOver({ positions }: WordPieces, values: Float32Array): number {
  return positions.reduce((sum, position) => sum + values[position], 0);
}

/** A word's map: the sum of its pieces'. */
export function sumOfMaps(
  { positions }: Pick<WordPieces, 'positions'>,
  maps: readonly Float32Array[],
): Float32Array {
  return maps[0].map((_, cell) =>
    positions.reduce((sum, position) => sum + maps[position][cell], 0),
  );
}
