/** What a scoring run over files can be told. */
import type { CaptionFormat } from '../data/captions/captions.ts';
import type { Tokenized } from '../metrics/corpus/chunk-scorer.ts';

export interface ScoreFilesOptions {
  /** One file a system; the first is the baseline of comparisons. `-` is the standard input. */
  candidates: readonly string[];
  candidatesFormat?: CaptionFormat | undefined;
  /** One file, or several that complement each other. */
  references: readonly string[];
  referencesFormat?: CaptionFormat | undefined;
  /** Splits of a Karpathy dataset file, such as ['test']. */
  splits?: readonly string[] | undefined;
  /** A file that lists the images to score, one a line. */
  images?: string | undefined;
  /** Score the images that all files have. */
  allowMissing?: boolean | undefined;
  /** Families or scores, separated by commas. */
  metrics?: string | undefined;
  tokenized?: Tokenized | undefined;
  /** Resamples for intervals and comparisons; 0 for none. */
  bootstrap?: number | undefined;
  seed?: number | undefined;
  confidence?: number | undefined;
  paraphrases?: string | undefined;
  frequencies?: string | undefined;
  saveFrequencies?: string | undefined;
  training?: string | undefined;
  perImage?: string | undefined;
  workers?: number | undefined;
  /** Told what a person should know. */
  onWarning?: ((message: string) => void) | undefined;
  /** Told the step and the share of it done, 0 to 1. */
  onProgress?: ((step: string, done: number) => void) | undefined;
  /** Stops the run: the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}
