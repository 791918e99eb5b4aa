/** Every op of the engine with its attributes: the key set of all rule tables. */
import type { DType, TypedArray } from './dtype.ts';
import type { Dim, Shape } from './shape.ts';

type None = Record<never, never>;
interface Axis {
  readonly axis: number;
}
interface Reduction {
  /** Sorted, from the start. */
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

/** Geometry of a 2-D convolution or pooling; pads are [top, left, bottom, right]. */
export interface Window2d {
  readonly strides: readonly [number, number];
  readonly pads: readonly [number, number, number, number];
}
export interface Convolution extends Window2d {
  readonly groups: number;
}
export interface Pooling extends Window2d {
  readonly kernel: readonly [number, number];
}

export interface OpAttributes {
  input: { readonly name: string; readonly dtype: DType; readonly shape: Shape };
  parameter: { readonly name: string; readonly dtype: DType; readonly shape: readonly number[] };
  constant: { readonly dtype: DType; readonly shape: readonly number[]; readonly data: TypedArray };
  /** One value in every place of a shape that may be symbolic. */
  full: { readonly dtype: DType; readonly shape: Shape; readonly value: number };
  /** 0, 1, ... length - 1 (i32). */
  iota: { readonly length: Dim };
  /** The size of a symbolic dimension, as an i32 scalar. */
  dimension: { readonly size: Dim };

  neg: None;
  abs: None;
  exp: None;
  log: None;
  sqrt: None;
  reciprocal: None;
  erf: None;
  tanh: None;
  sigmoid: None;
  relu: None;
  gelu: None;
  softplus: None;
  sign: None;
  floor: None;
  round: None;
  sin: None;
  cos: None;
  clip: { readonly min: number; readonly max: number };
  not: None;
  isFinite: None;
  cast: { readonly dtype: DType };
  stopGradient: None;

  add: None;
  sub: None;
  mul: None;
  div: None;
  pow: None;
  minimum: None;
  maximum: None;
  equal: None;
  less: None;
  lessOrEqual: None;
  greater: None;
  greaterOrEqual: None;
  and: None;
  or: None;
  where: None;
  bitwiseAnd: None;
  bitwiseXor: None;
  /** Logical shift of the 32 bits of an i32, as if unsigned. */
  shiftRight: { readonly bits: number };

  /** alpha * op(a) . op(b) over the last two dimensions, the leading ones broadcast. */
  matmul: { readonly transA: boolean; readonly transB: boolean; readonly alpha: number };
  reduceSum: Reduction;
  reduceMean: Reduction;
  reduceMax: Reduction;
  reduceMin: Reduction;
  argMax: Axis & { readonly keepDims: boolean };
  softmax: Axis;
  logSoftmax: Axis;
  /** x, scale, bias over the last dimension -> y, mean, 1 / sqrt(variance + epsilon). */
  layerNorm: { readonly epsilon: number };
  cumulativeSum: Axis & { readonly reverse: boolean };
  topK: Axis & { readonly k: number };

  reshape: { readonly shape: Shape };
  transpose: { readonly permutation: readonly number[] };
  expand: { readonly shape: Shape };
  slice: {
    readonly starts: readonly Dim[];
    readonly ends: readonly Dim[];
    readonly axes: readonly number[];
  };
  concat: Axis;
  /** Parts of the given sizes along `axis`, one output each. */
  split: Axis & { readonly sizes: readonly number[] };
  /** before and after each dimension. */
  pad: { readonly before: readonly Dim[]; readonly after: readonly Dim[]; readonly value: number };
  /** data, indices -> data with `axis` replaced by the indices' dimensions. */
  gather: Axis;
  /** data, indices of data's rank -> elements picked along `axis`. */
  gatherElements: Axis;
  /** data, indices, updates -> data with updates added along `axis`, in a fixed order. */
  scatterAddElements: Axis;
  oneHot: { readonly depth: number; readonly dtype: DType };

  /** x [n, c, h, w], weight [out, c / groups, kh, kw] -> [n, out, h', w']. */
  conv2d: Convolution;
  /** dy, weight -> gradient of conv2d with respect to x of the given height and width. */
  conv2dInputGradient: Convolution & { readonly size: readonly [number, number] };
  /** x, dy -> gradient of conv2d with respect to the weight of the given kernel. */
  conv2dWeightGradient: Convolution & { readonly kernel: readonly [number, number] };
  averagePool2d: Pooling;
  averagePool2dGradient: Pooling & { readonly size: readonly [number, number] };

  /** a f32 [..., k], quantised on the fly to u8, by b i8 [k, n] with a scale for each column f32 [n] -> f32 [..., n]. */
  dynamicQuantizeMatmul: None;
  /**
   * a f32 [..., k] by the transpose of b [n, k] in blocks along k of 4-bit numbers, u8 [n, blocks, block / 2], the even
   * places in the low halves, 8 standing for 0, or of 8-bit numbers, u8 [n, blocks, block], 128 standing for 0; a scale
   * for each block f32 [n * blocks] -> f32 [..., n]. `rounded`: a may be rounded to 8 bits, block by block.
   */
  blockQuantizedMatmul: { readonly block: number; readonly rounded: boolean };
  /** x f32, scale f32 -> round(x / scale) clipped to i8. */
  quantizeLinear: None;
  /** x i8, scale f32 -> x * scale. */
  dequantizeLinear: None;
}

export type OpName = keyof OpAttributes;
