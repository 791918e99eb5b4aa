/** Protocol buffers' wire format, as much of it as an ONNX file needs (protobuf.dev/programming-guides/encoding). */

const utf8 = new TextEncoder();

const wireTypes = { varint: 0, lengthDelimited: 2, fixed32: 5 } as const;

/** A message as its parts: small ones joined, large bytes of others as they lie, copied when the whole is joined. */
export type Parts = readonly Uint8Array[];

/** Bytes from which on a field's content is kept apart instead of copied with every level of the message around it. */
const large = 4096;

/** Writes a message's fields in the order of the calls. */
export class MessageWriter {
  readonly #parts: Uint8Array[] = [];
  #small: number[] = [];

  /** A whole number (int32, int64, enum), negative ones as 64 bits of two's complement. */
  integer(field: number, value: number | bigint): this {
    this.#tag(field, wireTypes.varint);
    this.#varint(value);
    return this;
  }

  /** Whole numbers, each with its tag, as files of proto2 such as onnx.proto have them. */
  integers(field: number, values: readonly (number | bigint)[]): this {
    for (const value of values) this.integer(field, value);
    return this;
  }

  /** A number of 32 bits. */
  float(field: number, value: number): this {
    this.#tag(field, wireTypes.fixed32);
    this.#small.push(...new Uint8Array(Float32Array.of(value).buffer));
    return this;
  }

  string(field: number, value: string): this {
    return this.bytes(field, utf8.encode(value));
  }

  bytes(field: number, value: Uint8Array): this {
    return this.message(field, [value]);
  }

  message(field: number, parts: Parts): this {
    this.#tag(field, wireTypes.lengthDelimited);
    this.#varint(lengthOf(parts));
    for (const part of parts) this.#append(part);
    return this;
  }

  finish(): Parts {
    this.#flush();
    return this.#parts;
  }

  #tag(field: number, wireType: number): void {
    this.#varint(field * 8 + wireType);
  }

  #varint(value: number | bigint): void {
    if (typeof value === 'bigint' ? value < 0n : value < 0) {
      this.#bigVarint(BigInt.asUintN(64, BigInt(value)));
      return;
    }
    if (value > Number.MAX_SAFE_INTEGER) {
      this.#bigVarint(BigInt(value));
      return;
    }
    let rest = Number(value);
    for (; rest > 127; rest = Math.floor(rest / 128)) this.#small.push((rest % 128) + 128);
    this.#small.push(rest);
  }

  #bigVarint(value: bigint): void {
    let rest = value;
    for (; rest > 127n; rest >>= 7n) this.#small.push(Number(rest & 127n) + 128);
    this.#small.push(Number(rest));
  }

  #append(part: Uint8Array): void {
    if (part.length < large) {
      for (const byte of part) this.#small.push(byte);
      return;
    }
    this.#flush();
    this.#parts.push(part);
  }

  #flush(): void {
    if (this.#small.length > 0) this.#parts.push(Uint8Array.from(this.#small));
    this.#small = [];
  }
}

/** All parts in one piece of memory of their own. */
export function joined(parts: Parts): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(lengthOf(parts));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

function lengthOf(parts: Parts): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}
