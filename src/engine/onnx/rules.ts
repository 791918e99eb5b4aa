/** How each op is written in ONNX (opset 21, and com.microsoft where that is faster). */
import { f32ToF16Bits } from '../../base/half.ts';
import { type DType, dtypes } from '../graph/dtype.ts';
import type { NodeOf } from '../graph/graph.ts';
import type { Convolution, OpName, Pooling } from '../graph/op-names.ts';
import { type Dim, multiplyDims, type Shape } from '../graph/shape.ts';
import type { OnnxAttribute } from './messages.ts';
import type { OnnxWriter } from './writer.ts';
import { rawTensor } from './writer.ts';

type Rule<Op extends OpName> = (
  writer: OnnxWriter,
  inputs: readonly string[],
  node: NodeOf<Op>,
) => string | string[];

/** Leaves are named by the encoder. */
export type LeafName = 'input' | 'parameter' | 'constant';

/** The domain of ONNX Runtime's own ops. */
export const microsoft = 'com.microsoft';

function direct(op: string): Rule<OpName> {
  return (writer, inputs) => writer.emit(op, inputs);
}

function reduce(op: string): Rule<'reduceSum' | 'reduceMean' | 'reduceMax' | 'reduceMin'> {
  return (writer, [x], { attributes: { axes, keepDims } }) =>
    writer.emit(op, [x, writer.integers(axes)], { keepdims: keepDims ? 1n : 0n });
}

function bigints(values: readonly number[]): bigint[] {
  return values.map(BigInt);
}

function windowAttributes({ strides, pads }: Convolution | Pooling): Record<string, OnnxAttribute> {
  return { strides: bigints(strides), pads: bigints(pads) };
}

/** How many rows and columns at the end a stride leaves unread. */
function outputPadding(
  size: readonly number[],
  out: Shape,
  kernel: readonly number[],
  { strides, pads }: Convolution | Pooling,
): bigint[] {
  return [0, 1].map((i) => {
    const covered = (Number(out[i]) - 1) * strides[i] + kernel[i] - pads[i] - pads[i + 2];
    return BigInt(size[i] - covered);
  });
}

const matmul: Rule<'matmul'> = (writer, [a, b], node) => {
  const { transA, transB, alpha } = node.attributes;
  const [x, y] = node.inputs;
  if (!transA && !transB && alpha === 1) return writer.emit('MatMul', [a, b]);
  const attributes = { transA: transA ? 1n : 0n, transB: transB ? 1n : 0n, alpha };
  if (x.shape.length === 2 && y.shape.length === 2) return writer.emit('Gemm', [a, b], attributes);
  if (!writer.portable) return writer.emit('FusedMatMul', [a, b], attributes, microsoft);
  const product = writer.emit('MatMul', [
    transA ? swapLast(writer, a, x.shape.length) : a,
    transB ? swapLast(writer, b, y.shape.length) : b,
  ]);
  return alpha === 1 ? product : writer.emit('Mul', [product, writer.scalar(x.dtype, alpha)]);
};

function swapLast(writer: OnnxWriter, x: string, rank: number): string {
  const order = [...Array(rank - 2).keys(), rank - 1, rank - 2];
  return writer.emit('Transpose', [x], { perm: bigints(order) });
}

/** x [n, g * c, h, w] -> [c, g * n, h, w], so that the batch is what a convolution sums over. */
function batchToChannels(writer: OnnxWriter, x: string, shape: Shape, groups: number): string {
  const [n, channels, h, w] = shape;
  const perGroup = Number(channels) / groups;
  const split = reshape(writer, x, [n, groups, perGroup, h, w]);
  const turned = writer.emit('Transpose', [split], { perm: [2n, 1n, 0n, 3n, 4n] });
  return reshape(writer, turned, [perGroup, multiplyDims(groups, n), h, w]);
}

const weightGradient: Rule<'conv2dWeightGradient'> = (writer, [x, dy], node) => {
  const { strides, pads, groups, kernel } = node.attributes;
  const [xValue, dyValue] = node.inputs;
  const [n, channels, h, w] = xValue.shape;
  const [, out, oh, ow] = dyValue.shape;
  const isPointwise =
    groups === 1 && [...kernel, ...strides].every((k) => k === 1) && pads.every((p) => p === 0);
  if (isPointwise) {
    const rows = (v: string, c: Dim, a: Dim, b: Dim) =>
      reshape(writer, v, [n, c, multiplyDims(a, b)]);
    const [left, right] = [rows(dy, out, oh, ow), rows(x, channels, h, w)];
    const each = writer.portable
      ? writer.emit('MatMul', [left, swapLast(writer, right, 3)])
      : writer.emit('FusedMatMul', [left, right], { transB: 1n }, microsoft);
    const sum = writer.emit('ReduceSum', [each, writer.integers([0])], { keepdims: 0n });
    return reshape(writer, sum, node.outputs[0].shape);
  }
  // dw[o, c] = sum over n of x[n, c] convolved with dy[n, o], dilated by the stride.
  const data = batchToChannels(writer, x, xValue.shape, groups);
  const filter = writer.emit('Transpose', [dy], { perm: [1n, 0n, 2n, 3n] });
  const full = writer.emit('Conv', [data, filter], {
    dilations: bigints(strides),
    pads: bigints(pads),
    group: BigInt(groups),
  });
  const cropped = writer.emit('Slice', [
    full,
    writer.integers([0, 0]),
    writer.integers(kernel),
    writer.integers([2, 3]),
  ]);
  return writer.emit('Transpose', [cropped], { perm: [1n, 0n, 2n, 3n] });
};

const averagePoolGradient: Rule<'averagePool2dGradient'> = (writer, [dy], node) => {
  const { kernel, size, ...window } = node.attributes;
  const { dtype, shape } = node.inputs[0];
  const [n, c, oh, ow] = shape;
  const flat = reshape(writer, dy, [multiplyDims(n, c), 1, oh, ow]);
  const area = kernel[0] * kernel[1];
  const ones = writer.tensor('f32', [1, 1, ...kernel], new Float32Array(area).fill(1 / area));
  const weight =
    dtype === 'f32' ? ones : writer.emit('Cast', [ones], { to: BigInt(dtypes[dtype].onnx) });
  const spread = writer.emit('ConvTranspose', [flat, weight], {
    ...windowAttributes({ kernel, ...window }),
    output_padding: outputPadding(size, [oh, ow], kernel, { kernel, ...window }),
  });
  return reshape(writer, spread, node.outputs[0].shape);
};

/** ONNX shifts unsigned integers only. */
const shiftRight: Rule<'shiftRight'> = (writer, [x], { attributes: { bits } }) => {
  const uint32 = 12n;
  const unsigned = writer.emit('Cast', [x], { to: uint32 });
  const by = writer.emit('Cast', [writer.scalar('i32', bits)], { to: uint32 });
  const shifted = writer.emit('BitShift', [unsigned, by], { direction: 'RIGHT' });
  return writer.emit('Cast', [shifted], { to: BigInt(dtypes.i32.onnx) });
};

const logSoftmax: Rule<'logSoftmax'> = (writer, [x], { attributes: { axis } }) => {
  if (!writer.portable) return writer.emit('LogSoftmax', [x], { axis: BigInt(axis) });
  const along = [writer.integers([axis])];
  const top = writer.emit('ReduceMax', [x, ...along], { keepdims: 1n });
  const centred = writer.emit('Sub', [x, top]);
  const powers = writer.emit('Exp', [centred]);
  const sum = writer.emit('ReduceSum', [powers, ...along], { keepdims: 1n });
  return writer.emit('Sub', [centred, writer.emit('Log', [sum])]);
};

const layerNorm: Rule<'layerNorm'> = (writer, inputs, node) => {
  const attributes = { axis: -1n, epsilon: node.attributes.epsilon };
  const outputs = writer.emitAll('LayerNormalization', inputs, { attributes, outputs: 3 });
  const { dtype } = node.outputs[0];
  // The mean and deviation of f16 rows come as f32.
  return dtype === 'f32'
    ? outputs
    : outputs.map((value, i) => (i === 0 ? value : castTo(writer, value, dtype)));
};

/** ONNX Runtime's CPU adds up f32 and integers, not f16. */
const scatterAddElements: Rule<'scatterAddElements'> = (writer, [data, indices, updates], node) => {
  const attributes = { axis: BigInt(node.attributes.axis), reduction: 'add' };
  const { dtype } = node.outputs[0];
  if (dtype !== 'f16') return writer.emit('ScatterElements', [data, indices, updates], attributes);
  const [wideData, wideUpdates] = [data, updates].map((value) => castTo(writer, value, 'f32'));
  const sum = writer.emit('ScatterElements', [wideData, indices, wideUpdates], attributes);
  return castTo(writer, sum, 'f16');
};

const dynamicQuantizeMatmul: Rule<'dynamicQuantizeMatmul'> = (writer, inputs) => {
  if (!writer.standardOps) return writer.emit('DynamicQuantizeMatMul', inputs, {}, microsoft);
  const [a, b, scale] = inputs;
  const [bytes, ofBytes, zero] = writer.emitAll('DynamicQuantizeLinear', [a], { outputs: 3 });
  const product = castTo(writer, writer.emit('MatMulInteger', [bytes, b, zero]), 'f32');
  return writer.emit('Mul', [product, writer.emit('Mul', [ofBytes, scale])]);
};

function castTo(writer: OnnxWriter, value: string, dtype: DType): string {
  return writer.emit('Cast', [value], { to: BigInt(dtypes[dtype].onnx) });
}

const toI32 = { to: BigInt(dtypes.i32.onnx) };

export const onnxRules: { readonly [Op in Exclude<OpName, LeafName>]: Rule<Op> } = {
  full: (writer, _, { attributes: { dtype, shape, value } }) => {
    const data = dtypes[dtype].create(1);
    if (data instanceof BigInt64Array) data[0] = BigInt(value);
    else if (dtype === 'f16') data[0] = f32ToF16Bits(value);
    else data[0] = value;
    const bytes = new Uint8Array(data.buffer);
    return writer.emit('ConstantOfShape', [writer.shape(shape)], {
      value: rawTensor('', dtype, [1], bytes),
    });
  },
  iota: (writer, _, { attributes: { length } }) => {
    const size = writer.emit('Squeeze', [writer.size(length), writer.integers([0])]);
    const end = writer.emit('Cast', [size], toI32);
    return writer.emit('Range', [writer.scalar('i32', 0), end, writer.scalar('i32', 1)]);
  },
  dimension: (writer, _, { attributes: { size } }) =>
    writer.emit('Cast', [writer.emit('Squeeze', [writer.size(size), writer.integers([0])])], toI32),

  neg: direct('Neg'),
  abs: direct('Abs'),
  exp: direct('Exp'),
  log: direct('Log'),
  sqrt: direct('Sqrt'),
  reciprocal: direct('Reciprocal'),
  erf: direct('Erf'),
  tanh: direct('Tanh'),
  sigmoid: direct('Sigmoid'),
  relu: direct('Relu'),
  gelu: (writer, inputs) => writer.emit('Gelu', inputs, {}, writer.standardOps ? '' : microsoft),
  softplus: direct('Softplus'),
  sign: direct('Sign'),
  floor: direct('Floor'),
  round: direct('Round'),
  sin: direct('Sin'),
  cos: direct('Cos'),
  clip: (writer, [x], { inputs: [{ dtype }], attributes: { min, max } }) =>
    writer.emit('Clip', [x, writer.scalar(dtype, min), writer.scalar(dtype, max)]),
  not: direct('Not'),
  isFinite: (writer, [x], { inputs: [{ dtype }] }) =>
    writer.emit('Less', [writer.emit('Abs', [x]), writer.scalar(dtype, Number.POSITIVE_INFINITY)]),
  cast: (writer, [x], { attributes: { dtype } }) =>
    writer.emit('Cast', [x], { to: BigInt(dtypes[dtype].onnx) }),
  stopGradient: direct('Identity'),

  add: direct('Add'),
  sub: direct('Sub'),
  mul: direct('Mul'),
  div: direct('Div'),
  pow: direct('Pow'),
  minimum: direct('Min'),
  maximum: direct('Max'),
  equal: direct('Equal'),
  less: direct('Less'),
  lessOrEqual: direct('LessOrEqual'),
  greater: direct('Greater'),
  greaterOrEqual: direct('GreaterOrEqual'),
  and: direct('And'),
  or: direct('Or'),
  where: direct('Where'),
  bitwiseAnd: direct('BitwiseAnd'),
  bitwiseXor: direct('BitwiseXor'),
  shiftRight,

  matmul,
  reduceSum: reduce('ReduceSum'),
  reduceMean: reduce('ReduceMean'),
  reduceMax: reduce('ReduceMax'),
  reduceMin: reduce('ReduceMin'),
  argMax: (writer, [x], { attributes: { axis, keepDims } }) => {
    const index = writer.emit('ArgMax', [x], { axis: BigInt(axis), keepdims: keepDims ? 1n : 0n });
    return writer.emit('Cast', [index], toI32);
  },
  softmax: (writer, [x], { attributes: { axis } }) =>
    writer.emit('Softmax', [x], { axis: BigInt(axis) }),
  logSoftmax,
  layerNorm,
  cumulativeSum: (writer, [x], { attributes: { axis, reverse } }) =>
    writer.emit('CumSum', [x, writer.scalar('i64', axis)], { reverse: reverse ? 1n : 0n }),
  topK: (writer, [x], { attributes: { axis, k } }) => {
    const [values, indices] = writer.emitAll('TopK', [x, writer.integers([k])], {
      attributes: { axis: BigInt(axis) },
      outputs: 2,
    });
    return [values, writer.emit('Cast', [indices], toI32)];
  },

  reshape: (writer, [x], { attributes: { shape } }) => reshape(writer, x, shape),
  transpose: (writer, [x], { attributes: { permutation } }) =>
    writer.emit('Transpose', [x], { perm: bigints(permutation) }),
  expand: (writer, [x], { attributes: { shape } }) =>
    writer.emit('Expand', [x, writer.shape(shape)]),
  slice: (writer, [x], { attributes: { starts, ends, axes } }) =>
    writer.emit('Slice', [x, writer.shape(starts), writer.shape(ends), writer.integers(axes)]),
  concat: (writer, inputs, { attributes: { axis } }) =>
    writer.emit('Concat', inputs, { axis: BigInt(axis) }),
  split: (writer, [x], { attributes: { axis, sizes } }) =>
    writer.emitAll('Split', [x, writer.integers(sizes)], {
      attributes: { axis: BigInt(axis) },
      outputs: sizes.length,
    }),
  pad: (writer, [x], { inputs: [{ dtype }], attributes: { before, after, value } }) =>
    writer.emit('Pad', [x, writer.shape([...before, ...after]), writer.scalar(dtype, value)]),
  gather: (writer, inputs, { attributes: { axis } }) =>
    writer.emit('Gather', inputs, { axis: BigInt(axis) }),
  gatherElements: (writer, inputs, { attributes: { axis } }) =>
    writer.emit('GatherElements', inputs, { axis: BigInt(axis) }),
  scatterAddElements,
  oneHot: (writer, [indices], { inputs: [{ dtype: index }], attributes: { depth, dtype } }) => {
    const classes = dtypes[index].create(depth);
    for (let i = 0; i < depth; i++) classes[i] = index === 'i64' ? BigInt(i) : i;
    const column = writer.emit('Unsqueeze', [indices, writer.integers([-1])]);
    const hit = writer.emit('Equal', [column, writer.tensor(index, [depth], classes)]);
    return writer.emit('Cast', [hit], { to: BigInt(dtypes[dtype].onnx) });
  },

  conv2d: (writer, inputs, { attributes }) =>
    writer.emit('Conv', inputs, {
      ...windowAttributes(attributes),
      group: BigInt(attributes.groups),
    }),
  conv2dInputGradient: (writer, inputs, node) => {
    const { groups, size } = node.attributes;
    const [dy, weight] = node.inputs;
    const kernel = weight.shape.slice(2).map(Number);
    return writer.emit('ConvTranspose', inputs, {
      ...windowAttributes(node.attributes),
      group: BigInt(groups),
      output_padding: outputPadding(size, dy.shape.slice(2), kernel, node.attributes),
    });
  },
  conv2dWeightGradient: weightGradient,
  averagePool2d: (writer, [x], { attributes }) =>
    writer.emit('AveragePool', [x], {
      ...windowAttributes(attributes),
      kernel_shape: bigints(attributes.kernel),
      count_include_pad: 1n,
    }),
  averagePool2dGradient: averagePoolGradient,

  dynamicQuantizeMatmul,
  // The standard has no such op.
  blockQuantizedMatmul: (writer, inputs, { inputs: [a, b], outputs: [y], attributes }) => {
    const { block, rounded } = attributes;
    const [columns, rows] = [a, y].map(({ shape }) => BigInt(Number(shape.at(-1))));
    const bits = b.shape[2] === block ? 8n : 4n;
    // Level 4 is its name for 8-bit sums.
    const level = rounded ? { accuracy_level: 4n } : {};
    const sizes = { K: columns, N: rows, bits, block_size: BigInt(block), ...level };
    return writer.emit('MatMulNBits', inputs, sizes, microsoft);
  },
  quantizeLinear: (writer, [x, scale]) =>
    writer.emit('QuantizeLinear', [x, scale, writer.scalar('i8', 0)]),
  dequantizeLinear: (writer, inputs, { inputs: [, scale] }) =>
    writer.emit('DequantizeLinear', inputs, scale.shape.length === 1 ? { axis: 0n } : {}),
};

/**
 * A reshape: one open dimension is written as -1, so that no size need be computed. Elsewhere a 0
 * means an empty dimension, not ONNX's "as in the input".
 */
function reshape(writer: OnnxWriter, x: string, shape: Shape): string {
  const open = shape.filter((d) => typeof d !== 'number').length;
  if (open === 1 && !shape.includes(0)) {
    const target = shape.map((d) => (typeof d === 'number' ? d : -1));
    return writer.emit('Reshape', [x, writer.integers(target)]);
  }
  const allowzero = open > 0 || shape.includes(0) ? { allowzero: 1n } : {};
  return writer.emit('Reshape', [x, writer.shape(shape)], allowzero);
}
