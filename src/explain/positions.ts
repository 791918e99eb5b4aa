/** What a model says of a picture and its caption, position by position: the part of an explanation that runs it. */
import { methods } from './methods/methods.ts';
import type { MethodName } from './methods/names.ts';
import { type ExplainedModel, forcedIds } from './model.ts';
import { tokensOnce } from './pictures.ts';
import { captionLogprobs, meanToken } from './token-maps.ts';

/** A picture and a caption that stands fixed. It can be sent to another thread. */
export interface PositionsRequest {
  /** [3, size, size], normalised. */
  readonly pixels: Float32Array;
  readonly size: number;
  /** [DEC] first. */
  readonly ids: readonly number[];
  readonly method: MethodName;
  /** Of methods that draw by chance. */
  readonly seed: number;
}

/** Id t + 1 is written by position t. */
export interface ExplainedPositions {
  /** Cells a side of the maps. */
  readonly side: number;
  /** Natural log of the probability of what each position writes. */
  readonly logprobs: Float32Array;
  /** The same with all image tokens at their mean. */
  readonly without: Float32Array;
  /** For each position, [side, side]. */
  readonly maps: readonly Float32Array[];
}

/** @throws the signal's reason when aborted; InputError when the device cannot run the method */
export async function explainPositions(
  model: ExplainedModel,
  { pixels, size, ids, method, seed }: PositionsRequest,
  signal?: AbortSignal,
): Promise<ExplainedPositions> {
  signal?.throwIfAborted();
  if (ids.length < 2) {
    const [{ side }] = await model.grids();
    return { side, logprobs: new Float32Array(), without: new Float32Array(), maps: [] };
  }
  const forced = forcedIds([ids]);
  const tokens = tokensOnce(model, pixels, size);
  const { side, values, besides } = await methods[method].maps({
    ...{ model, pixels, size, tokens, ids, seed, signal },
  });
  signal?.throwIfAborted();
  const logprobs = besides?.logprobs ?? (await captionLogprobs(model, await tokens(), forced));
  const means = besides?.means ?? (await tokens()).map(meanToken);
  const without = await captionLogprobs(model, means, forced);
  return { side, logprobs, without, maps: values };
}
