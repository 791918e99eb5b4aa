/** Random access to the bytes of a weight file, wherever they are, and reading tensors from it in chunks. */
import { bytesPerElement, type WeightDtype, widen } from './weight.ts';

/** Bytes that are read by position. Reads beyond the end throw the opener's error. */
export interface RandomAccess {
  /** The file's path, or a label for bytes in memory: what messages name. */
  readonly path: string;
  /** Whether `path` is a file that others can open too. */
  readonly isFile: boolean;
  readonly size: number;
  /** Fills `target` from `offset` on, blocking: for headers. */
  readSync(offset: number, target: Uint8Array): void;
  /** Fills `target` from `offset` on. */
  read(offset: number, target: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Bytes in memory as random access. */
export function accessBytes(bytes: Uint8Array, label = 'memory'): RandomAccess {
  const readSync = (offset: number, target: Uint8Array): void => {
    const part = bytes.subarray(offset, offset + target.length);
    if (part.length !== target.length)
      throw new RangeError(`${label}: read of ${target.length} bytes at ${offset} is out of range`);
    target.set(part);
  };
  return {
    path: label,
    isFile: false,
    size: bytes.length,
    readSync,
    read: async (offset, target) => readSync(offset, target),
    close: async () => {},
  };
}

/** Large enough that the cost of a read vanishes, small enough that no one notices the memory. */
const chunkBytes = 4 << 20;

/** Reads `target.length` elements of `dtype` at `offset` as f32, without holding them twice. */
export async function readWidened(
  access: RandomAccess,
  offset: number,
  dtype: WeightDtype,
  target: Float32Array,
): Promise<void> {
  if (dtype === 'f32') {
    const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
    return access.read(offset, bytes);
  }
  const size = bytesPerElement(dtype);
  const step = chunkBytes / size;
  const chunk = new Uint8Array(Math.min(chunkBytes, target.length * size));
  for (let start = 0; start < target.length; start += step) {
    const count = Math.min(step, target.length - start);
    const bytes = chunk.subarray(0, count * size);
    await access.read(offset + start * size, bytes);
    widen(dtype, bytes, target.subarray(start, start + count));
  }
}
