/** Captions scored while training: corpus metrics at a validation, CIDEr-D of each sample as a reward. */

import { loadMeteorData } from '../../data/text/meteor-data.ts';
import {
  type CiderReward,
  createCiderReward,
  type PreparedReferences,
} from '../../metrics/cider.ts';
import { scoreCorpus } from '../../metrics/corpus/score.ts';
import { DocumentFrequencies } from '../../metrics/document-frequencies.ts';
import { tokenizeCaption } from '../../metrics/tokenizer/tokenizer.ts';

export const validationMetricNames = ['CIDEr-D', 'BLEU-4', 'METEOR', 'ROUGE-L'] as const;
export type ValidationMetrics = Readonly<Record<(typeof validationMetricNames)[number], number>>;

/** What people wrote for each image. */
export type ImageReferences = readonly (readonly string[])[];

/** Corpus scores of one caption an image; CIDEr-D counts documents in these references. */
export async function scoreCaptions(
  captions: readonly string[],
  references: ImageReferences,
  signal?: AbortSignal,
): Promise<ValidationMetrics> {
  const { scores } = await scoreCorpus(captions, references, {
    metrics: 'CIDEr,Bleu_4,METEOR,ROUGE_L',
    meteorData: loadMeteorData,
    signal,
  });
  return {
    'CIDEr-D': scores.CIDEr,
    'BLEU-4': scores.Bleu_4,
    METEOR: scores.METEOR,
    'ROUGE-L': scores.ROUGE_L,
  };
}

/** The mean over several sources, each counting once. */
export function meanMetrics(all: readonly ValidationMetrics[]): ValidationMetrics {
  const mean = (name: (typeof validationMetricNames)[number]) =>
    all.reduce((sum, metrics) => sum + metrics[name], 0) / all.length;
  return {
    'CIDEr-D': mean('CIDEr-D'),
    'BLEU-4': mean('BLEU-4'),
    METEOR: mean('METEOR'),
    'ROUGE-L': mean('ROUGE-L'),
  };
}

/** The images that drawn captions are rewarded by. */
export interface RewardedImages {
  readonly references: ImageReferences;
  /** The source of each image, where there are several. */
  readonly sources?: readonly string[] | undefined;
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
 * CIDEr-D of single captions against the references of images of the training split. Document frequencies are those of
 * an image's own source, as in its scores: what is rare among photos of dogs may be common among others. A caption's end
 * counts as a word, as in the code of Rennie et al. 2017: without it captions that break off, such as 'a dog runs in a',
 * score higher than whole ones.
 * @returns a function from the place of an image and captions of it to their rewards
 */
export function ciderReward({
  references,
  sources,
}: RewardedImages): (image: number, captions: readonly DrawnCaption[]) => number[] {
  // Each caption by itself, as the captions that are drawn are read.
  const withEnd = references.map((captions) =>
    captions.map((caption) => ended(tokenizeCaption(caption), true)),
  );
  // Of each image that of its source.
  const metrics = new Array<CiderReward>(withEnd.length);
  for (const source of new Set(sources ?? [undefined])) {
    const places = [...withEnd.keys()].filter((image) => sources?.[image] === source);
    const frequencies = new DocumentFrequencies();
    for (const image of places) frequencies.add(withEnd[image]);
    const metric = createCiderReward(frequencies);
    for (const image of places) metrics[image] = metric;
  }
  const prepared = new Map<number, PreparedReferences>();
  return (image, captions) => {
    const metric = metrics[image];
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
