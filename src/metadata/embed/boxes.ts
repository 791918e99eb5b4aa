/** Boxes of ISO base media files (ISO/IEC 14496-12), of which AVIF and HEIC are made: where each begins and ends. */
import { damaged } from './carrier.ts';

export interface IsoBox {
  /** Four letters. */
  readonly type: string;
  readonly start: number;
  /** Behind its size and type. */
  readonly body: number;
  readonly end: number;
  /** Whether it goes to the end of the file, whatever comes to stand there. */
  readonly isOpen: boolean;
}

/** The boxes between two places. @throws InputError when one goes beyond the end. @param kind such as AVIF */
export function isoBoxes(
  bytes: Buffer,
  start: number,
  end: number,
  name: string,
  kind: string,
): IsoBox[] {
  const boxes: IsoBox[] = [];
  for (let at = start; at < end; ) {
    if (at + 8 > end) throw damaged(name, kind, `no whole box at byte ${at}`);
    const type = bytes.toString('latin1', at + 4, at + 8);
    const short = bytes.readUInt32BE(at);
    const isLong = short === 1;
    if (isLong && at + 16 > end) throw damaged(name, kind, `no whole box at byte ${at}`);
    const size = isLong ? Number(bytes.readBigUInt64BE(at + 8)) : short === 0 ? end - at : short;
    const body = at + (isLong ? 16 : 8);
    if (at + size > end || at + size < body)
      throw damaged(name, kind, `the box ${printable(type)} goes beyond its end`);
    boxes.push({ type, start: at, body, end: at + size, isOpen: short === 0 });
    at += size;
  }
  return boxes;
}

function printable(type: string): string {
  return JSON.stringify(type.replace(/[^ -~]/g, '?'));
}

/** A box. @param content what is in it, behind its version and flags where it has those */
export function boxBytes(type: string, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + body.length);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, body]);
}

/** Reads numbers of several sizes, one behind the other. */
export class NumberReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  readonly #fault: () => Error;
  at: number;

  /** @param fault what is thrown at the end */
  constructor(bytes: Buffer, at: number, end: number, fault: () => Error) {
    this.#bytes = bytes;
    this.at = at;
    this.#end = end;
    this.#fault = fault;
  }

  /** A number of 0, 1, 2, 4 or 8 bytes, the highest first; of none it is 0. */
  number(size: number): number {
    if (this.at + size > this.#end) throw this.#fault();
    const at = this.at;
    this.at += size;
    if (size === 8) return Number(this.#bytes.readBigUInt64BE(at));
    return size === 0 ? 0 : this.#bytes.readUIntBE(at, size);
  }

  /** A text that ends with 0. */
  text(): string {
    const end = this.#bytes.indexOf(0, this.at);
    if (end < 0 || end >= this.#end) throw this.#fault();
    const text = this.#bytes.toString('utf8', this.at, end);
    this.at = end + 1;
    return text;
  }
}

/** A number of 0, 1, 2, 4 or 8 bytes; undefined where it does not fit. */
export function numberBytes(value: number, size: number): Buffer | undefined {
  const fits = size >= 8 ? Number.isSafeInteger(value) : value < 2 ** (8 * size);
  if (value < 0 || !fits) return undefined;
  const bytes = Buffer.alloc(size);
  if (size === 8) bytes.writeBigUInt64BE(BigInt(value));
  else if (size > 0) bytes.writeUIntBE(value, 0, size);
  return bytes;
}
