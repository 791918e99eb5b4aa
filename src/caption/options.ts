/** What can be asked of a captioner for each picture. */
import type { DecodeOptions } from '../data/images/rgb.ts';
import type { GenerationOptions } from '../model/checkpoint/generation-config.ts';
import type { ConceptScoresByName } from './concepts/names.ts';

/** Options of generation, under transformers' names, and what goes beyond them. */
export interface CaptionOptions extends GenerationOptions {
  /** What every caption begins with, such as 'a picture of'. */
  readonly prompt?: string;
  /** Words (or phrases) that must not be written, beside `bad_words_ids`. */
  readonly bannedWords?: readonly string[];
  /** Seed of sampling. Default 0. */
  readonly seed?: number;
  /** Also give each word's log-probability. */
  readonly words?: boolean;
  /** Also give each word's visual dependence, at the cost of one more walk of the decoder; implies `words`. */
  readonly dependence?: boolean;
  /** Of each image how likely it shows what, where the captioner was opened with `concepts: { kind: 'scores' }`. */
  readonly concepts?: readonly ConceptScoresByName[];
  /** Also give what confidence is computed from. */
  readonly evidence?: boolean;
  /** Stops between runs of the model. */
  readonly signal?: AbortSignal;
  /** Limits of decoding. */
  readonly decode?: Omit<DecodeOptions, 'signal'>;
  /** Numbers of the images, by which sampling draws: the same number and seed give the same words. */
  readonly imageNumbers?: readonly number[];
}
