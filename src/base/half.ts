/** Conversions between f32 and the 16-bit floats f16 (IEEE 754 binary16) and bf16, round to nearest even. */

const word = new DataView(new ArrayBuffer(4));

/** The f16 bits of `value`. Overflow gives infinity, NaN stays NaN. */
export function f32ToF16Bits(value: number): number {
  word.setFloat32(0, value);
  const bits = word.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Subnormal: f16 counts in steps of 2^-24, exactly representable in f64.
    const steps = Math.abs(value) * 16777216;
    const floor = Math.floor(steps);
    const rest = steps - floor;
    return sign | (rest > 0.5 || (rest === 0.5 && (floor & 1) === 1) ? floor + 1 : floor);
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

let table: Float32Array | undefined;

/** The number that the f16 `bits` stand for. */
export function f16BitsToF32(bits: number): number {
  table ??= Float32Array.from({ length: 65536 }, (_, i) => decodeF16(i));
  return table[bits];
}

function decodeF16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The bf16 bits of `value`. */
export function f32ToBf16Bits(value: number): number {
  word.setFloat32(0, value);
  const bits = word.getUint32(0);
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** Widens f16 bits to f32. */
export function f16ToF32(source: Uint16Array): Float32Array {
  const target = new Float32Array(source.length);
  const bits = new Int32Array(target.buffer);
  // The exponent's bias differs by 112: a product widens subnormal numbers as well, but not infinities and NaN.
  const bias = 2 ** 112;
  for (let i = 0; i < source.length; i++) {
    const half = source[i];
    bits[i] = ((half & 0x8000) << 16) | ((half & 0x7fff) << 13);
    if ((half & 0x7c00) === 0x7c00) target[i] = f16BitsToF32(half);
    else target[i] *= bias;
  }
  return target;
}

/** Narrows f32 to f16 bits. */
export function f32ToF16(source: Float32Array): Uint16Array {
  return Uint16Array.from(source, f32ToF16Bits);
}
