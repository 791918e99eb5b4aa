/**
 * The safetensors header: parsed straight from its bytes by the format's own small grammar, so that
 * duplicate names are seen and hostile nesting costs nothing, and written as the reference writes it.
 * Format: https://github.com/huggingface/safetensors#format
 */
import { InputError } from '../../base/errors.ts';
import { bytesPerElement, elementCount, type WeightDtype } from '../weight.ts';

/** A safetensors file breaks the format: the message names the file and the rule. */
export class SafetensorsError extends InputError {
  override readonly name = 'SafetensorsError';
  readonly path: string;
  readonly reason: string;
  constructor(path: string, reason: string) {
    super(`${path} is not a valid safetensors file: ${reason}.`);
    this.path = path;
    this.reason = reason;
  }
}

/** The reference's limit. */
export const maxHeaderBytes = 100_000_000;
/** Far beyond any model; keeps what a hostile header makes us hold within a few hundred megabytes. */
const maxEntries = 1_000_000;
/** NumPy's and PyTorch's limit. */
const maxRank = 64;

/** Format name to ours, in the reference's order: larger alignment first when written. */
const dtypes = new Map<string, WeightDtype>([
  ['U64', 'u64'],
  ['I64', 'i64'],
  ['F64', 'f64'],
  ['F32', 'f32'],
  ['U32', 'u32'],
  ['I32', 'i32'],
  ['BF16', 'bf16'],
  ['F16', 'f16'],
  ['U16', 'u16'],
  ['I16', 'i16'],
  ['I8', 'i8'],
  ['U8', 'u8'],
  ['BOOL', 'bool'],
]);
const dtypeNames = new Map([...dtypes].map(([name, dtype]) => [dtype, name]));
const dtypeOrder = [...dtypes.values()];

/** One tensor's entry; offsets count from the end of the header. */
export interface HeaderEntry {
  readonly name: string;
  readonly dtype: WeightDtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** A checked header: the entries, in the order of their bytes, tile the data without hole or overlap. */
export interface SafetensorsHeader {
  readonly metadata: ReadonlyMap<string, string>;
  readonly entries: readonly HeaderEntry[];
  /** Where the data begins in the file. */
  readonly dataOffset: number;
}

/**
 * The length of the JSON header, from the file's first 8 bytes: checked before anything is allocated.
 * @throws SafetensorsError when the header cannot fit the file or is beyond the limit.
 */
export function headerLength(prefix: Uint8Array, fileSize: number, path: string): number {
  if (fileSize < 8 || prefix.length < 8)
    throw new SafetensorsError(path, `it has ${fileSize} bytes and the header's length takes 8`);
  const view = new DataView(prefix.buffer, prefix.byteOffset, 8);
  const length = view.getUint32(4, true) * 4294967296 + view.getUint32(0, true);
  if (length > maxHeaderBytes)
    throw new SafetensorsError(
      path,
      `its header claims ${length} bytes and the limit is ${maxHeaderBytes}`,
    );
  if (length > fileSize - 8)
    throw new SafetensorsError(
      path,
      `its header claims ${length} bytes and only ${fileSize - 8} follow; the file is truncated`,
    );
  return length;
}

/**
 * Parses and checks a header.
 * @param json the header's bytes, without the 8 of its length
 * @param fileSize bytes of the whole file: the tensors must fill it exactly
 * @throws SafetensorsError naming the first rule that is broken.
 */
export function parseHeader(json: Uint8Array, fileSize: number, path: string): SafetensorsHeader {
  const parser = new HeaderParser(json, path);
  const { metadata, entries } = parser.parse();
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  const dataOffset = 8 + json.length;
  let position = 0;
  for (const { name, dtype, shape, begin, end } of entries) {
    if (begin !== position || end < begin) {
      const what =
        end < begin ? 'ends before it begins' : begin < position ? 'overlaps' : 'leaves a hole';
      throw parser.error(
        `tensor ${quote(name)} at bytes ${begin} to ${end} ${what}; ${position} was expected`,
      );
    }
    const bytes = elementCount(shape) * bytesPerElement(dtype);
    if (!Number.isSafeInteger(bytes))
      throw parser.error(`the size of tensor ${quote(name)} overflows: [${shape.join(', ')}]`);
    if (bytes !== end - begin)
      throw parser.error(
        `tensor ${quote(name)}, ${dtypeNames.get(dtype)} [${shape.join(', ')}], takes ${bytes} bytes and its offsets span ${end - begin}`,
      );
    position = end;
  }
  const data = fileSize - dataOffset;
  if (position !== data)
    throw parser.error(
      position > data
        ? `its tensors take ${position} bytes and ${data} are there; the file is truncated`
        : `${data - position} bytes follow the last tensor`,
    );
  return { metadata, entries, dataOffset };
}

/** The header and entries for tensors, placed as the reference places them (aligned to 8 bytes). */
export function layOut(
  tensors: Iterable<{ name: string; dtype: WeightDtype; shape: readonly number[] }>,
  metadata: Iterable<readonly [string, string]>,
  path: string,
): { prefix: Uint8Array; entries: HeaderEntry[] } {
  const sorted = [...tensors].sort(
    (a, b) =>
      dtypeOrder.indexOf(a.dtype) - dtypeOrder.indexOf(b.dtype) || compareUtf8(a.name, b.name),
  );
  const parts: string[] = [];
  const text = (value: string): string => {
    if (!/\p{Surrogate}/u.test(value)) return JSON.stringify(value);
    throw new InputError(
      `${path}: ${quote(value)} in a name or in the metadata is not valid Unicode.`,
    );
  };
  const described = [...metadata].map(([key, value]) => `${text(key)}:${text(value)}`);
  if (described.length > 0) parts.push(`"__metadata__":{${described.join(',')}}`);
  const seen = new Set(['__metadata__']);
  const entries: HeaderEntry[] = [];
  let position = 0;
  for (const { name, dtype, shape } of sorted) {
    if (seen.has(name))
      throw new InputError(`${path}: cannot save two tensors with the name ${quote(name)}.`);
    seen.add(name);
    const begin = position;
    position += elementCount(shape) * bytesPerElement(dtype);
    entries.push({ name, dtype, shape, begin, end: position });
    parts.push(
      `${text(name)}:{"dtype":"${dtypeNames.get(dtype)}","shape":[${shape.join(',')}],"data_offsets":[${begin},${position}]}`,
    );
  }
  const json = new TextEncoder().encode(`{${parts.join(',')}}`);
  const length = Math.ceil(json.length / 8) * 8;
  if (length > maxHeaderBytes)
    throw new InputError(`${path}: the header would take ${length} bytes; save in shards.`);
  const prefix = new Uint8Array(8 + length).fill(0x20);
  const view = new DataView(prefix.buffer);
  view.setBigUint64(0, BigInt(length), true);
  prefix.set(json, 8);
  return { prefix, entries };
}

/** Order of the UTF-8 bytes, which is the order of code points and not JavaScript's of UTF-16 units. */
function compareUtf8(a: string, b: string): number {
  let i = 0;
  while (i < a.length && i < b.length && a[i] === b[i]) i++;
  if (i > 0 && /[\udc00-\udfff]/.test(a[i] ?? b[i] ?? '')) i--;
  return (a.codePointAt(i) ?? -1) - (b.codePointAt(i) ?? -1);
}

/** The error for a tensor whose bytes do not fit its shape. */
export function sizeError(path: string, name: string, length: number, wanted: number): InputError {
  return new InputError(
    `${path}: tensor ${quote(name)} has ${length} bytes and its shape needs ${wanted}.`,
  );
}

/** A name as messages show it: quoted, and cut when it is hostile. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}...` : name);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Recursive descent over {name: {dtype, shape, data_offsets}} and nothing deeper. */
class HeaderParser {
  private at = 0;
  private readonly json: Uint8Array;
  private readonly path: string;

  constructor(json: Uint8Array, path: string) {
    this.json = json;
    this.path = path;
  }

  error(reason: string): SafetensorsError {
    return new SafetensorsError(this.path, reason);
  }

  parse(): { metadata: Map<string, string>; entries: HeaderEntry[] } {
    if (this.json[0] !== 0x7b) throw this.error('its header does not begin with "{"');
    const metadata = new Map<string, string>();
    const entries: HeaderEntry[] = [];
    const names = new Set<string>();
    this.object((name) => {
      if (names.has(name)) throw this.error(`${quote(name)} is there twice`);
      if (names.size >= maxEntries) throw this.error(`it has more than ${maxEntries} entries`);
      names.add(name);
      if (name === '__metadata__') this.parseMetadata(metadata);
      else entries.push(this.parseEntry(name));
    });
    if (this.peek() !== -1) throw this.unexpected('after the header');
    return { metadata, entries };
  }

  private parseMetadata(metadata: Map<string, string>): void {
    if (this.peek() !== 0x7b) throw this.error('__metadata__ is not a map of strings');
    this.object((key) => {
      if (metadata.has(key)) throw this.error(`metadata ${quote(key)} is there twice`);
      if (metadata.size >= maxEntries) throw this.error(`it has more than ${maxEntries} entries`);
      if (this.peek() !== 0x22) throw this.error(`metadata ${quote(key)} is not a string`);
      metadata.set(key, this.string());
    });
  }

  private parseEntry(name: string): HeaderEntry {
    let dtype: WeightDtype | undefined;
    let shape: number[] | undefined;
    let offsets: number[] | undefined;
    const where = `of tensor ${quote(name)}`;
    if (this.peek() !== 0x7b) throw this.error(`the entry ${where} is not an object`);
    this.object((field) => {
      if (field === 'dtype' && dtype === undefined) dtype = this.dtype(where);
      else if (field === 'shape' && !shape) shape = this.integers(maxRank, `shape ${where}`);
      else if (field === 'data_offsets' && !offsets)
        offsets = this.integers(2, `data_offsets ${where}`);
      else throw this.error(`the entry ${where} has an unknown or repeated field ${quote(field)}`);
    });
    if (!dtype || !shape || offsets?.length !== 2)
      throw this.error(`the entry ${where} lacks its dtype, shape or two data_offsets`);
    return { name, dtype, shape, begin: offsets[0], end: offsets[1] };
  }

  private dtype(where: string): WeightDtype {
    if (this.peek() !== 0x22) throw this.error(`the dtype ${where} is not a string`);
    const name = this.string();
    const dtype = dtypes.get(name);
    if (dtype) return dtype;
    throw this.error(
      `the dtype ${where} is ${quote(name)}; known are ${[...dtypes.keys()].join(', ')}`,
    );
  }

  private object(member: (key: string) => void): void {
    this.expect(0x7b, '"{"');
    if (this.skip(0x7d)) return;
    do {
      if (this.peek() !== 0x22) throw this.unexpected('where a name should be');
      const key = this.string();
      this.expect(0x3a, '":"');
      member(key);
    } while (this.skip(0x2c));
    this.expect(0x7d, '"}"');
  }

  private integers(most: number, what: string): number[] {
    const values: number[] = [];
    if (this.peek() !== 0x5b) throw this.error(`${what} is not a list of whole numbers`);
    this.at++;
    if (this.skip(0x5d)) return values;
    do {
      if (values.length >= most) throw this.error(`${what} has more than ${most} numbers`);
      values.push(this.integer(what));
    } while (this.skip(0x2c));
    if (!this.skip(0x5d)) throw this.error(`${what} is not a list of whole numbers`);
    return values;
  }

  private integer(what: string): number {
    const first = this.peek();
    const start = this.at;
    let value = 0;
    while (this.at < this.json.length) {
      const digit = this.json[this.at] - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      if (!Number.isSafeInteger(value)) throw this.error(`a number in ${what} overflows`);
      this.at++;
    }
    if (this.at === start || (first === 0x30 && this.at > start + 1))
      throw this.error(`${what} is not a list of whole numbers`);
    return value;
  }

  /** A JSON string at the current position; escapes are left to JSON.parse, UTF-8 is checked. */
  private string(): string {
    const start = this.at;
    let plain = true;
    let end = start + 1;
    for (; ; end++) {
      if (end >= this.json.length) throw this.error('its header ends inside a string');
      const byte = this.json[end];
      if (byte === 0x22) break;
      if (byte < 0x20) throw this.error('a string in its header holds a control character');
      if (byte !== 0x5c) continue;
      plain = false;
      end++;
    }
    this.at = end + 1;
    try {
      if (plain) return utf8.decode(this.json.subarray(start + 1, end));
      const value: unknown = JSON.parse(utf8.decode(this.json.subarray(start, end + 1)));
      if (typeof value === 'string' && !/\p{Surrogate}/u.test(value)) return value;
    } catch {
      // Both failures are told as one below.
    }
    throw this.error('a string in its header is not valid UTF-8 or has a broken escape');
  }

  /** The next byte that is no white space, or -1 at the end. */
  private peek(): number {
    for (; this.at < this.json.length; this.at++) {
      const byte = this.json[this.at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
    }
    return -1;
  }

  private skip(byte: number): boolean {
    if (this.peek() !== byte) return false;
    this.at++;
    return true;
  }

  private expect(byte: number, what: string): void {
    if (!this.skip(byte)) throw this.unexpected(`where ${what} should be`);
  }

  private unexpected(where: string): SafetensorsError {
    const byte = this.peek();
    const what = byte === -1 ? 'its header ends' : `its header has byte ${byte} at ${this.at}`;
    return this.error(`${what} ${where}`);
  }
}
