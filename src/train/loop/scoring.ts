/** Captions scored while training: corpus metrics at a validation, CIDEr-D of each sample as a reward. */

import { createBleu } from '../../metrics/bleu.ts';
import { createCider, createCiderReward, type PreparedReferences } from '../../metrics/cider.ts';
import { DocumentFrequencies } from '../../metrics/document-frequencies.ts';
import { createMeteorMetric } from '../../metrics/meteor/meteor.ts';
import { createRougeL } from '../../metrics/rouge-l.ts';
import { tokenizeCaption } from '../../metrics/tokenizer/tokenizer.ts';
import type { CaptionedImage, Metric } from '../../metrics/types.ts';
import { loadMeteorData } from '../../score/meteor-data.ts';

export const validationMetricNames = ['CIDEr-D', 'BLEU-4', 'METEOR', 'ROUGE-L'] as const;
export type ValidationMetrics = Readonly<Record<(typeof validationMetricNames)[number], number>>;

/** References of each image after the COCO evaluation's tokenizer. */
export type TokenizedReferences = readonly (readonly string[])[];

export function tokenizeReferences(images: readonly (readonly string[])[]): TokenizedReferences {
  return images.map((captions) => captions.map(tokenizeCaption));
}

function frequenciesOf(references: TokenizedReferences): DocumentFrequencies {
  const frequencies = new DocumentFrequencies();
  for (const captions of references) frequencies.add(captions);
  return frequencies;
}

/** Corpus scores of one caption an image; CIDEr-D counts documents in these references. */
export function scoreCaptions(
  captions: readonly string[],
  references: TokenizedReferences,
): ValidationMetrics {
  const images = captions.map((caption, i) => captioned(tokenizeCaption(caption), references[i]));
  const last = (metric: Metric, place: number) => corpusScores(metric, images)[place];
  return {
    'CIDEr-D': last(createCider(frequenciesOf(references)), 0),
    'BLEU-4': last(createBleu(), 3),
    METEOR: last(createMeteorMetric(loadMeteorData()), 0),
    'ROUGE-L': last(createRougeL(), 0),
  };
}

/** A caption drawn in training. */
export interface DrawnCaption {
  readonly text: string;
  /** Whether it came to its end, rather than to the most words allowed. */
  readonly ended: boolean;
}

/** Stands for a caption's end in the reward; no caption has this character. */
const endWord = '\u2402';

/**
 * CIDEr-D of single captions against the references of images of the training split, whose document
 * frequencies it uses. A caption's end counts as a word, as in the code of Rennie et al. 2017: without it
 * captions that break off, such as 'a dog runs in a', score higher than whole ones.
 * @returns a function from the place of an image and captions of it to their rewards
 */
export function ciderReward(
  references: TokenizedReferences,
): (image: number, captions: readonly DrawnCaption[]) => number[] {
  const withEnd = references.map((captions) => captions.map((caption) => ended(caption, true)));
  const metric = createCiderReward(frequenciesOf(withEnd));
  const prepared = new Map<number, PreparedReferences>();
  return (image, captions) => {
    const own = prepared.get(image) ?? metric.prepare(withEnd[image]);
    prepared.set(image, own);
    return captions.map((drawn) =>
      metric.score(ended(tokenizeCaption(drawn.text), drawn.ended), own),
    );
  };
}

function ended(tokenized: string, hasEnd: boolean): string {
  return hasEnd ? `${tokenized} ${endWord}`.trimStart() : tokenized;
}

function captioned(candidate: string, references: readonly string[]): CaptionedImage {
  return { candidate, references, tokenized: { candidate, references } };
}

function corpusScores(metric: Metric, images: readonly CaptionedImage[]): number[] {
  const sums = new Float64Array(metric.width);
  const row = new Float64Array(metric.width);
  for (const image of images) {
    metric.statistics(image, row, 0);
    for (let i = 0; i < row.length; i++) sums[i] += row[i];
  }
  return metric.scores(sums, images.length);
}
