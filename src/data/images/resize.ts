/** Pillow's antialiased resampling of 8-bit RGB images, equal to it in every byte. */
import type { RgbImage } from './rgb.ts';

/** A resampling filter: its half width at scale 1, and its weight at a distance from the centre. */
interface Filter {
  readonly support: number;
  readonly weight: (x: number) => number;
}

const filters = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: {
    support: 2,
    weight: (signed) => {
      const x = Math.abs(signed);
      const a = -0.5;
      if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
    },
  },
  lanczos: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
  box: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  hamming: {
    support: 1,
    // Pillow writes the two constants in single precision.
    weight: (x) => {
      if (Math.abs(x) >= 1) return 0;
      return sinc(x) * (Math.fround(0.54) + Math.fround(0.46) * Math.cos(Math.PI * x));
    },
  },
} as const satisfies Record<string, Filter>;

/** Names of the filters, those of Pillow in lower case. */
export type ResizeFilter = keyof typeof filters | 'nearest';

function sinc(x: number): number {
  const angle = x * Math.PI;
  return x === 0 ? 1 : Math.sin(angle) / angle;
}

/** For each output position: where its inputs start, and their weights. */
interface Taps {
  /** Inputs of an output: the same for all, as missing ones have weight 0. */
  readonly stride: number;
  readonly first: Int32Array;
  /** Fixed point with 22 fractional bits, `stride` an output. */
  readonly weights: Int32Array;
}

const precisionBits = 32 - 8 - 2;
const half = 1 << (precisionBits - 1);

function computeTaps(input: number, output: number, filter: Filter): Taps {
  const scale = input / output;
  const filterScale = Math.max(scale, 1);
  const support = filter.support * filterScale;
  const inverse = 1 / filterScale;
  const begins = new Int32Array(output);
  const ends = new Int32Array(output);
  let stride = 0;
  for (let i = 0; i < output; i++) {
    const center = (i + 0.5) * scale;
    begins[i] = Math.max(0, Math.trunc(center - support + 0.5));
    ends[i] = Math.min(input, Math.trunc(center + support + 0.5));
    stride = Math.max(stride, ends[i] - begins[i]);
  }
  const first = new Int32Array(output);
  const weights = new Int32Array(output * stride);
  const raw = new Float64Array(stride);
  for (let i = 0; i < output; i++) {
    const center = (i + 0.5) * scale;
    const begin = begins[i];
    const count = ends[i] - begin;
    let total = 0;
    for (let t = 0; t < count; t++) {
      raw[t] = filter.weight((t + begin - center + 0.5) * inverse);
      total += raw[t];
    }
    // Near the end the window moves back to stay inside; the weights keep their inputs.
    first[i] = Math.min(begin, input - stride);
    const at = i * stride + begin - first[i];
    for (let t = 0; t < count; t++) {
      const weight = total === 0 ? raw[t] : raw[t] / total;
      weights[at + t] = Math.trunc((weight < 0 ? -0.5 : 0.5) + weight * 2 ** precisionBits);
    }
  }
  return { stride, first, weights };
}

const cache = new Map<string, Taps>();
const cacheLimit = 64;

/** Tables of recent sizes are kept: photos of a collection share few sizes. */
function tapsFor(input: number, output: number, name: keyof typeof filters): Taps {
  const key = `${name} ${input} ${output}`;
  const known = cache.get(key);
  const taps = known ?? computeTaps(input, output, filters[name]);
  cache.delete(key);
  cache.set(key, taps);
  if (cache.size > cacheLimit) cache.delete(cache.keys().next().value ?? key);
  return taps;
}

/**
 * Resamples `image` to `width` x `height` pixels, the aspect ratio not kept, as `Image.resize` of
 * Pillow 13 does (Resample.c): the filter's support grows with the shrinking factor, weights are
 * fixed point with 22 bits, each pass is rounded and clipped to 8 bits, and a pass that does not
 * change its size is left out (an image of the right size is returned as it is). The horizontal pass
 * comes first unless the height shrinks by more than twice as many pixels as the width; before
 * version 13 Pillow always took it first.
 */
export function resizeRgb(
  image: RgbImage,
  width: number,
  height: number,
  filter: ResizeFilter = 'bicubic',
): RgbImage {
  const { width: oldWidth, height: oldHeight } = image;
  if (width === oldWidth && height === oldHeight) return image;
  if (filter === 'nearest') return pickNearest(image, width, height);
  const rows = (data: Uint8Array, count: number) =>
    width === oldWidth
      ? data
      : resizeRows(data, oldWidth, count, width, tapsFor(oldWidth, width, filter));
  const columns = (data: Uint8Array, rowBytes: number) =>
    height === oldHeight
      ? data
      : resizeColumns(data, rowBytes, height, tapsFor(oldHeight, height, filter));
  const verticalFirst = height < oldHeight && oldHeight - height > 2 * (oldWidth - width);
  const data = verticalFirst
    ? rows(columns(image.data, oldWidth * 3), height)
    : columns(rows(image.data, oldHeight), width * 3);
  return { width, height, data };
}

/** Pillow's NEAREST (Geometry.c, ImagingScaleAffine): the pixel under the middle of each new one. */
function pickNearest(image: RgbImage, width: number, height: number): RgbImage {
  const columns = nearestPlaces(image.width, width);
  const data = new Uint8Array(width * height * 3);
  let t = 0;
  for (const row of nearestPlaces(image.height, height))
    for (const column of columns) {
      const s = (row * image.width + column) * 3;
      data[t++] = image.data[s];
      data[t++] = image.data[s + 1];
      data[t++] = image.data[s + 2];
    }
  return { width, height, data };
}

/** Pillow adds up the step, whose rounding decides at the borders of pixels. */
function nearestPlaces(input: number, output: number): Int32Array {
  const step = input / output;
  const places = new Int32Array(output);
  for (let i = 0, at = step * 0.5; i < output; i++, at += step)
    places[i] = Math.min(input - 1, Math.trunc(at));
  return places;
}

/** Sums stay in 32 bits, as in Pillow; four taps a turn. */
function resizeRows(
  source: Uint8Array,
  sourceWidth: number,
  rows: number,
  width: number,
  { stride, first, weights }: Taps,
): Uint8Array {
  const target = new Uint8ClampedArray(rows * width * 3);
  const unrolled = stride & ~3;
  let t = 0;
  for (let y = 0; y < rows; y++) {
    const row = y * sourceWidth * 3;
    let k = 0;
    for (let x = 0; x < width; x++) {
      let r = half;
      let g = half;
      let b = half;
      let s = row + first[x] * 3;
      const end = k + stride;
      for (const stop = k + unrolled; k < stop; k += 4, s += 12) {
        const w0 = weights[k];
        const w1 = weights[k + 1];
        const w2 = weights[k + 2];
        const w3 = weights[k + 3];
        r = (r + Math.imul(source[s], w0) + Math.imul(source[s + 3], w1)) | 0;
        r = (r + Math.imul(source[s + 6], w2) + Math.imul(source[s + 9], w3)) | 0;
        g = (g + Math.imul(source[s + 1], w0) + Math.imul(source[s + 4], w1)) | 0;
        g = (g + Math.imul(source[s + 7], w2) + Math.imul(source[s + 10], w3)) | 0;
        b = (b + Math.imul(source[s + 2], w0) + Math.imul(source[s + 5], w1)) | 0;
        b = (b + Math.imul(source[s + 8], w2) + Math.imul(source[s + 11], w3)) | 0;
      }
      for (; k < end; k++, s += 3) {
        const weight = weights[k];
        r = (r + Math.imul(source[s], weight)) | 0;
        g = (g + Math.imul(source[s + 1], weight)) | 0;
        b = (b + Math.imul(source[s + 2], weight)) | 0;
      }
      target[t] = r >> precisionBits;
      target[t + 1] = g >> precisionBits;
      target[t + 2] = b >> precisionBits;
      t += 3;
    }
  }
  return new Uint8Array(target.buffer);
}

/** Adds up whole rows, four at a time. */
function resizeColumns(
  source: Uint8Array,
  rowBytes: number,
  height: number,
  { stride, first, weights }: Taps,
): Uint8Array {
  const target = new Uint8ClampedArray(height * rowBytes);
  const sums = new Int32Array(rowBytes);
  for (let y = 0; y < height; y++) {
    sums.fill(half);
    let row = first[y] * rowBytes;
    let k = y * stride;
    const end = k + stride;
    for (; k + 4 <= end; k += 4, row += 4 * rowBytes) addFourRows(sums, source, row, weights, k);
    for (; k < end; k++, row += rowBytes) {
      const weight = weights[k];
      for (let i = 0; i < rowBytes; i++)
        sums[i] = (sums[i] + Math.imul(source[row + i], weight)) | 0;
    }
    const start = y * rowBytes;
    for (let i = 0; i < rowBytes; i++) target[start + i] = sums[i] >> precisionBits;
  }
  return new Uint8Array(target.buffer);
}

function addFourRows(
  sums: Int32Array,
  source: Uint8Array,
  row: number,
  weights: Int32Array,
  k: number,
): void {
  const width = sums.length;
  const w0 = weights[k];
  const w1 = weights[k + 1];
  const w2 = weights[k + 2];
  const w3 = weights[k + 3];
  const row1 = row + width;
  const row2 = row1 + width;
  const row3 = row2 + width;
  for (let i = 0; i < width; i++) {
    const sum = (sums[i] + Math.imul(source[row + i], w0) + Math.imul(source[row1 + i], w1)) | 0;
    sums[i] = (sum + Math.imul(source[row2 + i], w2) + Math.imul(source[row3 + i], w3)) | 0;
  }
}
