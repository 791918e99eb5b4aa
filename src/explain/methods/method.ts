/** What a method of explanation is: from a picture and a caption to a map for each position of the caption. */
import type { Tensor } from '../../engine/runtime/tensor.ts';
import type { ExplainedModel } from '../model.ts';

/** A picture with a caption that stands fixed. */
export interface ExplainedScene {
  readonly model: ExplainedModel;
  /** [3, size, size], normalised. */
  readonly pixels: Float32Array;
  /** Side of the picture. */
  readonly size: number;
  /** The picture's tokens by each member, [1, tokens, width], computed when they are first asked for. */
  tokens(): Promise<readonly Tensor[]>;
  /** [DEC] first. */
  readonly ids: readonly number[];
  /** Of methods that draw by chance. */
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Maps {
  /** Cells a side. */
  readonly side: number;
  /** For each position, [side, side]: high where the picture speaks for what it writes. */
  readonly values: readonly Float32Array[];
  /** What a method may know besides: log-probabilities, and each member's mean token [1, 1, width]. */
  readonly besides?: { readonly logprobs: Float32Array; readonly means: readonly Tensor[] };
}

export interface Method {
  /** Whether it has values below 0, which speak against a word. */
  readonly isSigned: boolean;
  maps(scene: ExplainedScene): Promise<Maps>;
}
