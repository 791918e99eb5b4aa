/** Weights as plain data: a dtype, a shape and bytes, and the conversions between number formats. */
import { bytesOf } from '../base/bytes.ts';
import { f16BitsToF32, f32ToBf16Bits, f32ToF16Bits } from '../base/half.ts';

/** Number formats that a weight file may hold. */
export type WeightDtype =
  | 'f64'
  | 'f32'
  | 'f16'
  | 'bf16'
  | 'i64'
  | 'i32'
  | 'i16'
  | 'i8'
  | 'u64'
  | 'u32'
  | 'u16'
  | 'u8'
  | 'bool';

/** The formats that hold fractions, and between which weights may be converted. */
export type FloatDtype = 'f64' | 'f32' | 'f16' | 'bf16';

const elementBytes: Record<WeightDtype, 1 | 2 | 4 | 8> = {
  f64: 8,
  f32: 4,
  f16: 2,
  bf16: 2,
  i64: 8,
  i32: 4,
  i16: 2,
  i8: 1,
  u64: 8,
  u32: 4,
  u16: 2,
  u8: 1,
  bool: 1,
};

type NumberArray = new (
  buffer: ArrayBufferLike,
  offset: number,
  count: number,
) => ArrayLike<number>;

/** Formats that JavaScript has a typed array of numbers for. */
const views: Record<Exclude<WeightDtype, 'f16' | 'bf16' | 'i64' | 'u64'>, NumberArray> = {
  f64: Float64Array,
  f32: Float32Array,
  i32: Int32Array,
  u32: Uint32Array,
  i16: Int16Array,
  u16: Uint16Array,
  i8: Int8Array,
  u8: Uint8Array,
  bool: Uint8Array,
};

/** A tensor in memory: row-major, little-endian, `data` aligned to the element's size. */
export interface WeightTensor {
  readonly dtype: WeightDtype;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** What is known of a tensor before its bytes are read. */
export interface WeightInfo {
  readonly name: string;
  readonly dtype: WeightDtype;
  readonly shape: readonly number[];
  /** Bytes of the tensor: elements times the element's size. */
  readonly byteLength: number;
  /** Where the bytes lie, if they lie in a file exactly as they are read: row-major and little-endian. */
  readonly location?: { readonly path: string; readonly offset: number };
}

/** A collection of named tensors that are read on demand. Close it (or `await using`) when done. */
export interface WeightSource extends AsyncDisposable {
  /** The file or index that was opened; `memory` or the caller's label for bytes. */
  readonly path: string;
  readonly format: 'safetensors' | 'pickle';
  /** Free text that the file carries about itself. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, WeightInfo>;
  /** Entries beside the tensors that are no tensors (pickles only), by name. */
  readonly skipped: readonly string[];
  /** Reads one tensor as it is stored. */
  read(name: string): Promise<WeightTensor>;
  /** Reads one tensor's bytes into `target`, which must have exactly its length. */
  readInto(name: string, target: Uint8Array): Promise<void>;
  /** Reads one tensor as f32, converting in chunks, into `target` if given. */
  readFloat32(name: string, target?: Float32Array): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Bytes of one element. */
export function bytesPerElement(dtype: WeightDtype): 1 | 2 | 4 | 8 {
  return elementBytes[dtype];
}

/** Whether the format holds fractions. */
export function isFloatFormat(dtype: WeightDtype): dtype is FloatDtype {
  return dtype === 'f64' || dtype === 'f32' || dtype === 'f16' || dtype === 'bf16';
}

/** Values of these tensors together. */
export function valueCount(tensors: Iterable<{ readonly shape: readonly number[] }>): number {
  let count = 0;
  for (const { shape } of tensors) count += elementCount(shape);
  return count;
}

/** The product of the dimensions; NaN if it (or a part of it) is beyond 2^53. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) {
    count *= size;
    if (!Number.isSafeInteger(count)) return Number.NaN;
  }
  return count;
}

/** `bytes` itself if a typed array of this element size can lie on it, else an aligned copy. */
export function aligned(bytes: Uint8Array, elementSize: number): Uint8Array {
  // Not slice(): on a Buffer that is a view.
  return bytes.byteOffset % elementSize === 0 ? bytes : new Uint8Array(bytes);
}

/** The tensor's values as f32: a view when it is stored so and `target` is not given. */
export function toFloat32(tensor: WeightTensor, target?: Float32Array): Float32Array {
  const { dtype, data } = tensor;
  if (dtype === 'f32' && !target) {
    const bytes = aligned(data, 4);
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  }
  const result = target ?? new Float32Array(data.length / elementBytes[dtype]);
  widen(dtype, data, result);
  return result;
}

/** A tensor made of f32 values, stored as `dtype` (f32 shares the memory of `values`). */
export function fromFloat32(
  values: Float32Array,
  shape: readonly number[],
  dtype: FloatDtype = 'f32',
): WeightTensor {
  const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return convert({ dtype: 'f32', shape, data }, dtype);
}

/** The tensor in another float format; the tensor itself if it already has it or holds integers. */
export function convert(tensor: WeightTensor, dtype: FloatDtype): WeightTensor {
  if (tensor.dtype === dtype || !isFloatFormat(tensor.dtype)) return tensor;
  return { dtype, shape: tensor.shape, data: convertBytes(tensor.data, tensor.dtype, dtype) };
}

/** Float elements in another float format. f64 to a 16-bit float goes through f32. */
export function convertBytes(data: Uint8Array, from: FloatDtype, to: FloatDtype): Uint8Array {
  if (from === to) return data;
  const count = data.length / elementBytes[from];
  if (to === 'f64') return bytesOf(Float64Array.from(toFloat32({ dtype: from, shape: [], data })));
  const wide = toFloat32({ dtype: from, shape: [count], data });
  if (to === 'f32') return bytesOf(wide);
  const narrow = new Uint16Array(count);
  const round = to === 'f16' ? f32ToF16Bits : f32ToBf16Bits;
  for (let i = 0; i < count; i++) narrow[i] = round(wide[i]);
  return bytesOf(narrow);
}

/** Writes the values of `data` (elements of `dtype`) to `target` as f32, from its index 0 on. */
export function widen(dtype: WeightDtype, data: Uint8Array, target: Float32Array): void {
  const bytes = aligned(data, elementBytes[dtype]);
  const { buffer, byteOffset } = bytes;
  const count = bytes.length / elementBytes[dtype];
  switch (dtype) {
    case 'f16': {
      const source = new Uint16Array(buffer, byteOffset, count);
      for (let i = 0; i < count; i++) target[i] = f16BitsToF32(source[i]);
      break;
    }
    case 'bf16': {
      const source = new Uint16Array(buffer, byteOffset, count);
      const bits = new Uint32Array(target.buffer, target.byteOffset, count);
      for (let i = 0; i < count; i++) bits[i] = source[i] << 16;
      break;
    }
    case 'i64':
    case 'u64': {
      const low = new Uint32Array(buffer, byteOffset, count * 2);
      const high = dtype === 'i64' ? new Int32Array(buffer, byteOffset, count * 2) : low;
      for (let i = 0; i < count; i++) target[i] = high[2 * i + 1] * 4294967296 + low[2 * i];
      break;
    }
    default:
      target.set(new views[dtype](buffer, byteOffset, count));
  }
}
