/**
 * The semantic alignment layer: cross-attention from the (refined) text states to the image tokens,
 * present in training alone; and the contrastive loss that may go with it.
 *
 * Letters in shape comments: b images, c captions an image, t text positions, s image tokens.
 */
import type { Value } from '../../engine/graph/graph.ts';
import * as ops from '../../engine/graph/ops.ts';
import { multiplyDims } from '../../engine/graph/shape.ts';
import { type KeyValue, layerNorm, linear, splitHeads } from '../../nn/layers.ts';
import type { Scope } from '../../nn/scope.ts';

const { add, div, mul, neg, reduceSum, reshape } = ops;

const epsilon = 1e-5;

/** Keys and values [b, heads, s, headWidth] of the alignment layer at `scope`, for text states of this width. */
export function alignmentKeyValue(
  scope: Scope,
  heads: number,
  imageTokens: Value,
  width: number,
): KeyValue {
  const normed = layerNorm(scope.at('norm_image'), imageTokens, epsilon);
  const project = (name: string) => splitHeads(linear(scope.at(name), normed, width), heads);
  return { key: project('key'), value: project('value') };
}

/**
 * InfoNCE between captions and images of a step (van den Oord et al. 2018; the temperature is CLIP's):
 * each caption is to pick its image among all, and each image its captions.
 * @param states text states [b, c t, width]
 * @param kept 1 where a position counts, else 0, [b, c, t]
 * @returns `sum` over the captions that have a word, and their `count`
 */
export function contrastiveLoss(
  scope: Scope,
  states: Value,
  imageTokens: Value,
  kept: Value,
): { sum: Value; count: Value } {
  const [images, captions, length] = kept.shape;
  const width = Number(states.shape.at(-1));
  const rows = multiplyDims(images, captions);
  const weights = reshape(kept, [rows, length, 1]);
  const words = reduceSum(weights, [1]); // [b c, 1]
  const pooled = div(
    reduceSum(mul(reshape(states, [rows, length, width]), weights), [1]),
    ops.maximum(words, 1),
  );
  const text = unit(linear(scope.at('text'), pooled, width)); // [b c, width]
  const image = unit(linear(scope.at('image'), ops.reduceMean(imageTokens, [1]), width)); // [b, width]
  const scores = ops.matmul(text, image, { transB: true, alpha: 1 / temperature }); // [b c, b]
  const counts = ops.cast(ops.greater(reshape(words, [rows]), 0), 'f32'); // [b c]
  const own = ops.cast(
    ops.equal(
      reshape(ops.expand(reshape(ops.iota(images), [images, 1]), [images, captions]), [rows, 1]),
      reshape(ops.iota(images), [1, images]),
    ),
    'f32',
  ); // [b c, b]
  const toImage = reduceSum(mul(ops.logSoftmax(scores), own), [1]);
  const hiddenRows = mul(ops.sub(1, reshape(counts, [rows, 1])), -1e9);
  const toText = reduceSum(mul(ops.logSoftmax(add(scores, hiddenRows), 0), own), [1]);
  const sum = neg(reduceSum(mul(mul(add(toImage, toText), 0.5), counts)));
  return { sum, count: reduceSum(counts) };
}

const temperature = 0.07;

/**
 * How far the attention of words lies outside of what they speak of: -log of the share of it that falls into their
 * boxes, of all that falls into the picture (the other image tokens do not count), averaged over heads before. As the
 * attention loss of grounded captioning (Zhou et al. 2019, Grounded Video Description).
 * @param seen [b, heads, c t, s], attention over image tokens
 * @param boxes [b, c, t, cells]: how much of each cell of the grid the boxes of a position's word cover, 0 to 1; all 0
 *   where a word has no box
 * @param first the image token of the grid's first cell
 * @returns `sum` over the words that have a box, and their `count`
 */
export function groundingLoss(
  seen: Value,
  boxes: Value,
  first: number,
): { sum: Value; count: Value } {
  const [images, captions, length, cells] = boxes.shape;
  const words = multiplyDims(captions, length);
  const inBoxes = reshape(boxes, [images, words, cells]);
  const overGrid = ops.slice(ops.reduceMean(seen, [1]), 2, first, first + Number(cells)); // [b, c t, cells]
  const inside = reduceSum(mul(overGrid, inBoxes), [2]); // [b, c t]
  const all = reduceSum(overGrid, [2]);
  const counts = ops.cast(ops.greater(reduceSum(inBoxes, [2]), 0), 'f32');
  const share = div(add(inside, smallest), add(all, smallest));
  return { sum: neg(reduceSum(mul(ops.log(share), counts))), count: reduceSum(counts) };
}

const smallest = 1e-6;

/** Rows of length 1. */
function unit(x: Value): Value {
  return div(x, ops.sqrt(add(reduceSum(ops.square(x), [-1], true), 1e-6)));
}
