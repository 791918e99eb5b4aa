/**
 * The caption refinement network: multi-head self-attention over the decoder's text states, present in
 * training alone. Causal for a caption's own words; with `siblings` it also reads all words of the
 * image's other captions, which are not the target. Then every layer reads the decoder's own states,
 * since a sibling's refined states would carry this caption's words to come.
 *
 * Letters in shape comments: b images, c captions an image, n = b c, t text positions.
 */
import type { Value } from '../../engine/graph/graph.ts';
import * as ops from '../../engine/graph/ops.ts';
import { type Dim, multiplyDims } from '../../engine/graph/shape.ts';
import type { Dropout } from '../../nn/dropout.ts';
import {
  attentionWeights,
  hidden,
  type KeyValue,
  layerNorm,
  linear,
  mergeHeads,
  splitHeads,
} from '../../nn/layers.ts';
import { type Scope, zeros } from '../../nn/scope.ts';

const { add, concat, reshape } = ops;

/** Sizes of a training-only layer. */
export interface TrainingLayerConfig {
  readonly heads: number;
  /** Width of a feed-forward part after the attention; 0 leaves it out. */
  readonly feedForward: number;
  readonly dropout: number;
}

const epsilon = 1e-5;

/** Keys and values of the refinement layer at `scope` for the states it reads, [rows, heads, positions, headWidth]. */
export function refinementKeyValue(scope: Scope, heads: number, read: Value): KeyValue {
  const width = Number(read.shape.at(-1));
  const normed = layerNorm(scope.at('norm'), read, epsilon);
  const project = (name: string) => splitHeads(linear(scope.at(name), normed, width), heads);
  return { key: project('key'), value: project('value') };
}

/**
 * One layer: stream + output(attention(norm(read), memory)), then the feed-forward part if there is
 * one. Output projections start as zeros, so that the stream passes unchanged at first.
 * @param read what the queries are made of, [rows, positions, width]
 * @param mask added to the scores, broadcasting to [rows, heads, positions, keys]
 * @returns the stream, and how much each position takes of each key, before dropout [rows, heads, positions, keys]
 */
export function refinementLayer(
  scope: Scope,
  config: TrainingLayerConfig,
  { read, stream, memory, mask }: { read: Value; stream: Value; memory: KeyValue; mask?: Value },
  dropout: Dropout,
): { stream: Value; weights: Value } {
  const width = Number(stream.shape.at(-1));
  const normed = layerNorm(scope.at('norm'), read, epsilon);
  const query = splitHeads(linear(scope.at('query'), normed, width), config.heads);
  const weights = attentionWeights(query, memory.key, mask);
  const seen = ops.matmul(dropout(weights, config.dropout), memory.value);
  const out = linear(scope.at('output'), mergeHeads(seen), width, zeros);
  const attended = add(stream, dropout(out, config.dropout));
  return { stream: feedForward(scope, config, attended, dropout), weights };
}

/** stream + wide(gelu(norm(stream))); nothing where the width is 0. */
export function feedForward(
  scope: Scope,
  config: TrainingLayerConfig,
  stream: Value,
  dropout: Dropout,
): Value {
  if (config.feedForward === 0) return stream;
  const width = Number(stream.shape.at(-1));
  const normed = layerNorm(scope.at('norm_feed'), stream, epsilon);
  const inner = ops.gelu(linear(scope.at('feed.inner'), normed, config.feedForward));
  return add(stream, dropout(linear(scope.at('feed.output'), inner, width, zeros), config.dropout));
}

/** Keys and values of earlier positions before those of these. */
export function extended(past: KeyValue | undefined, { key, value }: KeyValue): KeyValue {
  if (!past) return { key, value };
  return { key: concat([past.key, key], 2), value: concat([past.value, value], 2) };
}

/**
 * What a position may read when the captions of an image stand in one row: its own caption up to
 * itself, and all words of the image's other captions, except those that say the same (they would
 * show the words to come).
 * @param ids i32 [b, c, t], padded with `padId`
 * @returns [b, 1, c t, c t]: 0 or `hidden`
 */
export function siblingMask(ids: Value, padId: number): Value {
  const [images, captions, length] = ids.shape;
  const row = multiplyDims(captions, length);
  const captionOf = spread(ops.iota(captions), [captions, 1], [captions, length], row); // [c t]
  const positionOf = spread(ops.iota(length), [1, length], [captions, length], row);
  const pairs = (at: Value, compare: (query: Value, key: Value) => Value) =>
    compare(reshape(at, [row, 1]), reshape(at, [1, row])); // [c t, c t]
  const own = ops.and(
    pairs(captionOf, ops.equal),
    pairs(positionOf, (query, key) => ops.lessOrEqual(key, query)),
  );
  const words = reshape(ops.not(ops.equal(ids, padId)), [images, 1, row]);
  const left = reshape(ids, [images, captions, 1, length]);
  const right = reshape(ids, [images, 1, captions, length]);
  const same = ops.reduceMin(ops.cast(ops.equal(left, right), 'f32'), [3]); // [b, c, c]
  const others = spread(
    ops.less(same, 0.5),
    [images, captions, 1, captions, 1],
    [images, captions, length, captions, length],
    row,
    row,
  ); // [b, c t, c t]
  const seen = ops.or(own, ops.and(others, words));
  return reshape(ops.where(seen, ops.scalar(0), ops.scalar(hidden)), [images, 1, row, row]);
}

function spread(
  x: Value,
  shape: readonly Dim[],
  expanded: readonly Dim[],
  ...row: readonly Dim[]
): Value {
  const wide = ops.expand(reshape(x, shape), expanded);
  return reshape(wide, [...expanded.slice(0, expanded.length - 2 * row.length), ...row]);
}
