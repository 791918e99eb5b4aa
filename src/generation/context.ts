/** What the ways of generation share: their surroundings, their results, their random streams. */
import type { TextConfig } from '../model/config.ts';

/** A name that the decoder was told of, and how likely it is that people speak of it. */
export interface SeenConcept {
  /** Ids of its words: one or two. */
  readonly words: readonly number[];
  readonly probability: number;
}

/** A finished sequence of ids. */
export interface Sequence {
  /** [DEC], the prompt, the words, and the end where one was written. */
  readonly ids: readonly number[];
  /** The model's log-probability of each id after the prompt, before any rule. */
  readonly logprobs: readonly number[];
  /** On request: the log-probability of each id with all image tokens at their mean. */
  readonly withoutPicture?: readonly number[];
  /** Where the model has concepts: those of the image, the same for all its sequences. */
  readonly concepts?: readonly SeenConcept[];
  /** What beam search ranks by: the rules' scores summed, over length to the power of length_penalty. */
  readonly score?: number;
}

/** What generation knows beside the settings. */
export interface GenerationContext {
  readonly config: TextConfig;
  /** The ids that every caption begins with, [DEC] first. */
  readonly prompt: readonly number[];
  /** Seed of sampling. Default 0. Each image and candidate has a stream of its own. */
  readonly seed?: number;
  /** Numbers of the images, by which sampling draws. Default: 0, 1, ... */
  readonly imageNumbers?: readonly number[];
  readonly signal?: AbortSignal;
  /** Called for each id as it is chosen (not with beams): image, candidate, id and its log-probability. */
  readonly onId?: (image: number, candidate: number, id: number, logprob: number) => void;
}

/** `count` copies of the ids in a row. */
export function repeat(ids: readonly number[], count: number): Int32Array {
  return Int32Array.from({ length: count * ids.length }, (_, i) => ids[i % ids.length]);
}

/** A seed for each image and candidate, so that results do not depend on how images are batched. */
export function streamSeed(seed: number, image: number, candidate: number): number {
  return seed + image * 0x9e3779b1 + candidate * 0x85ebca6b;
}
