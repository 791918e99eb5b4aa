/**
 * How much a caption's ids depend on the picture: what their probabilities would be with all image tokens at their
 * mean. Each layer's keys and values are linear in the tokens, so the mean of them stands for that, at the cost of
 * one more walk of the decoder along the caption and no more of the tower.
 */
import { type Tensor, tensor } from '../engine/runtime/tensor.ts';
import type { Decoder, EncodedImages } from './inference.ts';

/** Encoded images with one token each, the mean of its own. (Training-only layers see the mean of their own keys.) */
export function withMeanToken({ count, tokens, cross }: EncodedImages): EncodedImages {
  const named = Object.entries(cross).map(([name, value]) => [name, meanOverTokens(value)]);
  return { count, tokens, cross: Object.fromEntries(named) };
}

/** [images, heads, tokens, headWidth] -> [images, heads, 1, headWidth]. */
function meanOverTokens({ shape, data }: Tensor): Tensor<'f32'> {
  const [images, heads, count, width] = shape;
  const mean = tensor('f32', [images, heads, 1, width]);
  for (let i = 0; i < data.length; i++) {
    const row = Math.floor(i / (count * width));
    mean.data[row * width + (i % width)] += Number(data[i]) / count;
  }
  return mean;
}

/**
 * Natural log of the probability of each id after the prompt of captions that stand fixed.
 * @param sequences ids of a caption for each image of `decoding`, the prompt first
 */
export async function forcedLogprobs(
  decoding: Decoder,
  sequences: readonly (readonly number[])[],
  promptLength: number,
): Promise<number[][]> {
  const longest = Math.max(...sequences.map(({ length }) => length));
  const logprobs: number[][] = sequences.map(() => []);
  for (let at = promptLength; at < longest; at++) {
    const from = at === promptLength ? 0 : at - 1;
    // Shorter captions are filled up; what is said of the filling is left aside.
    const ids = sequences.flatMap((own) =>
      Array.from({ length: at - from }, (_, i) => own[from + i] ?? 0),
    );
    const { logits, normalizer } = await decoding.step(Int32Array.from(ids), at - from);
    const vocabulary = logits.length / sequences.length;
    for (const [row, own] of sequences.entries())
      if (at < own.length) logprobs[row].push(logits[row * vocabulary + own[at]] - normalizer[row]);
  }
  return logprobs;
}
