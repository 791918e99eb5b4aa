/** The first directory of a TIFF file, in either byte order, with 4-byte or (BigTIFF) 8-byte places. */
import { damaged } from './carrier.ts';

/** How numbers are written in a file. */
export interface TiffNumbers {
  /** Bytes of a place or a count of values: 4 or 8. */
  readonly size: 4 | 8;
  /** A number of so many bytes. */
  get(bytes: Buffer, at: number, size: number): number;
  /** A number as so many bytes. */
  bytesOf(value: number, size: number): Buffer;
}

export interface TiffEntry {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  /** The whole entry. */
  readonly bytes: Buffer;
  /** Where its values are in the file. */
  readonly place: number;
}

export interface TiffDirectory {
  readonly numbers: TiffNumbers;
  /** Where the file says where the directory is. */
  readonly pointer: number;
  readonly start: number;
  readonly entries: readonly TiffEntry[];
  /** Where the next directory is, as it is written. */
  readonly next: Buffer;
}

export const isTiff = (bytes: Buffer): boolean =>
  /^(?:II[*+]\0|MM\0[*+])/.test(bytes.toString('latin1', 0, 4));

/** What stands for 42 in BigTIFF. */
const bigVersion = 43;

/** Bytes of a value by its type. */
const typeSizes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];

/** @throws InputError when the directory is not whole */
export function readDirectory(bytes: Buffer, name: string): TiffDirectory {
  const isLittle = bytes[0] === 0x49;
  const isBig = (isLittle ? bytes.readUInt16LE(2) : bytes.readUInt16BE(2)) === bigVersion;
  const size = isBig ? 8 : 4;
  const numbers = numbersOf(isLittle, size);
  const pointer = isBig ? 8 : 4;
  const need = (end: number): void => {
    if (end > bytes.length) throw damaged(name, 'TIFF', 'its directory goes beyond its end');
  };
  need(pointer + size);
  const start = numbers.get(bytes, pointer, size);
  const countSize = isBig ? 8 : 2;
  need(start + countSize);
  const first = start + countSize;
  const count = numbers.get(bytes, start, countSize);
  const entrySize = 4 + 2 * size;
  const end = first + count * entrySize;
  need(end + size);
  const entries: TiffEntry[] = [];
  for (let at = first; at < end; at += entrySize) {
    const entry = entryOf(bytes, at, numbers);
    need(entry.place + entry.count * (typeSizes[entry.type] ?? 0));
    entries.push(entry);
  }
  return { numbers, pointer, start, entries, next: bytes.subarray(end, end + size) };
}

function entryOf(bytes: Buffer, at: number, { get, size }: TiffNumbers): TiffEntry {
  const tag = get(bytes, at, 2);
  const type = get(bytes, at + 2, 2);
  const count = get(bytes, at + 4, size);
  const isInside = count * (typeSizes[type] ?? 0) <= size;
  const place = isInside ? at + 4 + size : get(bytes, at + 4 + size, size);
  return { tag, type, count, place, bytes: bytes.subarray(at, at + 4 + 2 * size) };
}

function numbersOf(isLittle: boolean, size: 4 | 8): TiffNumbers {
  const get = (bytes: Buffer, at: number, length: number): number => {
    const high = length === 8 ? at + (isLittle ? 4 : 0) : at;
    const low = length === 8 ? at + (isLittle ? 0 : 4) : at;
    const width = Math.min(length, 4);
    const read = (place: number): number =>
      isLittle ? bytes.readUIntLE(place, width) : bytes.readUIntBE(place, width);
    return length === 8 ? read(high) * 2 ** 32 + read(low) : read(at);
  };
  const bytesOf = (value: number, length: number): Buffer => {
    const bytes = Buffer.alloc(length);
    for (let i = 0; i < length; i++)
      bytes[isLittle ? i : length - 1 - i] = Math.floor(value / 256 ** i) % 256;
    return bytes;
  };
  return { size, get, bytesOf };
}

/** The directory as bytes. */
export function directoryBytes(
  { numbers: { bytesOf, size }, next }: TiffDirectory,
  entries: readonly Buffer[],
): Buffer {
  return Buffer.concat([bytesOf(entries.length, size === 8 ? 8 : 2), ...entries, next]);
}
