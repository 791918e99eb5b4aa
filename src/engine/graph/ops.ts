/**
 * The ops as functions on values: `add(matmul(x, weight, { transB: true }), bias)`.
 * Numbers stand for scalar constants where a value is wanted. Every function checks its inputs'
 * dtypes and shapes and throws GraphError with both when they do not fit.
 */

import { f32ToF16Bits } from '../../base/half.ts';
import { type DType, dtypes, holds } from './dtype.ts';
import { constant, GraphError, make, makeNode, type Value } from './graph.ts';
import type { Convolution, OpName, Pooling } from './op-names.ts';
import {
  addDims,
  type Dim,
  dim,
  divideDims,
  multiplyDims,
  type Shape,
  sameShape,
  sizeOf,
} from './shape.ts';

/** A value, or a number that becomes a scalar of the other operand's dtype. */
export type Operand = Value | number;

/** A scalar constant. @throws GraphError when the dtype has no such number */
export function scalar(value: number, dtype: DType = 'f32'): Value {
  return scalarFor(scalar, value, dtype);
}

function scalarFor(caller: (...args: never[]) => unknown, value: number, dtype: DType): Value {
  if (!holds(dtype, value)) {
    const error = new GraphError(`the number ${value} is no ${dtype}; cast the other operand`);
    Error.captureStackTrace?.(error, caller);
    throw error;
  }
  const data = dtypes[dtype].create(1);
  if (data instanceof BigInt64Array) data[0] = BigInt(value);
  else data[0] = dtype === 'f16' ? f32ToF16Bits(value) : value;
  return constant(dtype, [], data);
}

function asValue(operand: Operand, like: Operand, caller: (...args: never[]) => unknown): Value {
  if (typeof operand !== 'number') return operand;
  return scalarFor(caller, operand, typeof like === 'number' ? 'f32' : like.dtype);
}

type UnaryName = {
  [Op in OpName]: Record<never, never> extends import('./op-names.ts').OpAttributes[Op]
    ? Op
    : never;
}[OpName];

function unary(op: UnaryName): (x: Value) => Value {
  const apply = (x: Value): Value => make(op, [x], {}, apply);
  return apply;
}

function binary(op: UnaryName): (a: Operand, b: Operand) => Value {
  const apply = (a: Operand, b: Operand): Value =>
    make(op, [asValue(a, b, apply), asValue(b, a, apply)], {}, apply);
  return apply;
}

export const neg = unary('neg');
export const abs = unary('abs');
export const exp = unary('exp');
export const log = unary('log');
export const sqrt = unary('sqrt');
export const reciprocal = unary('reciprocal');
export const erf = unary('erf');
export const tanh = unary('tanh');
export const sigmoid = unary('sigmoid');
export const relu = unary('relu');
/** Exact GELU, x / 2 (1 + erf(x / sqrt 2)) (Hendrycks and Gimpel 2016). */
export const gelu = unary('gelu');
/** log(1 + exp(x)), without overflow. */
export const softplus = unary('softplus');
export const sign = unary('sign');
export const floor = unary('floor');
/** To the nearest whole number, halves to even. */
export const round = unary('round');
export const sin = unary('sin');
export const cos = unary('cos');
export const not = unary('not');
/** False where an element is NaN or infinite. */
export const finite = unary('isFinite');
/** The same values, but gradients stop here. */
export const stopGradient = unary('stopGradient');

export const add = binary('add');
export const sub = binary('sub');
export const mul = binary('mul');
export const div = binary('div');
export const pow = binary('pow');
export const minimum = binary('minimum');
export const maximum = binary('maximum');
export const equal = binary('equal');
export const less = binary('less');
export const lessOrEqual = binary('lessOrEqual');
export const greater = binary('greater');
export const greaterOrEqual = binary('greaterOrEqual');
export const and = binary('and');
export const or = binary('or');
export const bitwiseAnd = binary('bitwiseAnd');
export const bitwiseXor = binary('bitwiseXor');

/** Logical right shift of an i32 by a fixed number of bits. */
export function shiftRight(x: Value, bits: number): Value {
  return make('shiftRight', [x], { bits }, shiftRight);
}

/** Limits to [min, max]. */
export function clip(x: Value, min: number, max: number): Value {
  return make('clip', [x], { min, max }, clip);
}

export function cast(x: Value, dtype: DType): Value {
  return x.dtype === dtype ? x : make('cast', [x], { dtype }, cast);
}

/** a where the condition holds, b elsewhere; the three broadcast. */
export function where(condition: Value, a: Operand, b: Operand): Value {
  const operands = [condition, asValue(a, b, where), asValue(b, a, where)];
  return make('where', operands, {}, where);
}

/** One value in every place of `shape`. */
export function full(shape: Shape, value: number, dtype: DType = 'f32'): Value {
  return make('full', [], { dtype, shape, value }, full);
}

/** 0, 1, ... length - 1, i32. */
export function iota(length: Dim): Value {
  return make('iota', [], { length }, iota);
}

/** The size of a (symbolic) dimension as an i32 scalar. */
export function dimension(size: Dim): Value {
  return make('dimension', [], { size: dim(size) }, dimension);
}

/** alpha * op(a) . op(b) over the last two dimensions; leading dimensions broadcast. */
export function matmul(
  a: Value,
  b: Value,
  options: { transA?: boolean; transB?: boolean; alpha?: number } = {},
): Value {
  const { transA = false, transB = false, alpha = 1 } = options;
  return make('matmul', [a, b], { transA, transB, alpha }, matmul);
}

type ReductionName = 'reduceSum' | 'reduceMean' | 'reduceMax' | 'reduceMin';

function reduction(
  op: ReductionName,
): (x: Value, axes?: readonly number[], keepDims?: boolean) => Value {
  const apply = (x: Value, axes?: readonly number[], keepDims = false): Value => {
    const all = (axes ?? x.shape.map((_, i) => i)).map((axis) => fromStart(x, axis));
    if (all.length === 0) return x;
    return make(op, [x], { axes: [...all].sort((a, b) => a - b), keepDims }, apply);
  };
  return apply;
}

export const reduceSum = reduction('reduceSum');
export const reduceMean = reduction('reduceMean');
export const reduceMax = reduction('reduceMax');
export const reduceMin = reduction('reduceMin');

/** An axis counted from the start; one outside stays as it is, for the op to refuse. */
function fromStart(x: Value, axis: number): number {
  return axis < 0 && axis + x.shape.length >= 0 ? axis + x.shape.length : axis;
}

/** Index of the largest element along `axis` (the first of equals), i32. */
export function argMax(x: Value, axis = -1, keepDims = false): Value {
  return make('argMax', [x], { axis: fromStart(x, axis), keepDims }, argMax);
}

export function softmax(x: Value, axis = -1): Value {
  return make('softmax', [x], { axis: fromStart(x, axis) }, softmax);
}

export function logSoftmax(x: Value, axis = -1): Value {
  return make('logSoftmax', [x], { axis: fromStart(x, axis) }, logSoftmax);
}

/** Normalises the last dimension to mean 0 and variance 1, then scales and shifts (Ba et al. 2016). */
export function layerNorm(x: Value, scale: Value, bias: Value, epsilon = 1e-5): Value {
  return makeNode('layerNorm', [x, scale, bias], { epsilon }, layerNorm).outputs[0];
}

/** Running sums along `axis`, from the end if `reverse`. */
export function cumulativeSum(x: Value, axis: number, reverse = false): Value {
  return make('cumulativeSum', [x], { axis: fromStart(x, axis), reverse }, cumulativeSum);
}

/** The k largest along `axis`, largest first, and where they stood (i32). */
export function topK(x: Value, k: number, axis = -1): { values: Value; indices: Value } {
  const [values, indices] = makeNode('topK', [x], { axis: fromStart(x, axis), k }, topK).outputs;
  return { values, indices };
}

/** The same elements in another shape. One dimension may be -1: whatever is left. */
export function reshape(x: Value, shape: Shape): Value {
  const target = fillOpen(x.shape, shape);
  return sameShape(target, x.shape) ? x : make('reshape', [x], { shape: target }, reshape);
}

function fillOpen(from: Shape, to: Shape): Shape {
  const open = to.indexOf(-1);
  if (open < 0) return to;
  const rest = sizeOf(to.toSpliced(open, 1));
  const size = rest === 0 ? undefined : divideDims(sizeOf(from), rest);
  // What does not divide keeps its -1, which the op refuses.
  return size === undefined ? to : to.with(open, size);
}

/** Reorders the dimensions; swaps the last two by default. */
export function transpose(x: Value, permutation?: readonly number[]): Value {
  const rank = x.shape.length;
  const order = permutation ?? [...x.shape.keys()].slice(0, -2).concat([rank - 1, rank - 2]);
  const fromFirst = order.map((axis) => fromStart(x, axis));
  return make('transpose', [x], { permutation: fromFirst }, transpose);
}

/** Repeats dimensions of size 1 (and missing leading ones) up to `shape`. */
export function expand(x: Value, shape: Shape): Value {
  return sameShape(x.shape, shape) ? x : make('expand', [x], { shape }, expand);
}

/** Elements start .. end - 1 along one axis; numbers below 0 count from the end of a known size. */
export function slice(x: Value, axis: number, start: Dim, end: Dim): Value {
  const at = fromStart(x, axis);
  const size: Dim | undefined = x.shape[at];
  const place = (d: Dim): Dim =>
    typeof d === 'number' && d < 0 && size !== undefined ? addDims(size, d) : d;
  return make('slice', [x], { starts: [place(start)], ends: [place(end)], axes: [at] }, slice);
}

/** Joins values along one axis. */
export function concat(values: readonly Value[], axis: number): Value {
  if (values.length === 1) return values[0];
  return make(
    'concat',
    values,
    { axis: values.length > 0 ? fromStart(values[0], axis) : axis },
    concat,
  );
}

/** Cuts one axis into `parts` equal parts. */
export function split(x: Value, axis: number, parts: number): readonly Value[] {
  const at = fromStart(x, axis);
  const sizes = new Array<number>(parts).fill(Number(x.shape[at]) / parts);
  return makeNode('split', [x], { axis: at, sizes }, split).outputs;
}

/** Puts `before[i]` and `after[i]` copies of `value` around dimension i. */
export function pad(x: Value, before: readonly Dim[], after: readonly Dim[], value = 0): Value {
  return make('pad', [x], { before, after, value }, pad);
}

/** Rows of `data` along `axis`, picked by indices of any shape (an embedding look-up with axis 0). */
export function gather(data: Value, indices: Value, axis = 0): Value {
  return make('gather', [data, indices], { axis: fromStart(data, axis) }, gather);
}

/** For every element of `indices`, the element of `data` at that place along `axis`. */
export function gatherElements(data: Value, indices: Value, axis = -1): Value {
  return make('gatherElements', [data, indices], { axis: fromStart(data, axis) }, gatherElements);
}

/** `data` with each update added at its index along `axis`, in a fixed order. */
export function scatterAddElements(data: Value, indices: Value, updates: Value, axis = 0): Value {
  const at = fromStart(data, axis);
  return make('scatterAddElements', [data, indices, updates], { axis: at }, scatterAddElements);
}

/** 1 at the index, 0 elsewhere, in a new last dimension of `depth`. Indices outside give zeros. */
export function oneHot(indices: Value, depth: number, dtype: DType = 'f32'): Value {
  return make('oneHot', [indices], { depth, dtype }, oneHot);
}

const noWindow = { strides: [1, 1], pads: [0, 0, 0, 0] } as const;

/** 2-D convolution: x [n, c, h, w], weight [out, c / groups, kh, kw] -> [n, out, h', w']. */
export function conv2d(x: Value, weight: Value, options: Partial<Convolution> = {}): Value {
  return make('conv2d', [x, weight], { groups: 1, ...noWindow, ...options }, conv2d);
}

/** Mean over windows of x [n, c, h, w]; padding counts as zeros. */
export function averagePool2d(
  x: Value,
  kernel: readonly [number, number],
  options: Partial<Pooling> = {},
): Value {
  return make('averagePool2d', [x], { ...noWindow, ...options, kernel }, averagePool2d);
}

/**
 * a f32 [..., k] times b i8 [k, n] with a scale a column: a is quantised to 8 bits on the fly.
 * For inference with int8 weights.
 */
export function dynamicQuantizeMatmul(a: Value, b: Value, scale: Value): Value {
  return make('dynamicQuantizeMatmul', [a, b, scale], {}, dynamicQuantizeMatmul);
}

/**
 * a f32 [..., k] times the transpose of a matrix [n, k] of 4-bit numbers: b u8 [n, blocks, block / 2], each byte an even
 * place in its low half and an odd one in its high half, 8 standing for 0; or of 8-bit numbers, u8 [n, blocks, block],
 * 128 standing for 0; `scale` f32 [n * blocks]. For inference.
 * @param rounded whether a may be rounded to 8 bits, block by block
 */
export function blockQuantizedMatmul(
  a: Value,
  b: Value,
  scale: Value,
  block: number,
  rounded = false,
): Value {
  return make('blockQuantizedMatmul', [a, b, scale], { block, rounded }, blockQuantizedMatmul);
}

/** round(x / scale) clipped to i8. */
export function quantizeLinear(x: Value, scale: Value): Value {
  return make('quantizeLinear', [x, scale], {}, quantizeLinear);
}

/** x * scale, from i8 to f32. @param scale one for all, or [rows] for those of the first dimension */
export function dequantizeLinear(x: Value, scale: Value): Value {
  return make('dequantizeLinear', [x, scale], {}, dequantizeLinear);
}

export function square(x: Value): Value {
  return make('mul', [x, x], {}, square);
}

/** [a, b, ...] -> [a * b, ...]: merges the dimensions from `first` to `last`. */
export function mergeDims(x: Value, first: number, last: number): Value {
  const merged = x.shape.slice(first, last + 1).reduce<Dim>(multiplyDims, 1);
  const shape = [...x.shape.slice(0, first), merged, ...x.shape.slice(last + 1)];
  return make('reshape', [x], { shape }, mergeDims);
}
