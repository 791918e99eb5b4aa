/** Confidence as people are shown it: the calibrated one, or what stands in for it where a model has none. Pure. */

/** What is known of a caption. */
export interface CaptionFigures {
  readonly meanLogprob: number;
  /** Of a model whose confidence is calibrated. */
  readonly confidence?: number;
}

/**
 * The probability that people speak of the caption's main noun; of a model that was not calibrated the probability that
 * it gave to a token (the geometric mean over all that it chose, the end included), which is not as true.
 */
export function confidenceOf({ confidence, meanLogprob }: CaptionFigures): number {
  return confidence ?? Math.exp(meanLogprob);
}

/** What the figure means, as a sentence. */
export function confidenceMeaning(isCalibrated: boolean): string {
  return isCalibrated
    ? 'Confidence is how likely people who see the picture speak of the main noun of the caption (the dog in "a dog runs"), calibrated on pictures with captions by people.'
    : 'Confidence is the probability that the model gave to a word, as the geometric mean over the caption: high when it was sure, which is not the same as right.';
}

/** The part of a word's probability that it owes to the picture, from 0 to 1. @param dependence in nats */
export function shareOfPicture(dependence: number): number {
  return 1 - Math.exp(-Math.max(0, dependence));
}

/** 0.634 -> '63 %'. */
export function formatConfidence(confidence: number): string {
  return `${Math.round(100 * confidence)} %`;
}
