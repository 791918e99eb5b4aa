/** Element types of tensors: their sizes, typed arrays and ONNX codes. */

/** The element types of the engine. */
export type DType = 'f32' | 'f16' | 'i64' | 'i32' | 'i8' | 'u8' | 'bool';

/** The typed array that holds a dtype's elements. f16 is held as raw bits. */
export interface ArrayOf {
  f32: Float32Array;
  f16: Uint16Array;
  i64: BigInt64Array;
  i32: Int32Array;
  i8: Int8Array;
  u8: Uint8Array;
  bool: Uint8Array;
}

export type TypedArray = ArrayOf[DType];

interface DTypeFacts<D extends DType> {
  readonly bytes: number;
  /** Value of onnx.TensorProto.DataType. */
  readonly onnx: number;
  /** Name in onnxruntime-common. */
  readonly ort: string;
  readonly isFloat: boolean;
  create(length: number): ArrayOf[D];
  view(buffer: ArrayBufferLike, byteOffset: number, length: number): ArrayOf[D];
}

/** Facts of every dtype. */
export const dtypes: { readonly [D in DType]: DTypeFacts<D> } = {
  f32: {
    bytes: 4,
    onnx: 1,
    ort: 'float32',
    isFloat: true,
    create: (n) => new Float32Array(n),
    view: (b, o, n) => new Float32Array(b, o, n),
  },
  f16: {
    bytes: 2,
    onnx: 10,
    ort: 'float16',
    isFloat: true,
    create: (n) => new Uint16Array(n),
    view: (b, o, n) => new Uint16Array(b, o, n),
  },
  i64: {
    bytes: 8,
    onnx: 7,
    ort: 'int64',
    isFloat: false,
    create: (n) => new BigInt64Array(n),
    view: (b, o, n) => new BigInt64Array(b, o, n),
  },
  i32: {
    bytes: 4,
    onnx: 6,
    ort: 'int32',
    isFloat: false,
    create: (n) => new Int32Array(n),
    view: (b, o, n) => new Int32Array(b, o, n),
  },
  i8: {
    bytes: 1,
    onnx: 3,
    ort: 'int8',
    isFloat: false,
    create: (n) => new Int8Array(n),
    view: (b, o, n) => new Int8Array(b, o, n),
  },
  u8: {
    bytes: 1,
    onnx: 2,
    ort: 'uint8',
    isFloat: false,
    create: (n) => new Uint8Array(n),
    view: (b, o, n) => new Uint8Array(b, o, n),
  },
  bool: {
    bytes: 1,
    onnx: 9,
    ort: 'bool',
    isFloat: false,
    create: (n) => new Uint8Array(n),
    view: (b, o, n) => new Uint8Array(b, o, n),
  },
};

/** Whether gradients flow through values of this dtype. */
export function isFloat(dtype: DType): boolean {
  return dtypes[dtype].isFloat;
}

const integerRanges: Readonly<Partial<Record<DType, readonly [number, number]>>> = {
  i64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  i32: [-(2 ** 31), 2 ** 31 - 1],
  i8: [-128, 127],
  u8: [0, 255],
  bool: [0, 1],
};

/** Whether an element of this dtype can hold the number, but for a float's rounding. */
export function holds(dtype: DType, value: number): boolean {
  const range = integerRanges[dtype];
  return !range || (Number.isInteger(value) && value >= range[0] && value <= range[1]);
}
