/** How values go from machine to machine. */
import type { WireDtype } from './names.ts';

export interface Wire {
  /** Bytes of a value. */
  readonly width: number;
  /** Lays values down at a byte offset, which is a multiple of 4. */
  write(values: Float32Array, bytes: Uint8Array, at: number): void;
  /** Reads as many values as `values` has. */
  read(bytes: Uint8Array, at: number, values: Float32Array): void;
  /** Adds as many values as `sum` has to it. */
  add(bytes: Uint8Array, at: number, sum: Float32Array): void;
}

/** As they are, or rounded to the nearest value of 8 bits of precision (to even at ties), in half the bytes. */
export const wires: Readonly<Record<WireDtype, Wire>> = {
  f32: {
    width: 4,
    write: (values, bytes, at) => words(bytes, at, values.length).set(bitsOf(values)),
    read: (bytes, at, values) => bitsOf(values).set(words(bytes, at, values.length)),
    add: (bytes, at, sum) =>
      addTo(sum, new Float32Array(bytes.buffer, bytes.byteOffset + at, sum.length)),
  },
  bf16: {
    width: 2,
    write: (values, bytes, at) => {
      const bits = bitsOf(values);
      const out = new Uint16Array(bytes.buffer, bytes.byteOffset + at, bits.length);
      for (let i = 0; i < bits.length; i++) out[i] = rounded(bits[i]);
    },
    read: readBf16,
    add: (bytes, at, sum) => {
      const term = new Float32Array(sum.length);
      readBf16(bytes, at, term);
      addTo(sum, term);
    },
  },
};

function readBf16(bytes: Uint8Array, at: number, values: Float32Array): void {
  const bits = bitsOf(values);
  const from = new Uint16Array(bytes.buffer, bytes.byteOffset + at, bits.length);
  for (let i = 0; i < bits.length; i++) bits[i] = from[i] << 16;
}

function addTo(sum: Float32Array, term: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] += term[i];
}

function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

function words(bytes: Uint8Array, at: number, count: number): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset + at, count);
}

function rounded(bits: number): number {
  // Rounding could make an infinity of NaN.
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}
