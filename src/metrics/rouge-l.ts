/** ROUGE-L as the COCO caption evaluation computes it. */

import type { CaptionedImage, Metric } from './types.ts';
import { SubsequenceLength } from './words/lcs.ts';
import { WordNumbers } from './words/words.ts';

const squaredBeta = 1.2 ** 2;

/**
 * ROUGE-L of Lin (2004) as pycocoevalcap computes it on PTB tokens: the F of beta 1.2 between the
 * best precision and the best recall, which may come from different references. An empty caption
 * counts as one empty word there, so two empty ones agree.
 */
export function createRougeL(): Metric {
  const vocabulary = new WordNumbers();
  const common = new SubsequenceLength();
  return {
    names: ['ROUGE_L'],
    width: 1,

    statistics({ tokenized }: CaptionedImage, out: Float64Array, offset: number): void {
      const candidate = vocabulary.encodeParts(tokenized.candidate);
      common.compare(candidate);
      let precision = 0;
      let recall = 0;
      for (const text of tokenized.references) {
        const reference = vocabulary.encodeParts(text);
        const length = common.with(reference);
        precision = Math.max(precision, length / candidate.length);
        recall = Math.max(recall, length / reference.length);
      }
      out[offset] =
        precision > 0
          ? ((1 + squaredBeta) * precision * recall) / (recall + squaredBeta * precision)
          : 0;
    },

    scores: (sums: Float64Array, images: number): number[] => [sums[0] / images],
  };
}
