/**
 * A reference evaluator of graphs: every op as plain loops in f64, slow and easy to check by eye.
 * Floats are never rounded to their dtype, integers wrap around in it.
 */
import { f16ToF32 } from '../../src/base/half.ts';
import { type DType, dtypes } from '../../src/engine/graph/dtype.ts';
import {
  type Node,
  type NodeOf,
  topologicalOrder,
  type Value,
} from '../../src/engine/graph/graph.ts';
import type { Convolution, OpName, Pooling } from '../../src/engine/graph/op-names.ts';
import { type Dim, evaluateDim, type Shape } from '../../src/engine/graph/shape.ts';
import { at, count, type Dense, eachIndex, fill, offsetOf, wrap } from './dense.ts';

export interface Context {
  /** What inputs and parameters hold. */
  readonly feeds: Readonly<Record<string, Dense>>;
  /** The numbers behind symbolic sizes. */
  readonly size: (dim: Dim) => number;
}

type Rule<Op extends OpName> = (
  node: NodeOf<Op>,
  inputs: readonly Dense[],
  context: Context,
) => Dense | Dense[];

/** Computes `outputs`. Symbolic sizes are read from the feeds' shapes. */
export function evaluate(
  outputs: readonly Value[],
  feeds: Readonly<Record<string, Dense>>,
): Dense[] {
  const nodes = topologicalOrder(outputs);
  const sizes = bindSizes(nodes, feeds);
  const context = { feeds, size: (dim: Dim) => evaluateDim(dim, sizes) };
  const known = new Map<Value, Dense>();
  for (const node of nodes) {
    const inputs = node.inputs.map((value) => find(known, value));
    // Each op's rule accepts nodes of that op; a lookup by a union key cannot say so.
    const rule = rules[node.op] as (n: Node, i: readonly Dense[], c: Context) => Dense | Dense[];
    const results = [rule(node, inputs, context)].flat();
    for (const [i, value] of node.outputs.entries()) {
      const shape = value.shape.map(context.size);
      if (value.dtype !== results[i].dtype || shape.join() !== results[i].shape.join())
        throw new Error(
          `${node.op} was inferred as ${value.dtype}[${shape}], computed as ${results[i].dtype}[${results[i].shape}]`,
        );
      known.set(value, results[i]);
    }
  }
  return outputs.map((value) => find(known, value));
}

function find(known: ReadonlyMap<Value, Dense>, value: Value): Dense {
  const result = known.get(value);
  if (!result) throw new Error(`${value.node.op} was not computed`);
  return result;
}

function bindSizes(
  nodes: readonly Node[],
  feeds: Readonly<Record<string, Dense>>,
): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const node of nodes) {
    if (node.op !== 'input') continue;
    for (const [axis, d] of node.attributes.shape.entries())
      if (typeof d === 'string') sizes.set(d, feeds[node.attributes.name].shape[axis]);
  }
  return sizes;
}

function unary(f: (x: number) => number): Rule<OpName> {
  return ({ outputs: [{ dtype }] }, [x]) => fill(dtype, x.shape, (index) => f(at(x, index)));
}

function broadcastShape(inputs: readonly Dense[]): number[] {
  const rank = Math.max(...inputs.map((x) => x.shape.length));
  return Array.from({ length: rank }, (_, i) => {
    const sizes = inputs.map((x) => x.shape[i - rank + x.shape.length] ?? 1);
    return sizes.find((size) => size !== 1) ?? 1;
  });
}

function elementwise(f: (a: number, b: number, dtype: DType) => number): Rule<OpName> {
  return ({ outputs: [{ dtype }] }, [a, b]) =>
    fill(dtype, broadcastShape([a, b]), (index) => f(at(a, index), at(b, index), a.dtype));
}

const compare = (f: (a: number, b: number) => boolean): Rule<OpName> =>
  elementwise((a, b) => (f(a, b) ? 1 : 0));

/** erf by the series of positive terms 2/sqrt(pi) exp(-x^2) sum 2^n x^(2n+1) / (2n+1)!!. */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

function roundEven(x: number): number {
  const low = Math.floor(x);
  if (x - low !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}

function product(a: number, b: number, dtype: DType): number {
  if (dtype === 'i32') return Math.imul(a, b);
  if (dtype === 'i64') return Number(BigInt.asIntN(64, BigInt(a) * BigInt(b)));
  return a * b;
}

function reduce(
  f: (elements: number[]) => number,
): Rule<'reduceSum' | 'reduceMean' | 'reduceMax' | 'reduceMin'> {
  return ({ attributes: { axes, keepDims } }, [x]) => {
    const kept = x.shape.map((size, i) => (axes.includes(i) ? 1 : size));
    const groups = Array.from({ length: count(kept) }, (): number[] => []);
    eachIndex(x.shape, (index, flat) => groups[offsetOf(kept, index)].push(x.data[flat]));
    const shape = keepDims ? kept : kept.filter((_, i) => !axes.includes(i));
    const data = Float64Array.from(groups, (group) => wrap(x.dtype, f(group)));
    return { dtype: x.dtype, shape, data };
  };
}

const sum = (elements: readonly number[]): number => elements.reduce((a, b) => a + b, 0);

/** Rewrites every line along `axis`; the lines may change their length. */
function lines(
  x: Dense,
  axis: number,
  f: (line: number[]) => ArrayLike<number>,
  dtype = x.dtype,
): Dense {
  const rest = x.shape.with(axis, 1);
  const results = new Map<number, ArrayLike<number>>();
  // The length of a result shows on any line, also where the tensor has none.
  const { length } = f(new Array<number>(x.shape[axis]).fill(0));
  eachIndex(rest, (index, flat) => {
    const line = Array.from({ length: x.shape[axis] }, (_, i) => at(x, index.with(axis, i)));
    results.set(flat, f(line));
  });
  return fill(dtype, x.shape.with(axis, length), (index) => {
    const line = results.get(offsetOf(rest, index));
    return line ? line[index[axis]] : 0;
  });
}

function softmaxOf(line: readonly number[]): number[] {
  const top = Math.max(...line);
  const powers = line.map((x) => Math.exp(x - top));
  const total = sum(powers);
  return powers.map((x) => x / total);
}

/** Places of the largest first; equal ones in their order. */
function ranking(line: readonly number[]): number[] {
  return [...line.keys()].sort((a, b) => line[b] - line[a] || a - b);
}

interface Geometry {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly pads: readonly number[];
}

/** Every pair of an output place and the input place that a window element reads there. */
function eachTap(
  out: readonly number[],
  size: readonly number[],
  { kernel, strides, pads }: Geometry,
  visit: (
    o: readonly [number, number],
    k: readonly [number, number],
    i: readonly [number, number],
  ) => void,
): void {
  eachIndex([out[0], out[1], kernel[0], kernel[1]], ([oy, ox, ky, kx]) => {
    const y = oy * strides[0] + ky - pads[0];
    const x = ox * strides[1] + kx - pads[1];
    if (y >= 0 && x >= 0 && y < size[0] && x < size[1]) visit([oy, ox], [ky, kx], [y, x]);
  });
}

/** Visits every product that a convolution sums: places of x, weight and y. */
function eachProduct(
  x: readonly number[],
  weight: readonly number[],
  y: readonly number[],
  { strides, pads, groups }: Convolution,
  visit: (x: number, weight: number, y: number) => void,
): void {
  const geometry = { kernel: weight.slice(2), strides, pads };
  const outPerGroup = y[1] / groups;
  eachIndex([y[0], y[1], weight[1]], ([n, o, c]) => {
    const channel = Math.floor(o / outPerGroup) * weight[1] + c;
    eachTap(y.slice(2), x.slice(2), geometry, (out, k, i) => {
      visit(
        offsetOf(x, [n, channel, ...i]),
        offsetOf(weight, [o, c, ...k]),
        offsetOf(y, [n, o, ...out]),
      );
    });
  });
}

function numbers(shape: Shape, { size }: Context): number[] {
  return shape.map(size);
}

function pooled(
  x: readonly number[],
  y: readonly number[],
  attributes: Pooling,
  visit: (x: number, y: number) => void,
) {
  eachIndex(x.slice(0, 2), ([n, c]) => {
    eachTap(y.slice(2), x.slice(2), attributes, (o, _, i) => {
      visit(offsetOf(x, [n, c, ...i]), offsetOf(y, [n, c, ...o]));
    });
  });
}

function zeros(dtype: DType, shape: readonly number[]): Dense {
  return { dtype, shape, data: new Float64Array(count(shape)) };
}

const fed: Rule<'input' | 'parameter'> = ({ attributes: { name } }, _, { feeds }) => feeds[name];

function fromEnd(index: number, size: number): number {
  if (index < -size || index >= size) throw new RangeError(`index ${index} is outside ${size}`);
  return index < 0 ? index + size : index;
}

const castTo: Record<'float' | 'integer' | 'bool', (x: number) => number> = {
  float: (x) => x,
  integer: Math.trunc,
  bool: (x) => (x === 0 ? 0 : 1),
};

const rules: { readonly [Op in OpName]: Rule<Op> } = {
  input: fed,
  parameter: fed,
  constant: ({ attributes: { dtype, shape, data } }) => {
    const elements = dtype === 'f16' ? f16ToF32(data as Uint16Array) : data;
    return { dtype, shape, data: Float64Array.from(elements as ArrayLike<number>, Number) };
  },
  full: ({ attributes: { dtype, shape, value } }, _, context) =>
    fill(dtype, numbers(shape, context), () => value),
  iota: ({ attributes: { length } }, _, { size }) => fill('i32', [size(length)], ([i]) => i),
  dimension: ({ attributes }, _, { size }) => fill('i32', [], () => size(attributes.size)),

  neg: unary((x) => -x),
  abs: unary(Math.abs),
  exp: unary(Math.exp),
  log: unary(Math.log),
  sqrt: unary(Math.sqrt),
  reciprocal: unary((x) => 1 / x),
  erf: unary(erf),
  tanh: unary(Math.tanh),
  sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  relu: unary((x) => Math.max(x, 0)),
  gelu: unary((x) => (x / 2) * (1 + erf(x * Math.SQRT1_2))),
  softplus: unary((x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  sign: unary(Math.sign),
  floor: unary(Math.floor),
  round: unary(roundEven),
  sin: unary(Math.sin),
  cos: unary(Math.cos),
  clip: ({ attributes: { min, max } }, [x]) =>
    fill(x.dtype, x.shape, (index) => Math.min(Math.max(at(x, index), min), max)),
  not: unary((x) => 1 - x),
  isFinite: unary((x) => (Number.isFinite(x) ? 1 : 0)),
  cast: ({ attributes: { dtype } }, [x]) => {
    const convert = castTo[dtype === 'bool' ? 'bool' : dtypes[dtype].isFloat ? 'float' : 'integer'];
    return fill(dtype, x.shape, (index) => convert(at(x, index)));
  },
  stopGradient: unary((x) => x),

  add: elementwise((a, b) => a + b),
  sub: elementwise((a, b) => a - b),
  mul: elementwise(product),
  div: elementwise((a, b, dtype) => (dtypes[dtype].isFloat ? a / b : Math.trunc(a / b))),
  pow: elementwise((a, b) => a ** b),
  minimum: elementwise((a, b) => Math.min(a, b)),
  maximum: elementwise((a, b) => Math.max(a, b)),
  equal: compare((a, b) => a === b),
  less: compare((a, b) => a < b),
  lessOrEqual: compare((a, b) => a <= b),
  greater: compare((a, b) => a > b),
  greaterOrEqual: compare((a, b) => a >= b),
  and: compare((a, b) => a !== 0 && b !== 0),
  or: compare((a, b) => a !== 0 || b !== 0),
  where: (_, [condition, a, b]) =>
    fill(a.dtype, broadcastShape([condition, a, b]), (index) =>
      at(condition, index) ? at(a, index) : at(b, index),
    ),
  bitwiseAnd: elementwise((a, b) => a & b),
  bitwiseXor: elementwise((a, b) => a ^ b),
  shiftRight: ({ attributes: { bits } }, [x]) =>
    fill('i32', x.shape, (index) => at(x, index) >>> bits),

  matmul: ({ attributes: { transA, transB, alpha } }, [a, b]) => {
    const swap = (index: number[], on: boolean) =>
      on ? [...index.slice(0, -2), index[index.length - 1], index[index.length - 2]] : index;
    const left = swap([...a.shape], transA);
    const right = swap([...b.shape], transB);
    const inner = left[left.length - 1];
    const lead = broadcastShape([
      zeros('f32', left.slice(0, -2)),
      zeros('f32', right.slice(0, -2)),
    ]);
    const read = (x: Dense, index: number[], trans: boolean) => {
      const own = swap(index, trans).slice(index.length - x.shape.length);
      // A leading dimension of size 1 is broadcast; the last two are never.
      const place = own.map((i, axis) => (axis < own.length - 2 && x.shape[axis] === 1 ? 0 : i));
      return x.data[offsetOf(x.shape, place)];
    };
    return fill(a.dtype, [...lead, left[left.length - 2], right[right.length - 1]], (index) => {
      const batch = index.slice(0, -2);
      const [row, column] = index.slice(-2);
      let total = 0;
      for (let k = 0; k < inner; k++)
        total += read(a, [...batch, row, k], transA) * read(b, [...batch, k, column], transB);
      return alpha * total;
    });
  },
  reduceSum: reduce(sum),
  reduceMean: reduce((elements) => sum(elements) / elements.length),
  reduceMax: reduce((elements) => Math.max(...elements)),
  reduceMin: reduce((elements) => Math.min(...elements)),
  argMax: ({ attributes: { axis, keepDims } }, [x]) => {
    const result = lines(x, axis, (line) => [ranking(line)[0]], 'i32');
    return keepDims ? result : { ...result, shape: x.shape.toSpliced(axis, 1) };
  },
  softmax: ({ attributes: { axis } }, [x]) => lines(x, axis, softmaxOf),
  logSoftmax: ({ attributes: { axis } }, [x]) =>
    lines(x, axis, (line) => {
      const top = Math.max(...line);
      const total = Math.log(sum(line.map((v) => Math.exp(v - top))));
      return line.map((v) => v - top - total);
    }),
  layerNorm: ({ attributes: { epsilon } }, [x, scale, bias]) => {
    const last = x.shape.length - 1;
    const mean = lines(x, last, (line) => [sum(line) / line.length]);
    const deviation = lines(x, last, (line) => {
      const m = sum(line) / line.length;
      const variance = sum(line.map((v) => (v - m) ** 2)) / line.length;
      return [1 / Math.sqrt(variance + epsilon)];
    });
    const y = fill(x.dtype, x.shape, (index) => {
      const normal = (at(x, index) - at(mean, index)) * at(deviation, index);
      return normal * scale.data[index[last]] + bias.data[index[last]];
    });
    return [y, mean, deviation];
  },
  cumulativeSum: ({ attributes: { axis, reverse } }, [x]) =>
    lines(x, axis, (line) =>
      line.map((_, i) => sum(reverse ? line.slice(i) : line.slice(0, i + 1))),
    ),
  topK: ({ attributes: { axis, k } }, [x]) => [
    lines(x, axis, (line) =>
      ranking(line)
        .slice(0, k)
        .map((i) => line[i]),
    ),
    lines(x, axis, (line) => ranking(line).slice(0, k), 'i32'),
  ],

  reshape: ({ attributes: { shape } }, [x], context) => ({ ...x, shape: numbers(shape, context) }),
  transpose: ({ attributes: { permutation } }, [x]) =>
    fill(
      x.dtype,
      permutation.map((axis) => x.shape[axis]),
      (index) =>
        at(
          x,
          x.shape.map((_, axis) => index[permutation.indexOf(axis)]),
        ),
    ),
  expand: ({ attributes: { shape } }, [x], context) =>
    fill(x.dtype, numbers(shape, context), (index) => at(x, index)),
  slice: ({ attributes: { starts, ends, axes } }, [x], { size }) => {
    const start = x.shape.map(() => 0);
    const shape = [...x.shape];
    for (const [i, axis] of axes.entries()) {
      start[axis] = size(starts[i]);
      shape[axis] = size(ends[i]) - start[axis];
    }
    return fill(
      x.dtype,
      shape,
      (index) =>
        x.data[
          offsetOf(
            x.shape,
            index.map((v, i) => v + start[i]),
          )
        ],
    );
  },
  split: ({ attributes: { axis, sizes } }, [x]) =>
    sizes.map((size, part) => {
      const start = sum(sizes.slice(0, part));
      return fill(
        x.dtype,
        x.shape.with(axis, size),
        (index) => x.data[offsetOf(x.shape, index.with(axis, index[axis] + start))],
      );
    }),
  concat: ({ attributes: { axis } }, inputs) => {
    const total = sum(inputs.map((x) => x.shape[axis]));
    return fill(inputs[0].dtype, inputs[0].shape.with(axis, total), (index) => {
      let place = index[axis];
      for (const x of inputs) {
        if (place < x.shape[axis]) return x.data[offsetOf(x.shape, index.with(axis, place))];
        place -= x.shape[axis];
      }
      throw new RangeError('outside of all parts');
    });
  },
  pad: ({ attributes: { before, after, value } }, [x], { size }) => {
    const shape = x.shape.map((d, i) => size(before[i]) + d + size(after[i]));
    return fill(x.dtype, shape, (index) => {
      const place = index.map((v, i) => v - size(before[i]));
      const inside = place.every((v, i) => v >= 0 && v < x.shape[i]);
      return inside ? x.data[offsetOf(x.shape, place)] : value;
    });
  },
  gather: ({ attributes: { axis } }, [data, indices]) => {
    const rank = indices.shape.length;
    const shape = data.shape.toSpliced(axis, 1, ...indices.shape);
    return fill(data.dtype, shape, (index) => {
      const pick = indices.data[offsetOf(indices.shape, index.slice(axis, axis + rank))];
      const place = fromEnd(pick, data.shape[axis]);
      return data.data[offsetOf(data.shape, index.toSpliced(axis, rank, place))];
    });
  },
  gatherElements: ({ attributes: { axis } }, [data, indices]) =>
    fill(data.dtype, indices.shape, (index) => {
      const place = fromEnd(at(indices, index), data.shape[axis]);
      return data.data[offsetOf(data.shape, index.with(axis, place))];
    }),
  scatterAddElements: ({ attributes: { axis } }, [data, indices, updates]) => {
    const result = { ...data, data: data.data.slice() };
    eachIndex(indices.shape, (index, flat) => {
      const place = fromEnd(indices.data[flat], data.shape[axis]);
      const target = offsetOf(data.shape, index.with(axis, place));
      result.data[target] = wrap(data.dtype, result.data[target] + updates.data[flat]);
    });
    return result;
  },
  oneHot: ({ attributes: { depth, dtype } }, [indices]) =>
    fill(dtype, [...indices.shape, depth], (index) =>
      indices.data[offsetOf(indices.shape, index.slice(0, -1))] === index[index.length - 1] ? 1 : 0,
    ),

  conv2d: ({ attributes, outputs: [y] }, [x, weight], context) => {
    const result = zeros(x.dtype, numbers(y.shape, context));
    eachProduct(x.shape, weight.shape, result.shape, attributes, (i, w, o) => {
      result.data[o] += x.data[i] * weight.data[w];
    });
    return result;
  },
  conv2dInputGradient: ({ attributes }, [dy, weight]) => {
    const shape = [dy.shape[0], weight.shape[1] * attributes.groups, ...attributes.size];
    const result = zeros(dy.dtype, shape);
    eachProduct(shape, weight.shape, dy.shape, attributes, (i, w, o) => {
      result.data[i] += dy.data[o] * weight.data[w];
    });
    return result;
  },
  conv2dWeightGradient: ({ attributes }, [x, dy]) => {
    const shape = [dy.shape[1], x.shape[1] / attributes.groups, ...attributes.kernel];
    const result = zeros(x.dtype, shape);
    eachProduct(x.shape, shape, dy.shape, attributes, (i, w, o) => {
      result.data[w] += x.data[i] * dy.data[o];
    });
    return result;
  },
  averagePool2d: ({ attributes, outputs: [y] }, [x], context) => {
    const result = zeros(x.dtype, numbers(y.shape, context));
    const area = count(attributes.kernel);
    pooled(x.shape, result.shape, attributes, (i, o) => {
      result.data[o] += x.data[i] / area;
    });
    return result;
  },
  averagePool2dGradient: ({ attributes }, [dy]) => {
    const result = zeros(dy.dtype, [...dy.shape.slice(0, 2), ...attributes.size]);
    const area = count(attributes.kernel);
    pooled(result.shape, dy.shape, attributes, (i, o) => {
      result.data[i] += dy.data[o] / area;
    });
    return result;
  },

  dynamicQuantizeMatmul: (_, [a, b, scale]) => {
    const low = Math.min(0, ...a.data);
    const step = (Math.max(0, ...a.data) - low) / 255;
    const zero = roundEven(-low / step);
    const quantised = a.data.map((v) => Math.min(Math.max(roundEven(v / step) + zero, 0), 255));
    const inner = b.shape[0];
    return fill('f32', [...a.shape.slice(0, -1), b.shape[1]], (index) => {
      const row = offsetOf(a.shape.slice(0, -1), index.slice(0, -1)) * inner;
      const column = index[index.length - 1];
      let total = 0;
      for (let k = 0; k < inner; k++)
        total += (quantised[row + k] - zero) * b.data[k * b.shape[1] + column];
      return total * step * scale.data[column];
    });
  },
  blockQuantizedMatmul: ({ attributes: { block } }, [a, b, scale]) => {
    const [rows, blocks] = b.shape;
    const inner = a.shape[a.shape.length - 1];
    return fill('f32', [...a.shape.slice(0, -1), rows], (index) => {
      const from = offsetOf(a.shape.slice(0, -1), index.slice(0, -1)) * inner;
      const row = index[index.length - 1];
      let total = 0;
      for (let k = 0; k < inner; k++) {
        const whole = row * blocks + Math.floor(k / block);
        const place = whole * block + (k % block);
        const byte = b.data[b.shape[2] === block ? place : place >> 1];
        const half = k % 2 === 0 ? (byte & 15) - 8 : (byte >> 4) - 8;
        const step = b.shape[2] === block ? byte - 128 : half;
        total += a.data[from + k] * step * scale.data[whole];
      }
      return total;
    });
  },
  quantizeLinear: (_, [x, scale]) =>
    fill('i8', x.shape, (index) =>
      Math.min(Math.max(roundEven(at(x, index) / scale.data[0]), -128), 127),
    ),
  dequantizeLinear: (_, [x, scale]) =>
    fill('f32', x.shape, (index) => at(x, index) * scale.data[scale.shape.length && index[0]]),
};
