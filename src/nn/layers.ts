/** Layers: functions from a scope (their parameters) and values to values. */
import type { Value } from '../engine/graph/graph.ts';
import * as ops from '../engine/graph/ops.ts';
import { addDims, type Dim } from '../engine/graph/shape.ts';
import { normal, ones, type Scope, zeros } from './scope.ts';

const { add, matmul, reshape, softmax, transpose } = ops;

/** x W' + b: x [..., in] -> [..., out]. Parameters `weight` [out, in] and `bias` [out]. */
export function linear(scope: Scope, x: Value, out: number, initializer = normal()): Value {
  return linearParts(scope, x, out, 1, initializer)[0];
}

/**
 * A linear layer whose outputs are cut into equal parts, such as a fused query, key and value; each
 * is a product of its own, which spares a copy. With an adapter: `lora_A` [rank, in], `lora_B` [out, rank].
 */
export function linearParts(
  scope: Scope,
  x: Value,
  out: number,
  parts: number,
  initializer = normal(),
): readonly Value[] {
  const width = Number(x.shape.at(-1));
  const cut = (value: Value): readonly Value[] =>
    parts === 1 ? [value] : ops.split(value, 0, parts);
  const weights = cut(scope.get('weight', [out, width], initializer));
  const biases = cut(scope.get('bias', [out], zeros));
  const plain = weights.map((weight, i) => add(matmul(x, weight, { transB: true }), biases[i]));
  const { adapter } = scope;
  if (!adapter) return plain;
  const { rank, scale } = adapter;
  // PEFT's first values: B is zero, so the model starts as it was.
  const a = scope.get('lora_A', [rank, width], normal(1 / Math.sqrt(3 * width)));
  const low = matmul(x, a, { transB: true }); // [..., rank]
  return cut(scope.get('lora_B', [out, rank], zeros)).map((b, i) =>
    add(plain[i], matmul(low, b, { transB: true, alpha: scale })),
  );
}

/** Layer normalisation over the last dimension. Parameters `weight` and `bias`. */
export function layerNorm(scope: Scope, x: Value, epsilon: number): Value {
  const width = Number(x.shape.at(-1));
  return ops.layerNorm(
    x,
    scope.get('weight', [width], ones),
    scope.get('bias', [width], zeros),
    epsilon,
  );
}

/** The table `weight` [count, width] of an embedding. */
export function embeddingTable(scope: Scope, count: number, width: number): Value {
  return scope.get('weight', [count, width], normal());
}

/** [batch, tokens, width] -> [batch, heads, tokens, headWidth]. */
export function splitHeads(x: Value, heads: number): Value {
  const [batch, tokens, width] = x.shape;
  return transpose(reshape(x, [batch, tokens, heads, Number(width) / heads]), [0, 2, 1, 3]);
}

/** [batch, heads, tokens, headWidth] -> [batch, tokens, width]. */
export function mergeHeads(x: Value): Value {
  const [batch, heads, tokens, headWidth] = x.shape;
  return reshape(transpose(x, [0, 2, 1, 3]), [batch, tokens, Number(heads) * Number(headWidth)]);
}

/** Keys and values of one attention, [rows, heads, positions, headWidth]. */
export interface KeyValue {
  readonly key: Value;
  readonly value: Value;
}

/** Applied to attention weights in training, such as dropout. */
export type Hook = (x: Value) => Value;

/**
 * Scaled dot-product attention (Vaswani et al. 2017), softmax(q k' / sqrt(headWidth) + mask) v.
 * q [batch, heads, queries, headWidth], k and v [batch, heads, keys, headWidth]; `mask` is added to
 * the scores and broadcasts to [batch, heads, queries, keys].
 */
export function attention(
  q: Value,
  k: Value,
  v: Value,
  mask?: Value,
  dropout: Hook = (x) => x,
): Value {
  return matmul(dropout(attentionWeights(q, k, mask)), v);
}

/** How much each query takes of each key, softmax(q k' / sqrt(headWidth) + mask) [batch, heads, queries, keys]. */
export function attentionWeights(q: Value, k: Value, mask?: Value): Value {
  const scale = 1 / Math.sqrt(Number(q.shape.at(-1)));
  const scores = matmul(q, k, { transB: true, alpha: scale });
  return softmax(mask ? add(scores, mask) : scores);
}

/** What is added to the score of a position that must not be seen. */
export const hidden = -1e9;

/**
 * The causal mask [queries, keys]: 0 where key position <= past + query position, `hidden` elsewhere.
 * @param past keys that stand before the first query
 */
export function causalMask(queries: Dim, past: Dim): Value {
  const rows = reshape(add(ops.iota(queries), ops.dimension(past)), [queries, 1]);
  const columns = ops.iota(addDims(queries, past));
  return ops.where(ops.greater(columns, rows), ops.scalar(hidden), ops.scalar(0));
}
