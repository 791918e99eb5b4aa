/** BLEU as sacrebleu computes it by default: 13a tokens, case kept, exponential smoothing. */
import { ClippedCounter, closestLength } from './bleu.ts';
import type { CaptionedImage, Metric } from './types.ts';
import { maximumOrder } from './words/ngrams.ts';
import { splitWords, trimEnd, WordNumbers } from './words/words.ts';

const systemLength = 0;
const referenceLength = 1;
const totals = 2;
const correct = totals + maximumOrder;
const width = correct + maximumOrder;

/** What sacrebleu reports: the score and the precisions are percentages. */
export interface SacreBleuResult {
  score: number;
  precisions: number[];
  brevityPenalty: number;
  systemLength: number;
  referenceLength: number;
}

/** The tokens of mteval-v13a.pl: punctuation stands alone, but periods and commas stay within numbers. */
export function tokenize13a(line: string): string[] {
  let text = line.replaceAll('<skipped>', '').replaceAll('-\n', '').replaceAll('\n', ' ');
  if (text.includes('&')) {
    text = text.replaceAll('&quot;', '"').replaceAll('&amp;', '&');
    text = text.replaceAll('&lt;', '<').replaceAll('&gt;', '>');
  }
  return splitWords(
    ` ${text} `
      .replace(/[{-~[-` -&(-+:-@/]/g, ' $& ')
      .replace(/([^0-9])([.,])/gu, '$1 $2 ')
      .replace(/([.,])([^0-9])/gu, ' $1 $2')
      .replace(/([0-9])(-)/g, '$1 $2 '),
  );
}

/**
 * The score from summed statistics of a `createSacreBleu()` metric.
 *
 * @param effectiveOrder leaves out orders longer than the caption, as sacrebleu does for single sentences.
 */
export function sacreBleuFrom(sums: Float64Array, effectiveOrder: boolean): SacreBleuResult {
  const [systemTokens, referenceTokens] = [sums[systemLength], sums[referenceLength]];
  let brevityPenalty = 1;
  if (systemTokens < referenceTokens) {
    brevityPenalty = systemTokens > 0 ? Math.exp(1 - referenceTokens / systemTokens) : 0;
  }
  const precisions = [0, 0, 0, 0];
  const result = {
    score: 0,
    precisions,
    brevityPenalty,
    systemLength: systemTokens,
    referenceLength: referenceTokens,
  };
  const matches = sums.subarray(correct, correct + maximumOrder);
  if (matches.every((count) => count === 0)) return result;

  let smoothing = 1;
  let orders = maximumOrder;
  for (let order = 0; order < maximumOrder; order++) {
    const total = sums[totals + order];
    if (total === 0) break;
    if (effectiveOrder) orders = order + 1;
    if (matches[order] === 0) smoothing *= 2;
    precisions[order] =
      matches[order] === 0 ? 100 / (smoothing * total) : (100 * matches[order]) / total;
  }
  let logarithms = 0;
  // sacrebleu's logarithm of zero, for orders that the whole corpus is too short for.
  for (const precision of precisions.slice(0, orders)) {
    logarithms += precision === 0 ? -9999999999 : Math.log(precision);
  }
  result.score = brevityPenalty * Math.exp(logarithms / orders);
  return result;
}

/**
 * Corpus BLEU as sacrebleu 2 prints it by default (13a tokens of the raw text, closest reference
 * length, smoothing `exp`), of Post (2018); a single image is scored as `sentence_bleu` does.
 */
export function createSacreBleu(): Metric {
  const vocabulary = new WordNumbers();
  const counter = new ClippedCounter();
  const encode = (text: string) => tokenize13a(trimEnd(text)).map((word) => vocabulary.id(word));
  return {
    names: ['sacreBLEU'],
    width,

    statistics(image: CaptionedImage, out: Float64Array, offset: number): void {
      const candidate = encode(image.candidate);
      const references = image.references.map(encode);
      out.fill(0, offset, offset + width);
      out[offset + systemLength] = candidate.length;
      out[offset + referenceLength] = closestLength(
        candidate.length,
        references.map(({ length }) => length),
      );
      for (let order = 0; order < maximumOrder; order++) {
        out[offset + totals + order] = Math.max(0, candidate.length - order);
      }
      counter.count(candidate, references, out, offset + correct);
    },

    scores: (sums: Float64Array): number[] => [sacreBleuFrom(sums, false).score],
    imageScores: (sums: Float64Array): number[] => [sacreBleuFrom(sums, true).score],
  };
}
