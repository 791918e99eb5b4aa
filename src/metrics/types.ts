/** What a metric is here: statistics of each image that add up, and a score made from the sums. */

/** One image with its candidate caption and references, as text. */
export interface CaptionedImage {
  /** As the person or the model wrote it. */
  candidate: string;
  references: readonly string[];
  /** The same after the COCO evaluation's PTB tokenizer: lower case, punctuation removed, tokens joined by spaces. */
  tokenized: { candidate: string; references: readonly string[] };
}

/**
 * A metric, or a family that shares its counting (BLEU-1..4).
 * The corpus score is a pure function of the per-image statistics summed over images, so a
 * bootstrap resample costs one weighted sum, and images can be counted on any worker in any order.
 */
export interface Metric {
  /** Names of the scores, as `refcap score --format json` prints them, such as ['Bleu_1', ...]. */
  readonly names: readonly string[];
  /** Number of statistics an image has. */
  readonly width: number;
  /** Writes one image's statistics to `out[offset .. offset + width)`. */
  statistics(image: CaptionedImage, out: Float64Array, offset: number): void;
  /** The scores, in the order of `names`, from the statistics summed over `images` images (1 for a single image). */
  scores(sums: Float64Array, images: number): number[];
  /**
   * The scores of one image from its statistics, where the reference program scores a sentence by another
   * formula than a corpus (sacrebleu); absent where `scores(statistics, 1)` is the score of the image.
   */
  imageScores?(statistics: Float64Array): number[];
}
