/** Maps by the inside of the model: a value for each position of a caption and each image token of each member. */
import { type Tensor, tensor } from '../engine/runtime/tensor.ts';
import { type ExplainedModel, type ForcedIds, meanProbability } from './model.ts';

export interface TokenMaps {
  /** Natural log of the mean of the members' probabilities of what each position writes, [images, positions]. */
  readonly logprobs: Float32Array;
  /**
   * Of each member [images, positions, tokens]; each counts by its share of the mean probability, so that their sum
   * explains the mean.
   */
  readonly members: readonly Float32Array[];
}

/** How much each position attends to each token: the mean over heads and the later half of the layers. */
export function attention(
  model: ExplainedModel,
  tokens: readonly Tensor[],
  forced: ForcedIds,
): Promise<TokenMaps> {
  return overLayers('attention', model, tokens, forced);
}

/** The positive part of gradient times attention weight: the mean over heads and the later half of the layers. */
export function gradientAttention(
  model: ExplainedModel,
  tokens: readonly Tensor[],
  forced: ForcedIds,
): Promise<TokenMaps> {
  return overLayers('gradientAttention', model, tokens, forced);
}

/** Relevance through the layers of the decoder, by the rules of Chefer et al. 2021. */
export async function relevanceMaps(
  model: ExplainedModel,
  tokens: readonly Tensor[],
  forced: ForcedIds,
): Promise<TokenMaps> {
  const results = await model.run('relevance', (i) => ({ ...forced, tokens: tokens[i] }));
  return weighted(results.map(({ logprobs, relevance: values }) => ({ logprobs, values })));
}

async function overLayers(
  graph: 'attention' | 'gradientAttention',
  model: ExplainedModel,
  tokens: readonly Tensor[],
  forced: ForcedIds,
): Promise<TokenMaps> {
  const results = await model.run(graph, (i) => ({ ...forced, tokens: tokens[i] }));
  return weighted(
    results.map(({ logprobs, attention: layers }, m) => {
      const size = logprobs.length * tokens[m].shape[1];
      const depth = layers.length / size;
      // Early layers look around; docs/explain.md has the figures.
      const later = layers.subarray(Math.floor(depth / 2) * size);
      const values = new Float32Array(size);
      for (const [i, value] of later.entries()) values[i % size] += (value * size) / later.length;
      return { logprobs, values };
    }),
  );
}

/**
 * LayerCAM of pictures [images, 3, size, size]; what stands for a token is a place of the tower's finer stage. Beside
 * it the mean of each member's tokens, [images, 1, width].
 */
export async function layerCamMaps(
  model: ExplainedModel,
  pixels: Tensor,
  forced: ForcedIds,
): Promise<TokenMaps & { readonly means: readonly Tensor[] }> {
  const results = await model.run('layerCam', () => ({ ...forced, pixels }));
  const [images] = pixels.shape;
  return {
    ...weighted(results.map(({ logprobs, places }) => ({ logprobs, values: places }))),
    means: results.map(({ mean }) => tensor('f32', [images, 1, mean.length / images], mean)),
  };
}

/** Gradient times image token, summed over the token's width. */
export async function gradientInput(
  model: ExplainedModel,
  tokens: readonly Tensor[],
  forced: ForcedIds,
): Promise<TokenMaps> {
  return gradientsAt(1, model, tokens, forced);
}

async function gradientsAt(
  scale: number,
  model: ExplainedModel,
  tokens: readonly Tensor[],
  forced: ForcedIds,
): Promise<TokenMaps> {
  const results = await model.run('gradientInput', (i) => ({
    ...forced,
    tokens: tokens[i],
    scale: tensor('f32', [], Float32Array.of(scale)),
  }));
  return weighted(results.map(({ logprobs, products }) => ({ logprobs, values: products })));
}

/** Each member's values [images, positions, tokens] by its share of the mean probability. */
function weighted(
  results: readonly { readonly logprobs: Float32Array; readonly values: Float32Array }[],
): TokenMaps {
  const { logprobs, shares } = meanProbability(results.map((result) => result.logprobs));
  const members = results.map(({ values }, m) => {
    const count = values.length / logprobs.length;
    return values.map((value, i) => value * shares[m][Math.floor(i / count)]);
  });
  return { logprobs, members };
}

/**
 * Integrated gradients from all-zero image tokens (Sundararajan et al. 2017), by the midpoints of `steps` equal
 * parts of the way. Over all tokens they sum to the log-probability with the tokens less that with zeros.
 */
export async function integratedGradients(
  model: ExplainedModel,
  tokens: readonly Tensor[],
  forced: ForcedIds,
  { steps = 64, signal }: { readonly steps?: number; readonly signal?: AbortSignal } = {},
): Promise<TokenMaps> {
  const sums = tokens.map((_, m) => new Float64Array(sizeOf(forced) * tokens[m].shape[1]));
  for (let step = 0; step < steps; step++) {
    signal?.throwIfAborted();
    const { members } = await gradientsAt((step + 0.5) / steps, model, tokens, forced);
    for (const [m, map] of members.entries())
      for (const [i, value] of map.entries()) sums[m][i] += value / steps;
  }
  const logprobs = await captionLogprobs(model, tokens, forced);
  return { logprobs, members: sums.map((sum) => Float32Array.from(sum)) };
}

function sizeOf({ ids }: ForcedIds): number {
  return ids.data.length;
}

/** Natural log of the mean of the members' probabilities of each id that is written, [images, captions, positions]. */
export async function captionLogprobs(
  model: ExplainedModel,
  tokens: readonly Tensor[],
  forced: ForcedIds,
): Promise<Float32Array> {
  const results = await model.run('score', (i) => ({ ...forced, tokens: tokens[i] }));
  return meanProbability(results.map((result) => result.logprobs)).logprobs;
}

/** Each image's tokens as their mean, which stands for all of them, [images, 1, width]: a picture without places. */
export function meanToken({ shape: [images, count, width], data }: Tensor): Tensor<'f32'> {
  const mean = new Float32Array(images * width);
  for (let i = 0; i < data.length; i++) {
    const image = Math.floor(i / (count * width));
    mean[image * width + (i % width)] += Number(data[i]) / count;
  }
  return tensor('f32', [images, 1, width], mean);
}
