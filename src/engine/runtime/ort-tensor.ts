/** Turns tensors into ONNX Runtime's and back, on the same memory. */
import type { Tensor as OrtTensor } from 'onnxruntime-node';
import { type DType, dtypes, type TypedArray } from '../graph/dtype.ts';
import type { OrtClasses } from './back-end/back-end.ts';
import type { Tensor } from './tensor.ts';

/** ONNX Runtime's tensor on the same memory, of the class that its runs accept. */
export function toOrt(
  { Tensor: OrtTensor }: OrtClasses,
  { dtype, shape, data }: Tensor,
): OrtTensor {
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
