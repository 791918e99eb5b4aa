/** Frames made small as PySceneDetect makes them: OpenCV's bilinear resize of 8-bit pixels, to the bit. */
import type { RgbImage } from '../../data/images/rgb.ts';

/** The longer side of frames that are compared, where theirs is not less. */
const longestSide = 256;
/** OpenCV's coefficients have 11 bits. */
const one = 2048;

/** Makes a function that shrinks frames of this size; its result is overwritten by the next. */
export function createDownscaler(width: number, height: number): (frame: RgbImage) => RgbImage {
  const factor = Math.max(width, height) / longestSide;
  if (factor <= 1) return (frame) => frame;
  const smallWidth = Math.max(1, roundHalfEven(width / factor));
  const smallHeight = Math.max(1, roundHalfEven(height / factor));
  const data = new Uint8Array(smallWidth * smallHeight * 3);
  const small = { width: smallWidth, height: smallHeight, data };
  if (width === 2 * smallWidth && height === 2 * smallHeight)
    return (frame) => {
      averageFours(frame, data);
      return small;
    };
  const columns = sampling(width, smallWidth);
  const rows = sampling(height, smallHeight);
  return (frame) => {
    interpolate(frame, columns, rows, data);
    return small;
  };
}

/** For each place of the small image: the two places that it lies between, and the weight of the second. */
interface Sampling {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly weight: Int32Array;
  readonly count: number;
}

function sampling(size: number, count: number): Sampling {
  const scale = 1 / (count / size);
  const first = new Int32Array(count);
  const second = new Int32Array(count);
  const weight = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const place = Math.fround((i + 0.5) * scale - 0.5);
    const whole = Math.floor(place);
    const isInside = whole >= 0 && whole < size - 1;
    first[i] = Math.min(Math.max(whole, 0), size - 1);
    second[i] = isInside ? whole + 1 : first[i];
    weight[i] = isInside ? roundHalfEven(Math.fround(place - whole) * one) : 0;
  }
  return { first, second, weight, count };
}

function interpolate(
  { width, data: source }: RgbImage,
  columns: Sampling,
  rows: Sampling,
  target: Uint8Array,
): void {
  let at = 0;
  for (let y = 0; y < rows.count; y++) {
    const above = rows.first[y] * width;
    const below = rows.second[y] * width;
    const down = rows.weight[y];
    const up = one - down;
    for (let x = 0; x < columns.count; x++) {
      const left = columns.first[x];
      const right = columns.second[x];
      const after = columns.weight[x];
      const before = one - after;
      for (let channel = 0; channel < 3; channel++) {
        const top =
          source[3 * (above + left) + channel] * before +
          source[3 * (above + right) + channel] * after;
        const bottom =
          source[3 * (below + left) + channel] * before +
          source[3 * (below + right) + channel] * after;
        target[at++] = (((up * (top >> 4)) >> 16) + ((down * (bottom >> 4)) >> 16) + 2) >> 2;
      }
    }
  }
}

/** At half the size OpenCV's bilinear resize is the mean of four. */
function averageFours({ width, height, data: source }: RgbImage, target: Uint8Array): void {
  let at = 0;
  for (let y = 0; y < height; y += 2) {
    for (let x = 0; x < width; x += 2) {
      for (let channel = 0; channel < 3; channel++) {
        const top = 3 * (y * width + x) + channel;
        const bottom = top + 3 * width;
        target[at++] =
          (source[top] + source[top + 3] + source[bottom] + source[bottom + 3] + 2) >> 2;
      }
    }
  }
}

/** To the nearest whole number, halves to the even one: as Python and OpenCV round. */
export function roundHalfEven(value: number): number {
  const whole = Math.floor(value);
  const rest = value - whole;
  if (rest !== 0.5) return Math.round(value);
  return whole % 2 === 0 ? whole : whole + 1;
}
