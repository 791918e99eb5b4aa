/** Augmentation of training images: random resized crop and horizontal flip. Pure. */
import type { Random } from '../../base/random.ts';
import type { RgbImage } from './rgb.ts';

export interface Augmentation {
  /** Least and greatest share of the image's area that a crop covers. */
  readonly scale: readonly [number, number];
  /** Least and greatest width of a crop divided by its height. */
  readonly ratio: readonly [number, number];
  /** Whether every second image, at random, is mirrored. */
  readonly flip: boolean;
}

/** A rectangle of whole pixels. */
export interface Crop {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const tries = 10;

/**
 * Draws the rectangle of torchvision's RandomResizedCrop: its area a uniform share of the image's,
 * its ratio log-uniform, its place uniform; after ten draws that do not fit, the largest centred
 * rectangle of an allowed ratio.
 */
export function randomCrop(
  width: number,
  height: number,
  { scale, ratio }: Augmentation,
  random: Random,
): Crop {
  for (let i = 0; i < tries; i++) {
    const area = width * height * between(scale[0], scale[1], random);
    const aspect = Math.exp(between(Math.log(ratio[0]), Math.log(ratio[1]), random));
    const w = Math.round(Math.sqrt(area * aspect));
    const h = Math.round(Math.sqrt(area / aspect));
    if (w < 1 || h < 1 || w > width || h > height) continue;
    const top = random.integer(height - h + 1);
    return { left: random.integer(width - w + 1), top, width: w, height: h };
  }
  const aspect = Math.min(ratio[1], Math.max(ratio[0], width / height));
  const w = Math.max(1, Math.min(width, Math.round(height * aspect)));
  const h = Math.max(1, Math.min(height, Math.round(width / aspect)));
  return { left: (width - w) >> 1, top: (height - h) >> 1, width: w, height: h };
}

/** What an augmented version shows of an image. */
export interface Framing {
  readonly crop: Crop;
  readonly mirrored: boolean;
}

/** Draws it for an image of this size. Takes the same numbers from `random` whether or not it `mayFlip`. */
export function randomFraming(
  { width, height }: Pick<RgbImage, 'width' | 'height'>,
  settings: Augmentation,
  random: Random,
  mayFlip: boolean,
): Framing {
  const crop = randomCrop(width, height, settings, random);
  return { crop, mirrored: settings.flip && random.next() < 0.5 && mayFlip };
}

/**
 * Crops and perhaps mirrors `image`; the preprocessing's resizing, which comes after, completes the
 * random resized crop.
 */
export function augment(
  image: RgbImage,
  settings: Augmentation,
  random: Random,
  mayFlip: boolean,
): RgbImage {
  return framed(image, randomFraming(image, settings, random, mayFlip));
}

/** What a framing shows of an image: the pixels of its rectangle, mirrored if it is. */
export function framed(image: RgbImage, { crop, mirrored }: Framing): RgbImage {
  const { left, top, width, height } = crop;
  const isWhole = width === image.width && height === image.height;
  if (isWhole && !mirrored) return image;
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const start = ((top + y) * image.width + left) * 3;
    const row = y * width * 3;
    if (!mirrored) {
      data.set(image.data.subarray(start, start + width * 3), row);
      continue;
    }
    for (let s = start, t = row + (width - 1) * 3; t >= row; s += 3, t -= 3) {
      data[t] = image.data[s];
      data[t + 1] = image.data[s + 1];
      data[t + 2] = image.data[s + 2];
    }
  }
  return { width, height, data };
}

/** Whether an image can be mirrored and its captions stay true: none says left or right as a word. */
export function mayFlip(captions: readonly string[]): boolean {
  return !captions.some((caption) => /\b(?:left|right)\b/i.test(caption));
}

function between(least: number, greatest: number, random: Random): number {
  return least + (greatest - least) * random.next();
}
