/** Explanations as JSON. */
import type { Explanation } from '../explanation.ts';
import type { MethodName } from '../methods/names.ts';

/** One picture's words, with their maps as rows of a grid. */
export interface ExplanationRow extends Pick<Explanation, 'caption' | 'width' | 'height' | 'side'> {
  readonly method: MethodName;
  readonly words: {
    readonly text: string;
    readonly logprob: number;
    readonly dependence: number;
    readonly place: string;
    readonly map: number[][];
  }[];
}

/** Rounded to six digits, which is more than the sums are exact to. */
const short = (value: number): number => Number(value.toPrecision(6));

export function explanationRow({
  caption,
  method,
  side,
  words,
  width,
  height,
}: Explanation): ExplanationRow {
  return {
    ...{ caption, method, width, height, side },
    words: words.map(({ text, logprob, dependence, place, map }) => ({
      ...{ text, logprob: short(logprob), dependence: short(dependence), place },
      map: Array.from({ length: side }, (_, y) =>
        Array.from(map.subarray(y * side, (y + 1) * side), short),
      ),
    })),
  };
}
