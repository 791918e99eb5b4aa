/**
 * What is asked of a captioner to explain a caption, as graphs over image tokens: how likely each of its ids is,
 * how much it takes of each token, and the gradients of the one by the other.
 *
 * Letters in shape comments: b images, c captions an image, t positions: id t + 1 is written by position t, so a
 * caption of t + 1 ids has t positions; s image tokens.
 */
import { gradients } from '../engine/graph/gradient.ts';
import { input, type Value } from '../engine/graph/graph.ts';
import * as ops from '../engine/graph/ops.ts';
import { type Dim, multiplyDims } from '../engine/graph/shape.ts';
import { visionTower } from '../model/blip.ts';
import type { BlipConfig } from '../model/config.ts';
import { crossKeyValues, languageHead, textDecoder } from '../model/decoder.ts';
import type { Scope } from '../nn/scope.ts';

const { concat, expand, mul, reduceMean, reduceSum, reshape } = ops;

export type Graph = (scope: Scope, config: BlipConfig) => Record<string, Value>;

interface Forced {
  /** Natural log of the probability of each id that is written, [b, c, t]. */
  readonly logprobs: Value;
  /** Attention to the image tokens, a value a layer: [b, heads, c t, s]. */
  readonly attention: readonly Value[];
}

/** The decoder led along captions that stand fixed. @param ids read at each position; `next`: written there, [b, c, t] */
function forced(
  scope: Scope,
  { text_config: config }: BlipConfig,
  tokens: Value,
  ids: Value,
  next: Value,
): Forced {
  const cross = crossKeyValues(scope, config, tokens);
  const { states, imageAttention } = textDecoder(scope, config, { ids, cross });
  const logits = languageHead(scope, config, states[config.num_hidden_layers - 1]); // [b c, t, vocabulary]
  const rows = reshape(next, [multiplyDims(next.shape[0], next.shape[1]), next.shape[2], 1]);
  const picked = ops.gatherElements(ops.logSoftmax(logits), rows);
  return { logprobs: reshape(picked, next.shape), attention: imageAttention };
}

const idsInput = (name: string, captions: Dim): Value =>
  input(name, 'i32', ['images', captions, 'positions']);

/** Any number of tokens will do, such as one that stands for all. */
const tokensInput = ({ vision_config }: BlipConfig): Value =>
  input('tokens', 'f32', ['images', 'tokens', vision_config.hidden_size]);

/** pixels [b, 3, size, size], normalised -> tokens [b, s, width]. */
export const tokenGraph: Graph = (scope, { vision_config: config }) => {
  const size = config.image_size;
  const pixels = input('pixels', 'f32', ['images', 3, size, size]);
  return { tokens: visionTower(scope, config, pixels) };
};

/** tokens [b, s, width], ids and next [b, c, t] -> logprobs [b, c, t]. */
export const scoreGraph: Graph = (scope, config) => {
  const [ids, next] = [idsInput('ids', 'captions'), idsInput('next', 'captions')];
  return { logprobs: forced(scope, config, tokensInput(config), ids, next).logprobs };
};

/** tokens [b, s, width], ids and next [b, 1, t] -> logprobs [b, t], attention [layers, b, t, s], mean over heads. */
export const attentionGraph: Graph = (scope, config) => {
  const [ids, next] = [idsInput('ids', 1), idsInput('next', 1)];
  const { logprobs, attention } = forced(scope, config, tokensInput(config), ids, next);
  const [images, , positions] = ids.shape;
  return {
    logprobs: reshape(logprobs, [images, positions]),
    attention: stacked(attention.map((weights) => reduceMean(weights, [1]))),
  };
};

/**
 * tokens [b, s, width], ids and next [b, 1, t] -> logprobs [b, t], and for each position its row of attention
 * weights times the gradient of its id's log-probability with respect to them: the mean over heads of the positive
 * part, [layers, b, t, s] (Chefer et al. 2021, arXiv:2103.15679, equation 5, without the residual connections).
 */
export const gradientAttentionGraph: Graph = (scope, config) => {
  const { ids, next, isOwn } = copies();
  const [images, , positions] = ids.shape;
  const { logprobs, attention } = forced(scope, config, tokensInput(config), ids, next);
  const own = mul(logprobs, isOwn); // [b, copy, t]
  const slopes = gradients(reduceSum(own), attention);
  const products = attention.map((weights, layer) => {
    const [, heads, , tokens] = weights.shape;
    const product = reshape(mul(slopes[layer], weights), [
      ...[images, heads, positions, positions, tokens],
    ]);
    const rows = reduceSum(mul(product, reshape(isOwn, [positions, positions, 1])), [2]);
    return reduceMean(ops.relu(rows), [1]); // [b, t, s]
  });
  return { logprobs: reduceSum(own, [1]), attention: stacked(products) };
};

/**
 * tokens [b, s, width], scale [], ids and next [b, 1, t] -> logprobs [b, t] where the image tokens are `scale`
 * times these, and the gradient of each id's log-probability with respect to them, times the tokens as they came
 * in, summed over the width: [b, t, s].
 */
export const gradientInputGraph: Graph = (scope, config) => {
  const { ids, next, isOwn } = copies();
  const [images, , positions] = ids.shape;
  const tokens = tokensInput(config);
  const [, count, width] = tokens.shape;
  const scaled = mul(tokens, input('scale', 'f32', []));
  // A copy of the tokens for each copy of the caption, so that each has a gradient of its own.
  const rows = multiplyDims(images, positions);
  const apart = (value: Value) =>
    reshape(expand(reshape(value, [images, 1, count, width]), [images, positions, count, width]), [
      rows,
      count,
      width,
    ]);
  const seen = apart(scaled);
  const alone = (value: Value) => reshape(value, [rows, 1, positions]);
  const { logprobs } = forced(scope, config, seen, alone(ids), alone(next));
  const own = mul(reshape(logprobs, [images, positions, positions]), isOwn);
  const [slope] = gradients(reduceSum(own), [seen]);
  const products = reduceSum(mul(slope, apart(tokens)), [2]); // [b t, s]
  return {
    logprobs: reduceSum(own, [1]),
    products: reshape(products, [images, positions, count]),
  };
};

/** A copy of the caption for each of its positions [b, t, t], and 1 where a copy's own position is [t, t]. */
function copies(): { ids: Value; next: Value; isOwn: Value } {
  const copied = (name: string): Value => {
    const once = idsInput(name, 1);
    const [images, , positions] = once.shape;
    return expand(once, [images, positions, positions]);
  };
  const ids = copied('ids');
  const places = ops.iota(ids.shape[2]);
  const isOwn = ops.equal(reshape(places, [ids.shape[2], 1]), places);
  return { ids, next: copied('next'), isOwn: ops.cast(isOwn, 'f32') };
}

function stacked(layers: readonly Value[]): Value {
  return concat(
    layers.map((value) => reshape(value, [1, ...value.shape])),
    0,
  );
}
