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
import { readTokens, visionTower } from '../model/blip.ts';
import type { BlipConfig } from '../model/config.ts';
import {
  type AttentionParts,
  crossKeyValues,
  crossProjections,
  languageHead,
  textDecoder,
} from '../model/decoder.ts';
import { towerOf } from '../model/towers/towers.ts';
import type { Scope } from '../nn/scope.ts';

const { concat, expand, mul, reduceMean, reduceSum, reshape } = ops;

export type Graph = (scope: Scope, config: BlipConfig) => Record<string, Value>;

interface Forced {
  /** Natural log of the probability of each id that is written, [b, c, t]. */
  readonly logprobs: Value;
  /** Attention to the image tokens, one entry a layer. */
  readonly attention: readonly AttentionParts[];
  /** How much each position takes of those up to its own, [b c, heads, t, t], likewise. */
  readonly textAttention: readonly Value[];
}

/**
 * The decoder led along captions that stand fixed.
 * @param ids read at each position; `next`: written there, [b, c, t]
 * @param isolated whether gradients stay within each position
 */
function forced(
  scope: Scope,
  blip: BlipConfig,
  tokens: Value,
  ids: Value,
  next: Value,
  isolated = false,
): Forced {
  const { text_config: config } = blip;
  const cross = crossKeyValues(scope, config, tokens);
  const { states, imageAttention, textAttention } = textDecoder(scope, config, {
    ...{ ids, cross, isolated },
  });
  const logprobs = written(scope, blip, states, next);
  return { logprobs, attention: imageAttention, textAttention };
}

/** Natural log of the probability of the ids `next` [b, c, t] after these states. */
function written(
  scope: Scope,
  { text_config: config }: BlipConfig,
  states: readonly Value[],
  next: Value,
): Value {
  const logits = languageHead(scope, config, states[config.num_hidden_layers - 1]); // [b c, t, vocabulary]
  const rows = reshape(next, [multiplyDims(next.shape[0], next.shape[1]), next.shape[2], 1]);
  return reshape(ops.gatherElements(ops.logSoftmax(logits), rows), next.shape);
}

const idsInput = (name: string, captions: Dim): Value =>
  input(name, 'i32', ['images', captions, 'positions']);

/** Any number of tokens will do, such as one that stands for all. */
const tokensInput = ({ vision_config }: BlipConfig): Value =>
  input('tokens', 'f32', ['images', 'tokens', vision_config.hidden_size]);

/** pixels [b, 3, size, size], normalised -> tokens [b, s, width]: the tower's, then those of the model's concepts. */
export const tokenGraph: Graph = (scope, config) => {
  const { vision_config: vision } = config;
  const pixels = input('pixels', 'f32', ['images', 3, vision.image_size, vision.image_size]);
  return { tokens: readTokens(scope, config, visionTower(scope, vision, pixels)).tokens };
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
    attention: stacked(attention.map(({ weights }) => reduceMean(weights, [1]))),
  };
};

/**
 * tokens [b, s, width], ids and next [b, 1, t] -> logprobs [b, t], and for each position its row of attention
 * weights times the gradient of its id's log-probability with respect to them: the mean over heads of the positive
 * part, [layers, b, t, s] (Chefer et al. 2021, arXiv:2103.15679, equation 5, without the residual connections).
 */
export const gradientAttentionGraph: Graph = (scope, config) => {
  const [ids, next] = [idsInput('ids', 1), idsInput('next', 1)];
  const { logprobs, attention } = forced(scope, config, tokensInput(config), ids, next, true);
  const [images, , positions] = ids.shape;
  const slopes = gradients(
    reduceSum(logprobs),
    attention.map(({ weights }) => weights),
  );
  const products = attention.map(({ weights }, layer) =>
    reduceMean(ops.relu(mul(slopes[layer], weights)), [1]),
  );
  return { logprobs: reshape(logprobs, [images, positions]), attention: stacked(products) };
};

/**
 * tokens [b, s, width], ids and next [b, 1, t] -> logprobs [b, t], and for each position its relevance, [b, t, s]: the
 * rules of Chefer et al. 2021 (arXiv:2103.15679) for the decoder of an encoder-decoder, with gradients of the position's
 * log-probability. What the positions before it looked at counts as far as it reads them. Image tokens stand for
 * themselves: the tower's layers, which need not be attention, are not gone through.
 */
export const relevanceGraph: Graph = (scope, config) => {
  const { ids, next, isOwn } = copies();
  const [images, , positions] = ids.shape;
  const { logprobs, attention, textAttention } = forced(
    scope,
    config,
    tokensInput(config),
    ids,
    next,
  );
  const own = mul(logprobs, isOwn);
  const looks = attention.map(({ weights }) => weights);
  const slopes = gradients(reduceSum(own), [...textAttention, ...looks]);
  const depth = textAttention.length;
  const rows = multiplyDims(images, positions);
  const eye = reshape(isOwn, [1, positions, positions]);
  let ofText = eye; // [b t, t, t]
  let ofImage: Value | undefined; // [b t, t, s]
  for (const [layer, weights] of textAttention.entries()) {
    const self = positivePart(slopes[layer], weights); // [b t, t, t]
    if (ofImage) ofImage = ops.add(ofImage, ops.matmul(self, ofImage));
    ofText = ops.add(ofText, ops.matmul(self, ofText));
    const look = positivePart(slopes[depth + layer], looks[layer]); // [b, t t, s]
    const apart = reshape(look, [rows, positions, look.shape[2]]);
    const seen = ops.matmul(ops.transpose(spread(ofText, eye), [0, 2, 1]), apart);
    ofImage = ofImage ? ops.add(ofImage, seen) : seen;
  }
  return {
    logprobs: reduceSum(own, [2]),
    relevance: ofImage ? ownRows(ofImage, isOwn, images) : eye,
  };
};

/** The positive part of gradient times attention weight, mean over heads. */
function positivePart(slope: Value, weights: Value): Value {
  return reduceMean(ops.relu(mul(slope, weights)), [1]);
}

/** Relevance [n, t, t] with what came to the identity as shares of 1 a row (equations 8 and 9). */
function spread(relevance: Value, eye: Value): Value {
  const added = ops.sub(relevance, eye);
  const sums = reduceSum(added, [2], true);
  return ops.add(ops.div(added, ops.where(ops.greater(sums, 0), sums, 1)), eye);
}

/** Of the copy of each position [b t, t, s] that position's row, [b, t, s]. */
function ownRows(values: Value, isOwn: Value, images: Dim): Value {
  const [, positions, count] = values.shape;
  const apart = reshape(values, [images, positions, positions, count]);
  return reduceSum(mul(apart, reshape(isOwn, [positions, positions, 1])), [2]);
}

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

/**
 * pixels [b, 3, size, size], normalised, ids and next [b, 1, t] -> logprobs [b, t], and for each position LayerCAM
 * (Jiang et al. 2021): activation times the gradient of its id's log-probability, its positive part, summed over the
 * channels [b, t, places]; and the mean of the image tokens [b, 1, width]. Activations are those of the tower's finer
 * stage where it has one, else the image tokens; gradients those by what the position itself reads of the picture.
 */
export const layerCamGraph: Graph = (scope, config) => {
  const { vision_config: vision } = config;
  const pixels = input('pixels', 'f32', ['images', 3, vision.image_size, vision.image_size]);
  const finer = towerOf(vision).finer?.build(scope.at('vision_model'), pixels);
  const tokens = finer?.tokens ?? visionTower(scope, vision, pixels);
  const { tokens: read } = readTokens(scope, config, tokens);
  const { logprobs, slopes: all } = tokenSlopes(scope, config, read);
  const [images, each] = all.shape;
  const slopes = ops.slice(all, 2, 0, tokens.shape[1]);
  const mean = reduceMean(read, [1], true);
  if (!finer) {
    const products = mul(slopes, reshape(tokens, [images, 1, ...tokens.shape.slice(1)]));
    return { logprobs, mean, places: reduceSum(ops.relu(products), [3]) };
  }
  const [, channels, height, width] = finer.stage.shape;
  const products = mul(
    finer.pullBack(slopes),
    reshape(finer.stage, [images, 1, channels, height, width]),
  );
  const places = reduceSum(ops.relu(products), [2]);
  return { logprobs, mean, places: reshape(places, [images, each, multiplyDims(height, width)]) };
};

/**
 * The gradient of each position's log-probability by the tokens, as far as the position reads them: [b, t, s, width].
 * A head's keys and values get theirs from one query, so that the gradient is a sum of two outer products a head.
 */
function tokenSlopes(
  scope: Scope,
  config: BlipConfig,
  tokens: Value,
): { logprobs: Value; slopes: Value } {
  const [ids, next] = [idsInput('ids', 1), idsInput('next', 1)];
  const [images, , positions] = ids.shape;
  const { logprobs, attention } = forced(scope, config, tokens, ids, next, true);
  const found = gradients(
    reduceSum(logprobs),
    attention.flatMap(({ weights, seen }) => [weights, seen]),
  );
  const projections = crossProjections(scope, config.text_config, Number(tokens.shape[2]));
  const where: Value[] = []; // [b, heads, t, s]
  const what: Value[] = []; // [b, heads, t, width]
  for (const [layer, { query, weights, seen }] of attention.entries()) {
    const [ofWeights, ofSeen] = found.slice(2 * layer);
    const { key, value } = projections[layer];
    const taken = mul(weights, ofWeights);
    const ofScores = ops.sub(taken, mul(weights, reduceSum(taken, [3], true)));
    const scale = 1 / Math.sqrt(Number(seen.shape[3]));
    where.push(mul(ofScores, ops.scalar(scale)), weights);
    what.push(ops.matmul(query, key), ops.matmul(ofSeen, value));
  }
  const slopes = ops.matmul(
    ops.transpose(concat(where, 1), [0, 2, 3, 1]),
    ops.transpose(concat(what, 1), [0, 2, 1, 3]),
  );
  return { logprobs: reshape(logprobs, [images, positions]), slopes };
}

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
