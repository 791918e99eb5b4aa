/** Tensors with data: what sessions take and give. The data is shared with ONNX Runtime, not copied. */
import { Tensor as OrtTensor } from 'onnxruntime-common';
import { f16ToF32, f32ToF16 } from '../base/half.ts';
import { type ArrayOf, type DType, dtypes, type TypedArray } from './dtype.ts';

/** A dense row-major tensor in memory. f16 is held as raw bits. */
export interface Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: ArrayOf[D];
}

/** Elements of a shape of numbers. */
export function elementCount(shape: readonly number[]): number {
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
  const size = elementCount(shape);
  const array = data ?? dtypes[dtype].create(size);
  if (array.length !== size)
    throw new RangeError(`${array.length} elements do not fill [${shape.join(', ')}]`);
  return { dtype, shape, data: array };
}

/** The tensor's numbers as f32, converted from f16 where needed. */
export function toFloat32(value: Tensor): Float32Array {
  if (value.data instanceof Float32Array) return value.data;
  if (value.dtype === 'f16' && value.data instanceof Uint16Array) return f16ToF32(value.data);
  return Float32Array.from(value.data as ArrayLike<number | bigint>, Number);
}

/** An f16 tensor from f32 numbers. */
export function toFloat16(shape: readonly number[], data: Float32Array): Tensor<'f16'> {
  return tensor('f16', shape, f32ToF16(data));
}

/** ONNX Runtime's tensor on the same memory. */
export function toOrt({ dtype, shape, data }: Tensor): OrtTensor {
  // The constructor's overloads tie each type name to its array; the table in dtype.ts already did.
  return new OrtTensor(dtypes[dtype].ort as 'float32', data as Float32Array, shape);
}

const fromOrtName = new Map(
  Object.entries(dtypes).map(([name, facts]) => [facts.ort, name as DType]),
);

/** The engine's tensor on the same memory as ONNX Runtime's. @throws TypeError for a foreign dtype */
export function fromOrt(value: OrtTensor): Tensor {
  const dtype = fromOrtName.get(value.type);
  if (!dtype) throw new TypeError(`ONNX Runtime gave a tensor of ${value.type}`);
  // Node 24 and later give f16 as Float16Array: the same bits.
  const raw = value.data as TypedArray;
  const data = dtype === 'f16' ? new Uint16Array(raw.buffer, raw.byteOffset, raw.length) : raw;
  return { dtype, shape: value.dims, data } as Tensor;
}
