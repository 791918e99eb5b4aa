/** Dense tensors in f64 for the reference evaluator, and their way into and out of the engine's tensors. */
import { f16ToF32, f32ToF16Bits } from '../../src/base/half.ts';
import { type DType, dtypes } from '../../src/engine/graph/dtype.ts';
import { type Tensor, tensor } from '../../src/engine/runtime/tensor.ts';

/** A row-major tensor whose elements, whatever their dtype, are held as f64. */
export interface Dense {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Integers wrap around as they do in their width; floats stay in f64. */
export function wrap(dtype: DType, x: number): number {
  if (dtype === 'i32') return x | 0;
  if (dtype === 'i8') return (x << 24) >> 24;
  if (dtype === 'u8') return x & 255;
  if (dtype === 'bool') return x === 0 ? 0 : 1;
  return x;
}

/** Calls `visit` with every index of a shape, the last dimension fastest. */
export function eachIndex(
  shape: readonly number[],
  visit: (index: number[], flat: number) => void,
) {
  const index = shape.map(() => 0);
  const total = count(shape);
  for (let flat = 0; flat < total; flat++) {
    visit(index, flat);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] += 1;
      if (index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
}

/** A tensor filled by a function of the index. */
export function fill(
  dtype: DType,
  shape: readonly number[],
  element: (index: number[]) => number,
): Dense {
  const data = new Float64Array(count(shape));
  eachIndex(shape, (index, flat) => {
    data[flat] = wrap(dtype, element(index));
  });
  return { dtype, shape, data };
}

/** Where an element stands; missing leading dimensions and those of size 1 are broadcast. */
export function offsetOf(shape: readonly number[], index: readonly number[]): number {
  const skip = index.length - shape.length;
  let offset = 0;
  for (let axis = 0; axis < shape.length; axis++)
    offset = offset * shape[axis] + (shape[axis] === 1 ? 0 : index[axis + skip]);
  return offset;
}

export function at(x: Dense, index: readonly number[]): number {
  return x.data[offsetOf(x.shape, index)];
}

/** The engine's tensor with the same elements, rounded to its dtype. */
export function toTensor({ dtype, shape, data }: Dense): Tensor {
  const target = dtypes[dtype].create(data.length);
  for (let i = 0; i < data.length; i++) {
    if (target instanceof BigInt64Array) target[i] = BigInt(data[i]);
    else target[i] = dtype === 'f16' ? f32ToF16Bits(data[i]) : data[i];
  }
  return tensor(dtype, shape, target);
}

export function toDense({ dtype, shape, data }: Tensor): Dense {
  const numbers = dtype === 'f16' ? f16ToF32(data as Uint16Array) : data;
  return { dtype, shape, data: Float64Array.from(numbers as ArrayLike<number | bigint>, Number) };
}
