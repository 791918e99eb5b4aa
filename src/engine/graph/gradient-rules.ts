/**
 * The gradient of every op: from the node and the gradients of its outputs to those of its inputs.
 * y is the node's output, dy its gradient. `null` says that an op is not differentiable.
 */
import type { NodeOf, Value } from './graph.ts';
import { make } from './graph.ts';
import type { OpName } from './op-names.ts';
import {
  add,
  and,
  averagePool2d,
  cast,
  concat,
  conv2d,
  cos,
  cumulativeSum,
  dimension,
  div,
  equal,
  erf,
  exp,
  expand,
  full,
  gatherElements,
  greater,
  less,
  log,
  matmul,
  mul,
  neg,
  pad,
  pow,
  reduceMean,
  reduceSum,
  reshape,
  scatterAddElements,
  sigmoid,
  sign,
  sin,
  slice,
  square,
  stopGradient,
  sub,
  transpose,
  where,
} from './ops.ts';
import {
  addDims,
  type Dim,
  multiplyDims,
  type Shape,
  sameShape,
  sizeOf,
  subtractDims,
} from './shape.ts';

type Rule<Op extends OpName> = (
  node: NodeOf<Op>,
  dy: Value,
  ...more: (Value | undefined)[]
) => (Value | undefined)[];

/** Adds up `gradient` over the dimensions that broadcasting had repeated. */
export function unbroadcast(gradient: Value, shape: Shape): Value {
  if (sameShape(gradient.shape, shape)) return gradient;
  const extra = gradient.shape.length - shape.length;
  const axes = [...gradient.shape.keys()].filter(
    (i) => i < extra || (shape[i - extra] === 1 && gradient.shape[i] !== 1),
  );
  return reshape(reduceSum(gradient, axes, true), shape);
}

/** A rule for an element-wise op of two inputs: what each contributes before un-broadcasting. */
function elementwise<Op extends 'add' | 'sub' | 'mul' | 'div' | 'pow' | 'minimum' | 'maximum'>(
  rule: (a: Value, b: Value, dy: Value, y: Value) => [Value, Value],
): Rule<Op> {
  return ({ inputs: [a, b], outputs: [y] }, dy) => {
    const [da, db] = rule(a, b, dy, y);
    return [unbroadcast(da, a.shape), unbroadcast(db, b.shape)];
  };
}

/** The number of elements that a reduction over `axes` merges, as a divisor. */
function countOf(x: Value, axes: readonly number[]): Value | number {
  const count = axes.map((axis) => x.shape[axis]).reduce<Dim>(multiplyDims, 1);
  return typeof count === 'number' ? count : cast(dimension(count), x.dtype);
}

/** Puts a reduced dimension back as 1 and repeats it. */
function unreduce(x: Value, reduced: Value, axes: readonly number[]): Value {
  const kept = x.shape.map((d, i) => (axes.includes(i) ? 1 : d));
  return expand(reshape(reduced, kept), x.shape);
}

function extremum(
  { inputs: [x], outputs: [y], attributes: { axes } }: NodeOf<'reduceMax' | 'reduceMin'>,
  dy: Value,
) {
  // Equal elements share the gradient, as in PyTorch's amax.
  const hit = cast(equal(x, unreduce(x, y, axes)), x.dtype);
  const share = div(hit, reduceSum(hit, axes, true));
  return [mul(share, unreduce(x, dy, axes))];
}

/** 1 where a > b, 1/2 where they are equal. */
function wins(a: Value, b: Value): Value {
  return add(cast(greater(a, b), a.dtype), mul(cast(equal(a, b), a.dtype), 0.5));
}

/** Rows of a and dy as matrices, when b is one matrix for all of a's leading dimensions. */
function asRows(x: Value): Value {
  const rows = sizeOf(x.shape.slice(0, -1));
  return reshape(x, [rows, x.shape[x.shape.length - 1]]);
}

const matmulRule: Rule<'matmul'> = (
  { inputs: [a, b], attributes: { transA, transB, alpha } },
  dy,
) => {
  const da = transA
    ? matmul(b, dy, { transA: transB, transB: true, alpha })
    : matmul(dy, b, { transB: !transB, alpha });
  if (b.shape.length === 2 && a.shape.length > 2 && !transA) {
    const [rows, dRows] = [asRows(a), asRows(dy)];
    const db = transB
      ? matmul(dRows, rows, { transA: true, alpha })
      : matmul(rows, dRows, { transA: true, alpha });
    return [unbroadcast(da, a.shape), db];
  }
  const db = transB
    ? matmul(dy, a, { transA: true, transB: transA, alpha })
    : matmul(a, dy, { transA: !transA, alpha });
  return [unbroadcast(da, a.shape), unbroadcast(db, b.shape)];
};

const layerNormRule: Rule<'layerNorm'> = (
  { inputs: [x, scale, bias], outputs: [, mean, deviation] },
  dy: Value | undefined,
  dMean,
  dDeviation,
) => {
  // r = 1 / s, xh = (x - mean) r;  dx = r (g - mean(g) - xh mean(g xh))  with g = dy scale
  const normal = mul(sub(x, mean), deviation);
  const parts: Value[] = [];
  if (dy) {
    const g = mul(dy, scale);
    const along = mul(normal, reduceMean(mul(g, normal), [-1], true));
    parts.push(mul(sub(g, add(reduceMean(g, [-1], true), along)), deviation));
  }
  // Gradients of gradients reach the other two outputs: d mean / dx = 1 / n, dr / dx = -r^2 xh / n.
  const width = countOf(x, [x.shape.length - 1]);
  if (dMean) parts.push(expand(div(dMean, width), x.shape));
  if (dDeviation) parts.push(neg(mul(normal, div(mul(square(deviation), dDeviation), width))));
  return [
    parts.reduce((a, b) => add(a, b)),
    dy && unbroadcast(mul(dy, normal), scale.shape),
    dy && unbroadcast(dy, bias.shape),
  ];
};

const gatherRule: Rule<'gather'> = ({ inputs: [data, indices], attributes: { axis } }, dy) => {
  const count = sizeOf(indices.shape);
  const shape = [...data.shape.slice(0, axis), count, ...data.shape.slice(axis + 1)];
  const along = shape.map((_, i) => (i === axis ? count : 1));
  const places = expand(reshape(indices, along), shape);
  return [
    scatterAddElements(full(data.shape, 0, data.dtype), places, reshape(dy, shape), axis),
    undefined,
  ];
};

const sliceRule: Rule<'slice'> = ({ inputs: [x], attributes: { starts, ends, axes } }, dy) => {
  const before: Dim[] = x.shape.map(() => 0);
  const after: Dim[] = x.shape.map(() => 0);
  for (const [i, axis] of axes.entries()) {
    before[axis] = starts[i];
    after[axis] = subtractDims(x.shape[axis], ends[i]);
  }
  return [pad(dy, before, after)];
};

const concatRule: Rule<'concat'> = ({ inputs, attributes: { axis } }, dy) => {
  let start: Dim = 0;
  return inputs.map((x) => {
    const end = addDims(start, x.shape[axis]);
    const part = slice(dy, axis, start, end);
    start = end;
    return part;
  });
};

function sizes(x: Value, first: number): [number, number] {
  const [a, b] = x.shape.slice(first, first + 2);
  if (typeof a !== 'number' || typeof b !== 'number')
    throw new TypeError('height and width must be numbers');
  return [a, b];
}

const inputGradient = (
  dy: Value,
  weight: Value,
  x: Value,
  attributes: NodeOf<'conv2d'>['attributes'],
): Value =>
  make('conv2dInputGradient', [dy, weight], { ...attributes, size: sizes(x, 2) }, inputGradient);

const weightGradient = (
  x: Value,
  dy: Value,
  weight: Value,
  attributes: NodeOf<'conv2d'>['attributes'],
): Value =>
  make(
    'conv2dWeightGradient',
    [x, dy],
    { ...attributes, kernel: sizes(weight, 2) },
    weightGradient,
  );

export const gradientRules: { readonly [Op in OpName]: Rule<Op> | null } = {
  input: null,
  parameter: null,
  constant: null,
  full: null,
  iota: null,
  dimension: null,

  // dx = -dy
  neg: (_, dy) => [neg(dy)],
  // dx = sign(x) dy
  abs: ({ inputs: [x] }, dy) => [mul(stopGradient(sign(x)), dy)],
  // dx = y dy
  exp: ({ outputs: [y] }, dy) => [mul(y, dy)],
  // dx = dy / x
  log: ({ inputs: [x] }, dy) => [div(dy, x)],
  // dx = dy / (2 y)
  sqrt: ({ outputs: [y] }, dy) => [div(mul(dy, 0.5), y)],
  // dx = -y^2 dy
  reciprocal: ({ outputs: [y] }, dy) => [neg(mul(square(y), dy))],
  // dx = 2 / sqrt(pi) exp(-x^2) dy
  erf: ({ inputs: [x] }, dy) => [mul(mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI)), dy)],
  // dx = (1 - y^2) dy
  tanh: ({ outputs: [y] }, dy) => [mul(sub(1, square(y)), dy)],
  // dx = y (1 - y) dy
  sigmoid: ({ outputs: [y] }, dy) => [mul(mul(y, sub(1, y)), dy)],
  // dx = dy where x > 0
  relu: ({ inputs: [x] }, dy) => [where(greater(x, 0), dy, 0)],
  // dx = (Phi(x) + x phi(x)) dy, Phi and phi the normal distribution and its density
  gelu: ({ inputs: [x] }, dy) => {
    const cdf = add(mul(erf(mul(x, Math.SQRT1_2)), 0.5), 0.5);
    const density = mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return [mul(add(cdf, mul(x, density)), dy)];
  },
  // dx = sigmoid(x) dy
  softplus: ({ inputs: [x] }, dy) => [mul(sigmoid(x), dy)],
  sign: null,
  floor: null,
  round: null,
  // dx = cos(x) dy
  sin: ({ inputs: [x] }, dy) => [mul(cos(x), dy)],
  // dx = -sin(x) dy
  cos: ({ inputs: [x] }, dy) => [neg(mul(sin(x), dy))],
  // dx = dy where min < x < max: none at the bounds, as in relu6 and, since 2026, in torch.clamp
  clip: ({ inputs: [x], attributes: { min, max } }, dy) => [
    where(and(greater(x, min), less(x, max)), dy, 0),
  ],
  not: null,
  isFinite: null,
  cast: ({ inputs: [x] }, dy) => [cast(dy, x.dtype)],
  stopGradient: () => [undefined],

  add: elementwise((_a, _b, dy) => [dy, dy]),
  sub: elementwise((_a, _b, dy) => [dy, neg(dy)]),
  // da = b dy, db = a dy
  mul: elementwise((a, b, dy) => [mul(b, dy), mul(a, dy)]),
  // da = dy / b, db = -y da
  div: elementwise((_a, b, dy, y) => [div(dy, b), neg(mul(y, div(dy, b)))]),
  // da = b a^(b-1) dy (0 for a = b = 0), db = log(a) y dy (0 for a <= 0)
  pow: elementwise((a, b, dy, y) => [
    mul(mul(b, pow(where(and(equal(a, 0), equal(b, 0)), 1, a), sub(b, 1))), dy),
    mul(mul(where(greater(a, 0), log(where(greater(a, 0), a, 1)), 0), y), dy),
  ]),
  // the smaller takes dy, equals half each
  minimum: elementwise((a, b, dy) => [mul(wins(b, a), dy), mul(wins(a, b), dy)]),
  // the larger takes dy, equals half each
  maximum: elementwise((a, b, dy) => [mul(wins(a, b), dy), mul(wins(b, a), dy)]),
  equal: null,
  less: null,
  lessOrEqual: null,
  greater: null,
  greaterOrEqual: null,
  and: null,
  or: null,
  where: ({ inputs: [condition, a, b] }, dy) => [
    undefined,
    unbroadcast(where(condition, dy, 0), a.shape),
    unbroadcast(where(condition, 0, dy), b.shape),
  ],
  bitwiseAnd: null,
  bitwiseXor: null,
  shiftRight: null,

  // y = alpha a b: da = alpha dy b', db = alpha a' dy, transposed as a and b are
  matmul: matmulRule,
  reduceSum: ({ inputs: [x], attributes: { axes } }, dy) => [unreduce(x, dy, axes)],
  // dx = dy / count
  reduceMean: ({ inputs: [x], attributes: { axes } }, dy) => [
    unreduce(x, div(dy, countOf(x, axes)), axes),
  ],
  reduceMax: extremum,
  reduceMin: extremum,
  argMax: null,
  // dx = y (dy - sum(y dy))
  softmax: ({ outputs: [y], attributes: { axis } }, dy) => {
    const weighted = mul(y, dy);
    return [sub(weighted, mul(y, reduceSum(weighted, [axis], true)))];
  },
  // dx = dy - exp(y) sum(dy)
  logSoftmax: ({ outputs: [y], attributes: { axis } }, dy) => [
    sub(dy, mul(exp(y), reduceSum(dy, [axis], true))),
  ],
  layerNorm: layerNormRule,
  // dx = the sums from the other end
  cumulativeSum: ({ attributes: { axis, reverse } }, dy) => [cumulativeSum(dy, axis, !reverse)],
  topK: ({ inputs: [x], outputs: [, indices], attributes: { axis } }, dy) => [
    dy && scatterAddElements(full(x.shape, 0, x.dtype), indices, dy, axis),
  ],

  reshape: ({ inputs: [x] }, dy) => [reshape(dy, x.shape)],
  transpose: ({ attributes: { permutation } }, dy) => [
    transpose(
      dy,
      permutation.map((_, i) => permutation.indexOf(i)),
    ),
  ],
  expand: ({ inputs: [x] }, dy) => [unbroadcast(dy, x.shape)],
  slice: sliceRule,
  concat: concatRule,
  // dx = the parts' gradients side by side, zeros for an unused part
  split: ({ outputs, attributes: { axis } }, ...dy) => [
    concat(
      outputs.map((part, i) => dy[i] ?? full(part.shape, 0, part.dtype)),
      axis,
    ),
  ],
  pad: ({ inputs: [x], attributes: { before } }, dy) => [
    x.shape.reduce<Value>((v, size, axis) => {
      const whole = v.shape[axis] === size;
      return whole ? v : slice(v, axis, before[axis], addDims(before[axis], size));
    }, dy),
  ],
  gather: gatherRule,
  gatherElements: ({ inputs: [data, indices], attributes: { axis } }, dy) => [
    scatterAddElements(full(data.shape, 0, data.dtype), indices, dy, axis),
    undefined,
  ],
  scatterAddElements: ({ inputs: [, indices], attributes: { axis } }, dy) => [
    dy,
    undefined,
    gatherElements(dy, indices, axis),
  ],
  oneHot: null,

  // Convolution is linear in x and in the weight, so its three ops are each other's gradients.
  conv2d: ({ inputs: [x, weight], attributes }, dy) => [
    inputGradient(dy, weight, x, attributes),
    weightGradient(x, dy, weight, attributes),
  ],
  conv2dInputGradient: ({ inputs: [dOut, weight], attributes: { strides, pads, groups } }, dx) => [
    conv2d(dx, weight, { strides, pads, groups }),
    weightGradient(dx, dOut, weight, { strides, pads, groups }),
  ],
  conv2dWeightGradient: ({ inputs: [x, dOut], attributes: { strides, pads, groups } }, dWeight) => [
    inputGradient(dOut, dWeight, x, { strides, pads, groups }),
    conv2d(x, dWeight, { strides, pads, groups }),
  ],
  averagePool2d: ({ inputs: [x], attributes }, dy) => [
    make('averagePool2dGradient', [dy], { ...attributes, size: sizes(x, 2) }, averagePool2d),
  ],
  averagePool2dGradient: ({ attributes: { kernel, strides, pads } }, dx) => [
    averagePool2d(dx, kernel, { strides, pads }),
  ],

  dynamicQuantizeMatmul: null,
  blockQuantizedMatmul: null,
  quantizeLinear: null,
  dequantizeLinear: null,
};
