/** Frames made small as PySceneDetect makes them: OpenCV's bilinear resize of 8-bit pixels, to the bit. */
import type { RgbImage } from '../../data/images/rgb.ts';

/** The longer side of frames that are compared, where theirs is not less. */
const longestSide = 256;
/** OpenCV's coefficients have 11 bits. */
export const wholeWeight = 2048;

/** Makes a function that shrinks frames of this size; its result is overwritten by the next. */
export function createDownscaler(width: number, height: number): (frame: RgbImage) => RgbImage {
  const { width: smallWidth, height: smallHeight } = smallSize(width, height);
  if (smallWidth === width && smallHeight === height) return (frame) => frame;
  const data = new Uint8Array(smallWidth * smallHeight * 3);
  const small = { width: smallWidth, height: smallHeight, data };
  if (width === 2 * smallWidth && height === 2 * smallHeight)
    return (frame) => {
      averageFours(frame, data);
      return small;
    };
  const columns = sampling(width, smallWidth, 3);
  const rows = sampling(height, smallHeight, 3 * width);
  return (frame) => {
    interpolate(frame, columns, rows, data);
    return small;
  };
}

/** The size of frames that are compared. */
export function smallSize(width: number, height: number): { width: number; height: number } {
  const factor = Math.max(width, height) / longestSide;
  if (factor <= 1) return { width, height };
  const small = (size: number): number => Math.max(1, roundHalfEven(size / factor));
  return { width: small(width), height: small(height) };
}

/** For each place of the small image: the bytes of the two places that it lies between, and the weight of the second. */
export interface Sampling {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly weight: Int32Array;
  readonly count: number;
}

/**
 * @param count places of the small image
 * @param step bytes from one place to the next
 */
export function sampling(size: number, count: number, step: number): Sampling {
  const scale = 1 / (count / size);
  const first = new Int32Array(count);
  const second = new Int32Array(count);
  const weight = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const place = Math.fround((i + 0.5) * scale - 0.5);
    const whole = Math.floor(place);
    const isInside = whole >= 0 && whole < size - 1;
    first[i] = step * Math.min(Math.max(whole, 0), size - 1);
    second[i] = isInside ? step * (whole + 1) : first[i];
    weight[i] = isInside ? roundHalfEven(Math.fround(place - whole) * wholeWeight) : 0;
  }
  return { first, second, weight, count };
}

function interpolate(
  { data: source }: RgbImage,
  columns: Sampling,
  rows: Sampling,
  target: Uint8Array,
): void {
  const { first, second, weight, count } = columns;
  let at = 0;
  for (let y = 0; y < rows.count; y++) {
    const above = rows.first[y];
    const below = rows.second[y];
    const down = rows.weight[y];
    const up = wholeWeight - down;
    for (let x = 0; x < count; x++) {
      const after = weight[x];
      const before = wholeWeight - after;
      const a = above + first[x];
      const b = above + second[x];
      const c = below + first[x];
      const d = below + second[x];
      const red = (source[a] * before + source[b] * after) >> 4;
      const redBelow = (source[c] * before + source[d] * after) >> 4;
      const green = (source[a + 1] * before + source[b + 1] * after) >> 4;
      const greenBelow = (source[c + 1] * before + source[d + 1] * after) >> 4;
      const blue = (source[a + 2] * before + source[b + 2] * after) >> 4;
      const blueBelow = (source[c + 2] * before + source[d + 2] * after) >> 4;
      target[at] = (((up * red) >> 16) + ((down * redBelow) >> 16) + 2) >> 2;
      target[at + 1] = (((up * green) >> 16) + ((down * greenBelow) >> 16) + 2) >> 2;
      target[at + 2] = (((up * blue) >> 16) + ((down * blueBelow) >> 16) + 2) >> 2;
      at += 3;
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
