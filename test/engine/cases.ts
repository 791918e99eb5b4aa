/** What every op is tested with: a total table, so that an op without a case does not compile. */
import { createRandom, shuffle } from '../../src/base/random.ts';
import type { DType } from '../../src/engine/graph/dtype.ts';
import type { OpAttributes, OpName } from '../../src/engine/graph/op-names.ts';
import { count, type Dense } from './dense.ts';

export interface CaseWith<Attributes> {
  readonly inputs: readonly Dense[];
  readonly attributes: Attributes;
  /** The function has a kink, a tie or no smooth neighbourhood here: no finite differences. */
  readonly kink?: true;
}

export type Case<Op extends OpName> = CaseWith<OpAttributes[Op]>;

type Shape = readonly number[];

/** Distinct numbers spread evenly over (low, high) in a seeded order: no ties, and none at 0. */
function f(shape: Shape, low = -2, high = 2, seed = 1): Dense {
  const size = count(shape);
  const order = shuffle([...Array(size).keys()], createRandom(seed + size));
  const data = order.map((i) => Math.fround(low + ((i + 0.37) / size) * (high - low)));
  return { dtype: 'f32', shape, data: Float64Array.from(data) };
}

function given(dtype: DType, shape: Shape, data: readonly number[]): Dense {
  return { dtype, shape, data: Float64Array.from(data) };
}

const i32 = (shape: Shape, data: readonly number[]) => given('i32', shape, data);
const bool = (shape: Shape, data: readonly number[]) => given('bool', shape, data);

/** Sizes and broadcasts that every element-wise op of one or two inputs meets. */
const shapes: readonly Shape[] = [[2, 3], [], [2, 1, 4], [0, 3]];
const pairs: readonly (readonly [Shape, Shape])[] = [
  [
    [2, 3],
    [2, 3],
  ],
  [[2, 3], [3]],
  [
    [2, 1, 3],
    [4, 1],
  ],
  [[], [2, 2]],
  [[3], []],
  [
    [0, 3],
    [1, 3],
  ],
];

function unary(low = -2, high = 2): Case<'neg'>[] {
  return shapes.map((shape) => ({ inputs: [f(shape, low, high)], attributes: {} }));
}

function binary(low = -2, high = 2, low2 = low, high2 = high): Case<'add'>[] {
  return pairs.map(([a, b]) => ({
    inputs: [f(a, low, high), f(b, low2, high2, 2)],
    attributes: {},
  }));
}

/** Pairs with equal elements. */
const ties: Case<'add'> = {
  inputs: [
    given('f32', [2, 3], [1, -2, 3, 0, -1, 2]),
    given('f32', [2, 3], [1, -3, 4, 0, -0.5, 2]),
  ],
  attributes: {},
  kink: true,
};
const comparison = [...binary(-2, 2, -1.95, 2.1), ties];

const truths: Case<'and'>[] = [
  { inputs: [bool([4], [0, 0, 1, 1]), bool([4], [0, 1, 0, 1])], attributes: {} },
  { inputs: [bool([2, 1], [0, 1]), bool([2], [0, 1])], attributes: {} },
];
const bits: Case<'bitwiseAnd'>[] = [
  {
    inputs: [i32([4], [6, -1, 123456789, -2147483648]), i32([4], [3, 255, -987654321, -1])],
    attributes: {},
  },
  { inputs: [i32([2, 1], [12, -7]), i32([], [10])], attributes: {} },
];

function reductions(low = -2, high = 2): Case<'reduceSum'>[] {
  const make = (shape: Shape, axes: readonly number[], keepDims: boolean) => ({
    inputs: [f(shape, low, high)],
    attributes: { axes, keepDims },
  });
  return [
    make([2, 3, 4], [1], false),
    make([2, 3, 4], [0, 2], true),
    make([2, 3, 4], [0, 1, 2], false),
    make([5], [0], true),
    make([3, 1], [1], false),
    make([0, 3], [1], false),
  ];
}

const extrema: Case<'reduceMax'>[] = [
  ...reductions(),
  {
    inputs: [given('f32', [2, 4], [1, 3, 3, -1, 2, 2, 2, 2])],
    attributes: { axes: [1], keepDims: false },
    kink: true,
  },
];

function along(shapesOfX: readonly (readonly [Shape, number])[]): Case<'softmax'>[] {
  return shapesOfX.map(([shape, axis]) => ({ inputs: [f(shape)], attributes: { axis } }));
}

const rows: readonly (readonly [Shape, number])[] = [
  [[2, 3], 1],
  [[2, 3, 4], 0],
  [[2, 3, 4], 1],
  [[1], 0],
  [[0, 3], 1],
];

const plain = { strides: [1, 1], pads: [0, 0, 0, 0], groups: 1 } as const;
const geometries = [
  { x: [2, 3, 4, 5], w: [4, 3, 2, 3], attributes: plain },
  { x: [2, 3, 3, 3], w: [4, 3, 1, 1], attributes: plain },
  {
    x: [2, 2, 6, 7],
    w: [3, 2, 3, 3],
    attributes: { strides: [2, 2], pads: [1, 1, 1, 1], groups: 1 },
  },
  {
    x: [1, 4, 6, 6],
    w: [6, 2, 3, 2],
    attributes: { strides: [2, 1], pads: [0, 1, 1, 0], groups: 2 },
  },
  {
    // Depthwise, and a stride that leaves the last row and column unread.
    x: [2, 3, 6, 6],
    w: [3, 1, 3, 3],
    attributes: { strides: [2, 2], pads: [0, 0, 0, 0], groups: 3 },
  },
  {
    // Patches, as a vision transformer cuts them.
    x: [2, 3, 4, 4],
    w: [5, 3, 2, 2],
    attributes: { strides: [2, 2], pads: [0, 0, 0, 0], groups: 1 },
  },
  {
    x: [2, 4, 3, 4],
    w: [4, 2, 1, 1],
    attributes: { strides: [1, 1], pads: [0, 0, 0, 0], groups: 2 },
  },
  {
    // A stride of 3 leaves two rows unread; the kernel is larger than the stride in one direction.
    x: [1, 2, 9, 6],
    w: [2, 1, 1, 4],
    attributes: { strides: [3, 1], pads: [0, 2, 0, 1], groups: 2 },
  },
] as const;

type Tuple = readonly [number, number, number, number];

function outputOf(x: Tuple, w: Tuple, { strides, pads }: OpAttributes['conv2d']): Tuple {
  const size = (i: 0 | 1) =>
    Math.floor((x[i + 2] + pads[i] + pads[i + 2] - w[i + 2]) / strides[i]) + 1;
  return [x[0], w[0], size(0), size(1)];
}

const pools = [
  { x: [2, 3, 4, 6], attributes: { kernel: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] } },
  { x: [1, 2, 5, 5], attributes: { kernel: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1] } },
  { x: [2, 1, 3, 3], attributes: { kernel: [3, 3], strides: [1, 1], pads: [0, 0, 0, 0] } },
] as const;

const indices = {
  rows: i32([2, 3], [0, 3, 3, 1, 0, 3]),
  negative: i32([2], [-1, 0]),
};

export const cases: { readonly [Op in OpName]: readonly Case<Op>[] } = {
  input: [{ inputs: [], attributes: { name: 'x', dtype: 'f32', shape: [2, 3] } }],
  parameter: [{ inputs: [], attributes: { name: 'w', dtype: 'f32', shape: [2, 3] } }],
  constant: [
    {
      inputs: [],
      attributes: { dtype: 'f32', shape: [3], data: Float32Array.of(1.5, -2, 0.25) },
    },
    { inputs: [], attributes: { dtype: 'i64', shape: [2, 1], data: BigInt64Array.of(-3n, 7n) } },
    { inputs: [], attributes: { dtype: 'f16', shape: [2], data: Uint16Array.of(0x3c00, 0xc100) } },
    { inputs: [], attributes: { dtype: 'bool', shape: [2], data: Uint8Array.of(0, 1) } },
    { inputs: [], attributes: { dtype: 'f32', shape: [0, 2], data: new Float32Array(0) } },
  ],
  full: [
    { inputs: [], attributes: { dtype: 'f32', shape: [2, 3], value: 0.5 } },
    { inputs: [], attributes: { dtype: 'f16', shape: [2], value: -1.5 } },
    { inputs: [], attributes: { dtype: 'i64', shape: [], value: 7 } },
    { inputs: [], attributes: { dtype: 'i32', shape: [0, 2], value: 1 } },
    { inputs: [], attributes: { dtype: 'i8', shape: [1], value: -5 } },
    { inputs: [], attributes: { dtype: 'u8', shape: [3], value: 200 } },
    { inputs: [], attributes: { dtype: 'bool', shape: [2, 2], value: 1 } },
    { inputs: [], attributes: { dtype: 'f32', shape: [2], value: Number.NEGATIVE_INFINITY } },
  ],
  iota: [
    { inputs: [], attributes: { length: 5 } },
    { inputs: [], attributes: { length: 0 } },
  ],
  dimension: [{ inputs: [], attributes: { size: 6 } }],

  neg: unary(),
  abs: [...unary(), { inputs: [given('f32', [2], [0, -1])], attributes: {}, kink: true }],
  exp: unary(),
  log: unary(0.3, 4),
  sqrt: unary(0.3, 4),
  reciprocal: [...unary(0.4, 3), ...unary(-3, -0.4)],
  erf: unary(-3, 3),
  tanh: unary(-3, 3),
  sigmoid: unary(-4, 4),
  relu: [...unary(), { inputs: [given('f32', [3], [0, -1, 2])], attributes: {}, kink: true }],
  gelu: unary(-4, 4),
  softplus: unary(-4, 4),
  sign: [...unary(), { inputs: [given('f32', [3], [0, -1, 2])], attributes: {} }],
  floor: unary(-3, 3),
  round: [
    ...unary(-3, 3),
    { inputs: [given('f32', [6], [0.5, 1.5, 2.5, -0.5, -1.5, -2.5])], attributes: {} },
  ],
  sin: unary(-4, 4),
  cos: unary(-4, 4),
  clip: [
    { inputs: [f([3, 4])], attributes: { min: -1, max: 1.25 } },
    { inputs: [f([2, 3])], attributes: { min: Number.NEGATIVE_INFINITY, max: 0.5 } },
    { inputs: [given('f32', [4], [-1, 0, 1, 2])], attributes: { min: -1, max: 1 }, kink: true },
    { inputs: [i32([4], [1, 5, 9, 2])], attributes: { min: 2, max: 6 } },
  ],
  not: [{ inputs: [bool([2, 2], [0, 1, 1, 0])], attributes: {} }],
  isFinite: [
    { inputs: [f([2, 3])], attributes: {} },
    {
      inputs: [
        given('f32', [4], [1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]),
      ],
      attributes: {},
    },
  ],
  cast: [
    { inputs: [given('f32', [2, 2], [0.5, -1.75, 3, 0.125])], attributes: { dtype: 'f16' } },
    { inputs: [f([2, 3])], attributes: { dtype: 'i32' } },
    { inputs: [f([2, 3])], attributes: { dtype: 'i64' } },
    { inputs: [f([2, 3])], attributes: { dtype: 'i8' } },
    { inputs: [f([2, 3], 0, 200)], attributes: { dtype: 'u8' } },
    { inputs: [given('f32', [3], [0, 0.5, -1])], attributes: { dtype: 'bool' } },
    { inputs: [i32([3], [-7, 0, 70000])], attributes: { dtype: 'f32' } },
    { inputs: [i32([3], [-7, 0, 70000])], attributes: { dtype: 'i64' } },
    { inputs: [i32([3], [-7, 0, 100])], attributes: { dtype: 'i8' } },
    { inputs: [bool([2], [0, 1])], attributes: { dtype: 'f32' } },
    { inputs: [bool([2], [0, 1])], attributes: { dtype: 'i32' } },
    { inputs: [given('i64', [2], [5, -6])], attributes: { dtype: 'f32' } },
    { inputs: [given('u8', [2], [5, 250])], attributes: { dtype: 'f32' } },
    { inputs: [given('i8', [2], [5, -120])], attributes: { dtype: 'f32' } },
    { inputs: [given('f16', [2], [0.5, -3])], attributes: { dtype: 'f32' } },
  ],
  stopGradient: [{ inputs: [f([2, 3])], attributes: {}, kink: true }],

  add: [
    ...binary(),
    {
      inputs: [i32([3], [1, -2, 2147483647]), i32([3], [5, -9, 1])],
      attributes: {},
    },
  ],
  sub: binary(),
  mul: [
    ...binary(),
    {
      // Hash counters rely on 32-bit wrap-around.
      inputs: [i32([3], [123456789, -987654321, 65536]), i32([], [-1640531535])],
      attributes: {},
    },
  ],
  div: [
    ...binary(-2, 2, 0.5, 3),
    { inputs: [i32([4], [7, -7, 6, -1]), i32([4], [2, 2, -4, 3])], attributes: {} },
  ],
  pow: [
    ...binary(0.3, 2, -2, 3),
    {
      inputs: [given('f32', [3], [0, 0, 2]), given('f32', [3], [2, 0, 0])],
      attributes: {},
      kink: true,
    },
  ],
  minimum: comparison,
  maximum: comparison,
  equal: comparison,
  less: comparison,
  lessOrEqual: comparison,
  greater: comparison,
  greaterOrEqual: comparison,
  and: truths,
  or: truths,
  where: [
    { inputs: [bool([2, 3], [1, 0, 1, 0, 0, 1]), f([2, 3]), f([2, 3], -2, 2, 2)], attributes: {} },
    { inputs: [bool([2, 1], [1, 0]), f([3]), f([], -2, 2, 2)], attributes: {} },
    { inputs: [bool([], [1]), f([1, 3]), f([2, 1], -2, 2, 2)], attributes: {} },
  ],
  bitwiseAnd: bits,
  bitwiseXor: bits,
  shiftRight: [
    { inputs: [i32([3], [-1, 12345678, -2147483648])], attributes: { bits: 16 } },
    { inputs: [i32([2], [-1, 7])], attributes: { bits: 1 } },
  ],

  matmul: [
    matmulCase([2, 3], [3, 4]),
    matmulCase([3, 2], [3, 4], { transA: true }),
    matmulCase([2, 3], [4, 3], { transB: true, alpha: 0.5 }),
    matmulCase([3, 2], [4, 3], { transA: true, transB: true, alpha: -2 }),
    matmulCase([2, 3, 4], [4, 5]),
    matmulCase([2, 3, 4], [5, 4], { transB: true }),
    matmulCase([2, 4, 3], [4, 5], { transA: true }),
    matmulCase([2, 4, 3], [5, 4], { transA: true, transB: true, alpha: 1.5 }),
    matmulCase([2, 2, 3, 4], [2, 2, 4, 2]),
    matmulCase([2, 2, 3, 4], [2, 2, 5, 4], { transB: true, alpha: 0.25 }),
    matmulCase([2, 2, 4, 3], [2, 2, 4, 2], { transA: true }),
    matmulCase([2, 1, 3, 4], [3, 4, 2]),
    matmulCase([2, 1, 3, 4], [3, 2, 4], { transB: true }),
    matmulCase([2, 1, 4, 3], [3, 4, 2], { transA: true, alpha: 3 }),
    matmulCase([3, 4], [2, 4, 5]),
    matmulCase([3, 4], [2, 5, 4], { transB: true }),
    matmulCase([4, 3], [2, 4, 5], { transA: true }),
    matmulCase([1, 1], [1, 4]),
    matmulCase([2, 0, 3], [3, 4]),
  ],
  reduceSum: reductions(),
  reduceMean: reductions(),
  reduceMax: extrema,
  reduceMin: extrema,
  argMax: [
    { inputs: [f([2, 3, 4])], attributes: { axis: 2, keepDims: false } },
    { inputs: [f([2, 3, 4])], attributes: { axis: 0, keepDims: true } },
    {
      inputs: [given('f32', [2, 4], [1, 3, 3, -1, 2, 2, 2, 2])],
      attributes: { axis: 1, keepDims: false },
    },
  ],
  softmax: along(rows),
  logSoftmax: along(rows),
  layerNorm: [
    layerNormCase([2, 5], 1e-5),
    layerNormCase([2, 3, 4], 1e-12),
    layerNormCase([6], 0.1),
    layerNormCase([0, 4], 1e-5),
  ],
  cumulativeSum: [
    { inputs: [f([2, 5])], attributes: { axis: 1, reverse: false } },
    { inputs: [f([2, 3, 2])], attributes: { axis: 1, reverse: true } },
    { inputs: [f([4])], attributes: { axis: 0, reverse: false } },
  ],
  topK: [
    { inputs: [f([2, 6])], attributes: { axis: 1, k: 3 } },
    { inputs: [f([4, 2, 3])], attributes: { axis: 0, k: 2 } },
    { inputs: [f([3])], attributes: { axis: 0, k: 3 } },
    {
      inputs: [given('f32', [2, 5], [1, 3, 3, -1, 3, 2, 2, 2, 2, 2])],
      attributes: { axis: 1, k: 3 },
      kink: true,
    },
  ],

  reshape: [
    { inputs: [f([2, 6])], attributes: { shape: [3, 4] } },
    { inputs: [f([1])], attributes: { shape: [] } },
    { inputs: [f([0, 3])], attributes: { shape: [3, 0] } },
  ],
  transpose: [
    { inputs: [f([2, 3])], attributes: { permutation: [1, 0] } },
    { inputs: [f([2, 3, 4])], attributes: { permutation: [2, 0, 1] } },
    { inputs: [f([2, 1, 3, 2])], attributes: { permutation: [0, 2, 1, 3] } },
  ],
  expand: [
    { inputs: [f([2, 1, 3])], attributes: { shape: [2, 4, 3] } },
    { inputs: [f([3])], attributes: { shape: [2, 3] } },
    { inputs: [f([])], attributes: { shape: [2, 2] } },
    { inputs: [f([1, 3])], attributes: { shape: [0, 3] } },
  ],
  slice: [
    { inputs: [f([4, 3])], attributes: { starts: [1], ends: [3], axes: [0] } },
    { inputs: [f([4, 3, 5])], attributes: { starts: [0, 2], ends: [2, 5], axes: [0, 2] } },
    { inputs: [f([3])], attributes: { starts: [2], ends: [2], axes: [0] } },
  ],
  split: [
    { inputs: [f([2, 6])], attributes: { axis: 1, sizes: [1, 3, 2] } },
    { inputs: [f([4, 3])], attributes: { axis: 0, sizes: [4] } },
    { inputs: [f([3, 2])], attributes: { axis: 0, sizes: [0, 3] } },
  ],
  concat: [
    { inputs: [f([2, 3]), f([1, 3], -2, 2, 2)], attributes: { axis: 0 } },
    {
      inputs: [f([2, 1, 2]), f([2, 3, 2], -1, 1, 2), f([2, 2, 2], 0, 1, 3)],
      attributes: { axis: 1 },
    },
    { inputs: [f([0, 2]), f([2, 2], -2, 2, 2)], attributes: { axis: 0 } },
  ],
  pad: [
    { inputs: [f([2, 3])], attributes: { before: [1, 0], after: [0, 2], value: 0 } },
    { inputs: [f([3])], attributes: { before: [2], after: [1], value: -1.5 } },
    { inputs: [f([2, 2])], attributes: { before: [0, 0], after: [0, 0], value: 0 } },
    { inputs: [f([0, 2])], attributes: { before: [1, 0], after: [1, 1], value: 3 } },
  ],
  gather: [
    { inputs: [f([4, 3]), indices.rows], attributes: { axis: 0 } },
    { inputs: [f([2, 4, 3]), indices.rows], attributes: { axis: 1 } },
    { inputs: [f([2, 5]), indices.negative], attributes: { axis: 1 } },
    { inputs: [f([4, 2]), i32([], [2])], attributes: { axis: 0 } },
    { inputs: [f([4, 2]), given('i64', [2], [3, 3])], attributes: { axis: 0 } },
    { inputs: [f([4, 2]), i32([0], [])], attributes: { axis: 0 } },
  ],
  gatherElements: [
    { inputs: [f([2, 4]), i32([2, 3], [0, 3, 3, 1, 0, -1])], attributes: { axis: 1 } },
    { inputs: [f([4, 3]), i32([2, 3], [0, 3, 3, 1, 0, 3])], attributes: { axis: 0 } },
    { inputs: [f([3, 4]), given('i64', [2, 1], [3, 1])], attributes: { axis: 1 } },
  ],
  scatterAddElements: [
    {
      inputs: [
        f([4, 3]),
        i32([5, 3], [0, 3, 3, 1, 0, -1, 0, 0, 0, 2, 2, 2, 1, 1, 1]),
        f([5, 3], -1, 1, 2),
      ],
      attributes: { axis: 0 },
    },
    {
      inputs: [f([2, 4]), given('i64', [2, 2], [3, 3, 1, 0]), f([2, 2], -1, 1, 2)],
      attributes: { axis: 1 },
    },
  ],
  oneHot: [
    { inputs: [i32([2, 3], [0, 1, 2, 3, -1, 4])], attributes: { depth: 4, dtype: 'f32' } },
    { inputs: [i32([], [1])], attributes: { depth: 2, dtype: 'i32' } },
    { inputs: [given('i64', [2], [1, 0])], attributes: { depth: 2, dtype: 'bool' } },
  ],

  conv2d: geometries.map(({ x, w, attributes }) => ({
    inputs: [f(x), f(w, -1, 1, 2)],
    attributes,
  })),
  conv2dInputGradient: geometries.map(({ x, w, attributes }) => ({
    inputs: [f(outputOf(x, w, attributes)), f(w, -1, 1, 2)],
    attributes: { ...attributes, size: [x[2], x[3]] as const },
  })),
  conv2dWeightGradient: geometries.map(({ x, w, attributes }) => ({
    inputs: [f(x), f(outputOf(x, w, attributes), -1, 1, 2)],
    attributes: { ...attributes, kernel: [w[2], w[3]] as const },
  })),
  averagePool2d: pools.map(({ x, attributes }) => ({ inputs: [f(x)], attributes })),
  averagePool2dGradient: pools.map(({ x, attributes }) => ({
    inputs: [f(outputOf(x, [x[1], 1, ...attributes.kernel], { ...attributes, groups: 1 }))],
    attributes: { ...attributes, size: [x[2], x[3]] as const },
  })),

  dynamicQuantizeMatmul: [
    { inputs: [f([3, 8]), int8([8, 5]), f([5], 0.01, 0.05, 2)], attributes: {} },
    { inputs: [f([2, 2, 4], 0.1, 3), int8([4, 3]), f([3], 0.01, 0.05, 2)], attributes: {} },
  ],
  blockQuantizedMatmul: [
    {
      inputs: [f([3, 32]), halves([5, 1, 16]), f([5], 0.01, 0.05, 2)],
      attributes: { block: 32, rounded: false },
    },
    {
      inputs: [f([2, 2, 64], 0.1, 3), halves([16, 2, 16]), f([32], 0.01, 0.05, 2)],
      attributes: { block: 32, rounded: false },
    },
    {
      inputs: [f([2, 2, 64], 0.1, 3), bytes([16, 2, 32]), f([32], 0.01, 0.05, 2)],
      attributes: { block: 32, rounded: false },
    },
  ],
  quantizeLinear: [
    { inputs: [f([2, 4], -20, 20), given('f32', [], [0.125])], attributes: {} },
    {
      inputs: [given('f32', [4], [0.25, 0.75, -0.25, 300]), given('f32', [], [0.5])],
      attributes: {},
    },
  ],
  dequantizeLinear: [
    { inputs: [given('i8', [4], [-128, 127, 0, 5]), given('f32', [], [0.125])], attributes: {} },
    {
      inputs: [given('i8', [2, 2], [-128, 127, 3, 5]), given('f32', [2], [0.125, 0.5])],
      attributes: {},
    },
  ],
};

function matmulCase(
  a: Shape,
  b: Shape,
  options: Partial<OpAttributes['matmul']> = {},
): Case<'matmul'> {
  const attributes = { transA: false, transB: false, alpha: 1, ...options };
  return { inputs: [f(a), f(b, -2, 2, 2)], attributes };
}

function layerNormCase(shape: Shape, epsilon: number): Case<'layerNorm'> {
  const width = shape.slice(-1);
  return {
    inputs: [f(shape), f(width, 0.5, 1.5, 2), f(width, -1, 1, 3)],
    attributes: { epsilon },
  };
}

/** Weights of 7 bits: on AVX2 the products of two are added in 16 bits. */
/** Bytes of two 4-bit numbers, all of them. */
function halves(shape: Shape): Dense {
  const { data } = f(shape, 0, 255, 5);
  return given('u8', shape, [...data].map(Math.round));
}

function bytes(shape: Shape): Dense {
  const { data } = f(shape, 0, 255, 4);
  return given('u8', shape, [...data].map(Math.round));
}

function int8(shape: Shape): Dense {
  const { data } = f(shape, -63, 63, 4);
  return given('i8', shape, [...data].map(Math.round));
}
