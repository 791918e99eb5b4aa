/** What a captioner asks of inference. Answered in the caller's thread (local.ts) or by workers (workers.ts). */
import type { DecodeOptions } from '../../data/images/rgb.ts';
import type { GenerationContext, Sequence } from '../../generation/context.ts';
import type { InferenceOptions } from '../../generation/open-graph.ts';
import type { ResolveOptions } from '../../hub/resolve.ts';
import type { PretrainedModel } from '../../model/checkpoint/pretrained.ts';
import type { ImageSource, PreparedImage } from '../prepare.ts';
import type { GenerationRequest } from './request.ts';

/** Names among which a model's own scores choose, or none: the scores come with each picture. */
export type UserConcepts =
  | { readonly kind: 'names'; readonly names: readonly string[] }
  | { readonly kind: 'scores' };

/** How a model's sessions are opened. */
export interface ExecutorOptions extends InferenceOptions {
  /** Pixels a side other than the config's; position embeddings are interpolated. */
  readonly imageSize?: number;
  /** Leaves out what the model says of its confidence, right or wrong: it is calibrated anew. */
  readonly ignoreConfidence?: boolean;
  /** Keep the training-only layers saved beside the model: to measure what dropping them costs. */
  readonly keepRefiner?: boolean;
  /** Of a model with further members, how many write together. Default all; 1 is the fastest. */
  readonly members?: number;
  /** A model's concepts as the user has them, in the place of all that it knows. */
  readonly concepts?: UserConcepts;
  /** How a model that is not here is found and downloaded; also the one that an adapter is of. */
  readonly hub?: ResolveOptions;
}

/** What is known of a model without its weights. */
export type ModelDescription = Pick<
  PretrainedModel,
  'config' | 'tokenizer' | 'generation' | 'preprocessing' | 'confidence'
>;

/** Dispose it when done: what is under way is then rejected. */
export interface Executor extends Disposable {
  readonly model: ModelDescription;
  /** How many batches are worked on at a time beside the caller's thread; 0: that thread does the work. */
  readonly workers: number;
  /** @throws InputError when the picture cannot be read; the signal's reason when aborted */
  prepare(image: ImageSource, options: DecodeOptions): Promise<PreparedImage>;
  /**
   * Writes captions for a batch. Batches may differ in all settings; they are answered in any order.
   * @returns for each image, or so many read as one, its sequences, the best first where they are ranked
   * @throws InputError when a length does not fit the model; the signal's reason when aborted
   */
  generate(
    request: GenerationRequest,
    options?: Pick<GenerationContext, 'signal' | 'onId'>,
  ): Promise<Sequence[][]>;
}
