/** Tensors with data: what sessions take and give. */
import { bytesOf } from '../../base/bytes.ts';
import { f16ToF32, f32ToF16 } from '../../base/half.ts';
import { type ArrayOf, type DType, dtypes } from '../graph/dtype.ts';

/** A dense row-major tensor in memory. f16 is held as raw bits. */
export interface Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: ArrayOf[D];
}

/** Elements of a shape of numbers. */
export function shapeSize(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * A tensor around existing data (not copied), or of zeros without data.
 * @throws RangeError when the data does not fill the shape
 */
export function tensor<D extends DType>(
  dtype: D,
  shape: readonly number[],
  data?: ArrayOf[D],
): Tensor<D> {
  const size = shapeSize(shape);
  const array = data ?? dtypes[dtype].create(size);
  if (array.length !== size)
    throw new RangeError(`${array.length} elements do not fill [${shape.join(', ')}]`);
  return { dtype, shape, data: array };
}

/** The tensor's numbers as f32, converted from f16 where needed. */
export function float32Values(value: Tensor): Float32Array {
  if (value.data instanceof Float32Array) return value.data;
  if (value.dtype === 'f16' && value.data instanceof Uint16Array) return f16ToF32(value.data);
  return Float32Array.from(value.data as ArrayLike<number | bigint>, Number);
}

/** An f16 tensor from f32 numbers. */
export function float16Tensor(shape: readonly number[], data: Float32Array): Tensor<'f16'> {
  return tensor('f16', shape, f32ToF16(data));
}

/** Copies a tensor's elements into the memory of another of its dtype. @throws RangeError when they do not fill it */
export function copyInto(target: Tensor, source: Tensor): void {
  if (target.data.byteLength !== source.data.byteLength)
    throw new RangeError(`${source.data.length} elements do not fill [${target.shape.join(', ')}]`);
  bytesOf(target.data).set(bytesOf(source.data));
}
