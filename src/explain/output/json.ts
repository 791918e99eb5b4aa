/** Explanations as JSON. */
import type { Explanation } from '../explain.ts';

/** Rounded to six digits, which is more than the sums are exact to. */
const short = (value: number): number => Number(value.toPrecision(6));

/** One picture's row: words with their maps as rows of a grid. @param file as the input named it */
export function explanationRow(
  file: string,
  { caption, method, side, words, width, height }: Explanation,
): Record<string, unknown> {
  return {
    ...{ file, caption, method, width, height, side },
    words: words.map(({ text, logprob, dependence, place, map }) => ({
      ...{ text, logprob: short(logprob), dependence: short(dependence), place },
      map: Array.from({ length: side }, (_, y) =>
        Array.from(map.subarray(y * side, (y + 1) * side), short),
      ),
    })),
  };
}
