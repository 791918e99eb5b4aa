/**
 * Dropout whose mask is a pure function of (seed, layer, position): no state in the session, so a
 * resumed or repeated step draws the same masks.
 */
import { constant, type Value } from '../engine/graph/graph.ts';
import * as ops from '../engine/graph/ops.ts';
import { type Dim, multiplyDims } from '../engine/graph/shape.ts';

const { bitwiseXor, mul, reshape, shiftRight } = ops;

/** Applies dropout at a rate; each call is another layer with masks of its own. */
export type Dropout = (x: Value, rate: number) => Value;

/** No dropout, for inference and validation. */
export const noDropout: Dropout = (x) => x;

/**
 * Dropout driven by `seed`, an i32 scalar input that the trainer draws anew from (run seed, step,
 * micro-batch). Layers are numbered in the order of the calls.
 */
export function seededDropout(seed: Value): Dropout {
  let layer = 0;
  return (x, rate) => {
    layer += 1;
    if (rate === 0) return x;
    return mul(x, dropoutMask(x.shape, rate, seed, layer));
  };
}

/**
 * Drops channels of [rows, places, channels], the same ones in all places of a row: spatial dropout (Tompson et
 * al. 2015), where neighbouring places say much the same.
 */
export function channelDropout(x: Value, rate: number, dropout: Dropout): Value {
  if (rate === 0) return x;
  const [rows, , channels] = x.shape;
  const one = constant('f32', [1, 1, 1], Float32Array.of(1));
  return mul(x, dropout(ops.expand(one, [rows, 1, channels]), rate));
}

/** 1 / (1 - rate) with probability 1 - rate, else 0, in `shape` (at least one dimension). */
function dropoutMask(shape: readonly Dim[], rate: number, seed: Value, layer: number): Value {
  const width = shape[shape.length - 1];
  const rows = shape.slice(0, -1).reduce<Dim>(multiplyDims, 1);
  const key = mix(ops.add(seed, Math.imul(layer, 0x9e3779b1)));
  const ofRow = oddHash(ops.iota(rows), key);
  const ofColumn = oddHash(ops.iota(width), bitwiseXor(key, 0x5bd1e995));
  // The product of two odd random words is uniform enough in its high bits, and costs one pass.
  const word = mul(reshape(ofRow, [rows, 1]), reshape(ofColumn, [1, width]));
  const threshold = Math.round(-(2 ** 31) + rate * 2 ** 32);
  const kept = ops.greaterOrEqual(word, threshold);
  return reshape(ops.where(kept, 1 / (1 - rate), 0), shape);
}

function oddHash(position: Value, key: Value): Value {
  const word = mix(bitwiseXor(mul(position, 0x9e3779b1 | 0), key));
  return ops.add(word, bitwiseXor(ops.bitwiseAnd(word, 1), 1));
}

/** The finaliser of MurmurHash3: every bit of the result depends on every bit of x. */
function mix(x: Value): Value {
  let h = bitwiseXor(x, shiftRight(x, 16));
  h = mul(h, 0x85ebca6b | 0);
  h = bitwiseXor(h, shiftRight(h, 13));
  h = mul(h, 0xc2b2ae35 | 0);
  return bitwiseXor(h, shiftRight(h, 16));
}

/** An i32 seed for one micro-batch, mixed from its numbers. */
export function dropoutSeed(...parts: readonly number[]): number {
  let h = 0x811c9dc5;
  for (const part of parts) {
    h = Math.imul(h ^ (part | 0), 0x01000193);
    h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
    h ^= h >>> 12;
  }
  return h | 0;
}
