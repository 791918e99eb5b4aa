/** Shape and dtype rules: what each op accepts, and what it gives. One entry an op; none can be missing. */
import { type DType, holds, isFloat } from './dtype.ts';
import type { Convolution, OpAttributes, OpName, Window2d } from './op-names.ts';
import {
  addDims,
  broadcast,
  type Dim,
  dim,
  printShape,
  type Shape,
  sameShape,
  sizeOf,
  subtractDims,
  type TensorType,
} from './shape.ts';

type Rule<Op extends OpName> = (
  inputs: readonly TensorType[],
  attributes: OpAttributes[Op],
) => TensorType | TensorType[];

/** The dtypes and shapes of an op's outputs. @throws TypeError or RangeError saying what does not fit. */
export function infer<Op extends OpName>(
  op: Op,
  inputs: readonly TensorType[],
  attributes: OpAttributes[Op],
): TensorType[] {
  const result = rules[op](inputs, attributes);
  return Array.isArray(result) ? result : [result];
}

function want(condition: boolean, message: string): asserts condition {
  if (!condition) throw new TypeError(message);
}

function wantFloat(...inputs: TensorType[]): void {
  for (const t of inputs) want(isFloat(t.dtype), `needs floating point, not ${t.dtype}`);
}

/** Dtypes that ONNX Runtime's CPU provider has kernels for. */
function wantDType(t: TensorType, allowed: readonly DType[]): void {
  want(
    allowed.includes(t.dtype),
    `needs ${allowed.slice(0, -1).join(', ')} or ${allowed.at(-1)}, not ${t.dtype}; cast it`,
  );
}

/** A number that an op brings along must be one of the dtype's own. */
function wantElement(value: number, dtype: DType, what: string): void {
  want(holds(dtype, value), `the ${what} ${value} is no ${dtype}`);
}

function wantAxis(axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < 0 || axis >= rank)
    throw new RangeError(`axis ${axis} is outside a tensor of ${rank} dimensions`);
  return axis;
}

function wantSameDType(inputs: readonly TensorType[]): void {
  for (const t of inputs)
    want(
      t.dtype === inputs[0].dtype,
      `dtypes differ: ${inputs.map((i) => i.dtype).join(' and ')}; cast one`,
    );
}

function broadcastAll(inputs: readonly TensorType[]): Shape {
  return inputs.reduce<Shape>((shape, t) => {
    const result = broadcast(shape, t.shape);
    want(
      result !== undefined,
      `shapes ${inputs.map((i) => printShape(i.shape)).join(' and ')} do not broadcast`,
    );
    return result;
  }, []);
}

/** One number, or one for each place of the first dimension. */
function isScaleOf(shape: Shape, scale: Shape): boolean {
  return scale.length === 0 || (scale.length === 1 && scale[0] === shape[0]);
}

const floatUnary = ([x]: readonly TensorType[]): TensorType => {
  wantFloat(x);
  return { dtype: x.dtype, shape: x.shape };
};

const numericUnary = ([x]: readonly TensorType[]): TensorType => {
  want(x.dtype !== 'bool', 'needs numbers, not bool');
  return { dtype: x.dtype, shape: x.shape };
};

const arithmetic = (inputs: readonly TensorType[]): TensorType => {
  wantSameDType(inputs);
  want(inputs[0].dtype !== 'bool', 'needs numbers, not bool');
  return { dtype: inputs[0].dtype, shape: broadcastAll(inputs) };
};

const equality = (inputs: readonly TensorType[]): TensorType => {
  wantSameDType(inputs);
  return { dtype: 'bool', shape: broadcastAll(inputs) };
};

const comparison = (inputs: readonly TensorType[]): TensorType => {
  want(inputs[0].dtype !== 'bool', 'needs numbers, not bool');
  return equality(inputs);
};

const logical = (inputs: readonly TensorType[]): TensorType => {
  for (const t of inputs) want(t.dtype === 'bool', `needs bool, not ${t.dtype}`);
  return { dtype: 'bool', shape: broadcastAll(inputs) };
};

const bitwise = (inputs: readonly TensorType[]): TensorType => {
  for (const t of inputs) want(t.dtype === 'i32', `needs i32, not ${t.dtype}`);
  return { dtype: 'i32', shape: broadcastAll(inputs) };
};

const reduction = (
  [x]: readonly TensorType[],
  { axes, keepDims }: OpAttributes['reduceSum'],
): TensorType => {
  want(x.dtype !== 'bool', 'needs numbers, not bool');
  want(axes.length > 0, 'needs at least one axis');
  for (const axis of axes) wantAxis(axis, x.shape.length);
  want(new Set(axes).size === axes.length, `names an axis twice: ${axes.join(', ')}`);
  const shape = x.shape.flatMap((d, i) => (axes.includes(i) ? (keepDims ? [1] : []) : [d]));
  return { dtype: x.dtype, shape };
};

const alongAxis = ([x]: readonly TensorType[], { axis }: { axis: number }): TensorType => {
  wantFloat(x);
  wantAxis(axis, x.shape.length);
  return { dtype: x.dtype, shape: x.shape };
};

function wantIndices(t: TensorType): void {
  want(t.dtype === 'i32' || t.dtype === 'i64', `indices must be i32 or i64, not ${t.dtype}`);
}

function wantRank(t: TensorType, rank: number): void {
  want(t.shape.length === rank, `needs ${rank} dimensions, not ${printShape(t.shape)}`);
}

/** Output height and width of a sliding window. */
function windowSize(
  size: readonly Dim[],
  kernel: readonly Dim[],
  { strides, pads }: Window2d,
): number[] {
  want(
    strides.every((s) => Number.isInteger(s) && s >= 1),
    `strides [${strides}] must be whole numbers from 1 on`,
  );
  want(
    pads.every((p) => Number.isInteger(p) && p >= 0),
    `pads [${pads}] must be whole numbers from 0 on`,
  );
  return [0, 1].map((i) => {
    const full = size[i];
    const k = kernel[i];
    want(typeof full === 'number' && typeof k === 'number', 'height and width must be numbers');
    const padded = full + pads[i] + pads[i + 2];
    want(k <= padded, `a kernel of ${k} does not fit into ${padded}`);
    return Math.floor((padded - k) / strides[i]) + 1;
  });
}

function convolved(x: Shape, weight: Shape, attributes: Convolution): Shape {
  const { groups } = attributes;
  want(
    x.length === 4 && weight.length === 4,
    'needs x [n, c, h, w] and weight [out, c / groups, kh, kw]',
  );
  const [channels, perGroup, out] = [x[1], weight[1], weight[0]];
  want(
    typeof channels === 'number' && typeof perGroup === 'number' && typeof out === 'number',
    'channels must be numbers',
  );
  want(
    perGroup * groups === channels && out % groups === 0,
    `${groups} groups of ${perGroup} channels do not fit ${channels} inputs and ${out} outputs`,
  );
  return [x[0], out, ...windowSize(x.slice(2), weight.slice(2), attributes)];
}

const summable = ['f32', 'f16', 'i64', 'i32'] as const;

const rules: { readonly [Op in OpName]: Rule<Op> } = {
  input: (_, { dtype, shape }) => ({ dtype, shape: shape.map(dim) }),
  parameter: (_, { dtype, shape }) => ({ dtype, shape: shape.map(dim) }),
  constant: (_, { dtype, shape, data }) => {
    want(data.length === sizeOf(shape), `${data.length} elements do not fill ${printShape(shape)}`);
    return { dtype, shape };
  },
  full: (_, { dtype, shape, value }) => {
    wantElement(value, dtype, 'value');
    return { dtype, shape: shape.map(dim) };
  },
  iota: (_, { length }) => ({ dtype: 'i32', shape: [dim(length)] }),
  dimension: () => ({ dtype: 'i32', shape: [] }),

  neg: ([x]) => {
    want(x.dtype !== 'u8', 'needs signed numbers, not u8; cast it');
    return numericUnary([x]);
  },
  abs: numericUnary,
  exp: floatUnary,
  log: floatUnary,
  sqrt: floatUnary,
  reciprocal: floatUnary,
  erf: floatUnary,
  tanh: floatUnary,
  sigmoid: floatUnary,
  relu: floatUnary,
  gelu: floatUnary,
  softplus: floatUnary,
  sign: numericUnary,
  floor: floatUnary,
  round: floatUnary,
  sin: floatUnary,
  cos: floatUnary,
  clip: ([x], { min, max }) => {
    want(min <= max, `min ${min} is above max ${max}`);
    wantElement(min, x.dtype, 'min');
    wantElement(max, x.dtype, 'max');
    return numericUnary([x]);
  },
  not: logical,
  isFinite: ([x]) => {
    wantFloat(x);
    return { dtype: 'bool', shape: x.shape };
  },
  cast: ([x], { dtype }) => ({ dtype, shape: x.shape }),
  stopGradient: ([x]) => ({ dtype: x.dtype, shape: x.shape }),

  add: arithmetic,
  sub: arithmetic,
  mul: arithmetic,
  div: arithmetic,
  pow: (inputs) => {
    wantFloat(...inputs);
    return arithmetic(inputs);
  },
  minimum: arithmetic,
  maximum: arithmetic,
  equal: equality,
  less: comparison,
  lessOrEqual: comparison,
  greater: comparison,
  greaterOrEqual: comparison,
  and: logical,
  or: logical,
  where: ([condition, a, b]) => {
    want(condition.dtype === 'bool', `the condition must be bool, not ${condition.dtype}`);
    wantSameDType([a, b]);
    wantDType(a, ['f32', 'f16', 'i64', 'i32', 'u8']);
    return { dtype: a.dtype, shape: broadcastAll([condition, a, b]) };
  },
  bitwiseAnd: bitwise,
  bitwiseXor: bitwise,
  shiftRight: ([x], { bits }) => {
    want(Number.isInteger(bits) && bits > 0 && bits < 32, `cannot shift 32 bits by ${bits}`);
    return bitwise([x]);
  },

  matmul: ([a, b], { transA, transB }) => {
    wantFloat(a);
    wantSameDType([a, b]);
    want(a.shape.length >= 2 && b.shape.length >= 2, 'both need at least 2 dimensions');
    const [rows, inner] = transA
      ? [a.shape.at(-1), a.shape.at(-2)]
      : [a.shape.at(-2), a.shape.at(-1)];
    const [inner2, columns] = transB
      ? [b.shape.at(-1), b.shape.at(-2)]
      : [b.shape.at(-2), b.shape.at(-1)];
    want(inner === inner2, `inner dimensions differ: ${inner} and ${inner2}`);
    const batch = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
    want(batch !== undefined, 'leading dimensions do not broadcast');
    return { dtype: a.dtype, shape: [...batch, rows ?? 1, columns ?? 1] };
  },
  reduceSum: (inputs, attributes) => {
    wantDType(inputs[0], summable);
    return reduction(inputs, attributes);
  },
  reduceMean: (inputs, attributes) => {
    wantFloat(inputs[0]);
    return reduction(inputs, attributes);
  },
  reduceMax: reduction,
  reduceMin: reduction,
  argMax: (inputs, { axis, keepDims }) => ({
    dtype: 'i32',
    shape: reduction(inputs, { axes: [axis], keepDims }).shape,
  }),
  softmax: alongAxis,
  logSoftmax: alongAxis,
  layerNorm: ([x, scale, bias]) => {
    wantFloat(x);
    wantSameDType([x, scale, bias]);
    const width = x.shape.slice(-1);
    want(
      sameShape(scale.shape, width) && sameShape(bias.shape, width),
      `scale and bias must have the shape ${printShape(width)}`,
    );
    const row = { dtype: x.dtype, shape: [...x.shape.slice(0, -1), 1] };
    return [{ dtype: x.dtype, shape: x.shape }, row, row];
  },
  cumulativeSum: ([x], { axis }) => {
    wantDType(x, summable);
    wantAxis(axis, x.shape.length);
    return numericUnary([x]);
  },
  topK: ([x], { axis, k }) => {
    const size = x.shape[wantAxis(axis, x.shape.length)];
    want(typeof size !== 'number' || k <= size, `cannot take ${k} of ${size}`);
    want(k >= 1, 'k must be at least 1');
    const shape = x.shape.map((d, i) => (i === axis ? k : d));
    return [numericUnary([{ dtype: x.dtype, shape }]), { dtype: 'i32', shape }];
  },

  reshape: ([x], { shape }) => {
    const size = sizeOf(x.shape);
    want(!shape.includes(-1), `${size} elements do not fill ${printShape(shape)}`);
    const target = shape.map(dim);
    want(sizeOf(target) === size, `${size} elements do not fill ${printShape(target)}`);
    return { dtype: x.dtype, shape: target };
  },
  transpose: ([x], { permutation }) => {
    want(
      permutation.length === x.shape.length && new Set(permutation).size === permutation.length,
      `${printShape(permutation)} is no permutation of ${x.shape.length} dimensions`,
    );
    return {
      dtype: x.dtype,
      shape: permutation.map((axis) => x.shape[wantAxis(axis, x.shape.length)]),
    };
  },
  expand: ([x], { shape }) => {
    const target = shape.map(dim);
    const result = broadcast(x.shape, target);
    want(
      result !== undefined && sameShape(result, target),
      `cannot be expanded to ${printShape(target)}`,
    );
    return { dtype: x.dtype, shape: target };
  },
  slice: ([x], { starts, ends, axes }) => {
    const shape = [...x.shape];
    for (const [i, axis] of axes.entries()) {
      const size = x.shape[wantAxis(axis, x.shape.length)];
      const [start, end] = [starts[i], ends[i]];
      want(
        typeof start !== 'number' || typeof end !== 'number' || (start >= 0 && start <= end),
        `start ${start} lies behind end ${end}`,
      );
      want(
        typeof end !== 'number' || typeof size !== 'number' || end <= size,
        `end ${end} lies outside axis ${axis} of ${size}`,
      );
      shape[axis] = subtractDims(end, start);
    }
    return { dtype: x.dtype, shape };
  },
  concat: (inputs, { axis }) => {
    want(inputs.length > 0, 'needs at least one input');
    wantSameDType(inputs);
    wantAxis(axis, inputs[0].shape.length);
    for (const t of inputs)
      want(
        t.shape.length === inputs[0].shape.length &&
          t.shape.every((d, i) => i === axis || d === inputs[0].shape[i]),
        `shapes may differ along axis ${axis} alone`,
      );
    const joined = inputs.map((t) => t.shape[axis]).reduce(addDims);
    return {
      dtype: inputs[0].dtype,
      shape: inputs[0].shape.map((d, i) => (i === axis ? joined : d)),
    };
  },
  split: ([x], { axis, sizes }) => {
    const whole = x.shape[wantAxis(axis, x.shape.length)];
    const sum = sizes.reduce((a, b) => a + b, 0);
    want(
      sum === whole && sizes.every((size) => Number.isInteger(size) && size >= 0),
      `parts of ${sizes.join(' + ')} do not make ${whole}`,
    );
    return sizes.map((size) => ({
      dtype: x.dtype,
      shape: x.shape.map((d, i) => (i === axis ? size : d)),
    }));
  },
  pad: ([x], { before, after, value }) => {
    wantElement(value, x.dtype, 'value');
    want(
      before.length === x.shape.length && after.length === x.shape.length,
      `needs a number before and after each of ${x.shape.length} dimensions`,
    );
    want(
      [...before, ...after].every((d) => typeof d !== 'number' || (Number.isInteger(d) && d >= 0)),
      `adds copies, whole numbers of at least 0, not ${before.join(', ')} and ${after.join(', ')}; take parts away with slice`,
    );
    return {
      dtype: x.dtype,
      shape: x.shape.map((d, i) => addDims(addDims(before[i], d), after[i])),
    };
  },
  gather: ([data, indices], { axis }) => {
    wantIndices(indices);
    wantAxis(axis, data.shape.length);
    const shape = [...data.shape.slice(0, axis), ...indices.shape, ...data.shape.slice(axis + 1)];
    return { dtype: data.dtype, shape };
  },
  gatherElements: ([data, indices], { axis }) => {
    wantIndices(indices);
    wantRank(indices, data.shape.length);
    wantAxis(axis, data.shape.length);
    return { dtype: data.dtype, shape: indices.shape };
  },
  scatterAddElements: ([data, indices, updates], { axis }) => {
    wantIndices(indices);
    wantSameDType([data, updates]);
    want(data.dtype !== 'bool', 'needs numbers, not bool');
    wantRank(indices, data.shape.length);
    wantAxis(axis, data.shape.length);
    want(sameShape(indices.shape, updates.shape), 'indices and updates must have the same shape');
    return { dtype: data.dtype, shape: data.shape };
  },
  oneHot: ([indices], { depth, dtype }) => {
    wantIndices(indices);
    return { dtype, shape: [...indices.shape, dim(depth)] };
  },

  conv2d: ([x, weight], attributes) => {
    wantFloat(x);
    wantSameDType([x, weight]);
    return { dtype: x.dtype, shape: convolved(x.shape, weight.shape, attributes) };
  },
  conv2dInputGradient: ([dy, weight], attributes) => {
    wantFloat(dy);
    wantSameDType([dy, weight]);
    wantRank(dy, 4);
    wantRank(weight, 4);
    const channels = weight.shape[1];
    want(typeof channels === 'number', 'channels must be numbers');
    const shape = [dy.shape[0], channels * attributes.groups, ...attributes.size];
    want(
      sameShape(convolved(shape, weight.shape, attributes), dy.shape),
      `dy does not fit an input of ${printShape(shape)}`,
    );
    return { dtype: dy.dtype, shape };
  },
  conv2dWeightGradient: ([x, dy], attributes) => {
    wantFloat(x);
    wantSameDType([x, dy]);
    wantRank(x, 4);
    wantRank(dy, 4);
    const channels = x.shape[1];
    want(typeof channels === 'number', 'channels must be numbers');
    const shape = [dy.shape[1], channels / attributes.groups, ...attributes.kernel];
    want(
      sameShape(convolved(x.shape, shape, attributes), dy.shape),
      `dy does not fit a weight of ${printShape(shape)}`,
    );
    return { dtype: x.dtype, shape };
  },
  averagePool2d: ([x], attributes) => {
    const { kernel, pads } = attributes;
    wantFloat(x);
    wantRank(x, 4);
    want(
      pads.every((p, i) => p < kernel[i % 2]),
      `pads [${pads}] must be smaller than the kernel [${kernel}]`,
    );
    const size = windowSize(x.shape.slice(2), attributes.kernel, attributes);
    return { dtype: x.dtype, shape: [...x.shape.slice(0, 2), ...size] };
  },
  averagePool2dGradient: ([dy], attributes) => {
    wantFloat(dy);
    wantRank(dy, 4);
    const shape = [...dy.shape.slice(0, 2), ...attributes.size];
    const expected = windowSize(attributes.size, attributes.kernel, attributes);
    want(
      sameShape(expected, dy.shape.slice(2)),
      `dy does not fit an input of ${printShape(shape)}`,
    );
    return { dtype: dy.dtype, shape };
  },

  dynamicQuantizeMatmul: ([a, b, scale]) => {
    want(
      a.dtype === 'f32' && b.dtype === 'i8' && scale.dtype === 'f32',
      'needs f32, i8 and f32 scales',
    );
    wantRank(b, 2);
    want(
      a.shape.at(-1) === b.shape[0],
      `inner dimensions differ: ${a.shape.at(-1)} and ${b.shape[0]}`,
    );
    want(sameShape(scale.shape, [b.shape[1]]), `needs a scale for each of ${b.shape[1]} columns`);
    return { dtype: 'f32', shape: [...a.shape.slice(0, -1), b.shape[1]] };
  },
  blockQuantizedMatmul: ([a, b, scale], { block }) => {
    want(
      a.dtype === 'f32' && b.dtype === 'u8' && scale.dtype === 'f32',
      'needs f32, u8 and f32 scales',
    );
    want(
      block >= 16 && Number.isInteger(Math.log2(block)),
      `no blocks of ${block}: 16, 32, 64, ...`,
    );
    wantRank(b, 3);
    const [rows, blocks] = b.shape.map(Number);
    const inner = a.shape.at(-1);
    const isWhole = b.shape[2] === block / 2 || b.shape[2] === block;
    want(
      typeof inner === 'number' && Math.ceil(inner / block) === blocks && isWhole,
      `${inner} columns do not fit ${printShape(b.shape)} in blocks of ${block}`,
    );
    want(
      sameShape(scale.shape, [rows * blocks]),
      `needs a scale for each of ${rows * blocks} blocks`,
    );
    return { dtype: 'f32', shape: [...a.shape.slice(0, -1), rows] };
  },
  quantizeLinear: ([x, scale]) => {
    want(
      x.dtype === 'f32' && scale.dtype === 'f32' && scale.shape.length === 0,
      'needs f32 and a scalar scale',
    );
    return { dtype: 'i8', shape: x.shape };
  },
  dequantizeLinear: ([x, scale]) => {
    want(
      x.dtype === 'i8' && scale.dtype === 'f32' && isScaleOf(x.shape, scale.shape),
      'needs i8 and a scale, one for all or one a row',
    );
    return { dtype: 'f32', shape: x.shape };
  },
};
