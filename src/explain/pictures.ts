/** Changed pictures: mixed with a fill where a mask is low, and what the model then thinks of a caption. */
import { batchOf } from '../caption/executor/batch.ts';
import { type Tensor, tensor } from '../engine/runtime/tensor.ts';
import { type ExplainedModel, forcedIds } from './model.ts';
import { captionLogprobs } from './token-maps.ts';

/** Pictures that go through the model at a time. */
const batchSize = 8;

/**
 * What each of `count` pictures makes of captions: log-probabilities [captions, positions] of each picture.
 * @param write fills in the pixels [3, size, size] of a picture
 * @param captions ids, [DEC] first
 */
export async function scorePictures(
  model: ExplainedModel,
  size: number,
  count: number,
  write: (picture: number, pixels: Float32Array) => void,
  captions: readonly (readonly number[])[],
  signal?: AbortSignal,
): Promise<Float32Array[]> {
  const scores: Float32Array[] = [];
  const plane = 3 * size * size;
  for (let start = 0; start < count; start += batchSize) {
    signal?.throwIfAborted();
    const images = Math.min(batchSize, count - start);
    const pixels = tensor('f32', [images, 3, size, size]);
    for (let i = 0; i < images; i++)
      write(start + i, pixels.data.subarray(i * plane, (i + 1) * plane));
    const tokens = await model.tokens(pixels);
    const all = await captionLogprobs(model, tokens, forcedIds(captions, images));
    const each = all.length / images;
    for (let i = 0; i < images; i++) scores.push(all.slice(i * each, (i + 1) * each));
  }
  return scores;
}

/** picture where the mask is 1, fill where it is 0, into `target`. @param mask [size, size] */
export function mix(
  picture: Float32Array,
  fill: Float32Array,
  mask: (pixel: number) => number,
  target: Float32Array,
): void {
  const plane = target.length / 3;
  for (let pixel = 0; pixel < plane; pixel++) {
    const kept = mask(pixel);
    for (let at = pixel; at < target.length; at += plane)
      target[at] = kept * picture[at] + (1 - kept) * fill[at];
  }
}

/** The cell of a grid, `cells` a side, that a pixel of a picture `size` a side lies in. */
export function cellOf(pixel: number, size: number, cells: number): number {
  const cell = (place: number): number => Math.floor((place * cells) / size);
  return cell(Math.floor(pixel / size)) * cells + cell(pixel % size);
}

/** The picture's mean colour all over. */
export function meanPicture(picture: Float32Array): Float32Array {
  const plane = picture.length / 3;
  const means = [0, 1, 2].map(
    (channel) =>
      picture.subarray(channel * plane, (channel + 1) * plane).reduce((a, b) => a + b, 0) / plane,
  );
  return picture.map((_, i) => means[Math.floor(i / plane)]);
}

/** The picture out of focus: three box blurs, near to a Gaussian one of a tenth of its side. */
export function blurredPicture(picture: Float32Array, size: number): Float32Array {
  const radius = Math.max(1, Math.round(size / 10));
  let blurred = picture;
  for (let pass = 0; pass < 3; pass++)
    for (const step of [1, size]) blurred = boxBlur(blurred, size, radius, step);
  return blurred;
}

/** The mean of 2 radius + 1 pixels along rows (step 1) or columns (step size); edges go on as they end. */
function boxBlur(source: Float32Array, size: number, radius: number, step: number): Float32Array {
  const result = new Float32Array(source.length);
  const other = step === 1 ? size : 1;
  const plane = size * size;
  for (let line = 0; line < source.length / size; line++) {
    const start = Math.floor(line / size) * plane + (line % size) * other;
    const at = (i: number): number => source[start + Math.min(size - 1, Math.max(0, i)) * step];
    let sum = 0;
    for (let i = -radius; i <= radius; i++) sum += at(i);
    for (let i = 0; i < size; i++) {
      result[start + i * step] = sum / (2 * radius + 1);
      sum += at(i + radius + 1) - at(i - radius);
    }
  }
  return result;
}

/** A picture's tokens by each member, computed at the first call alone. */
export function tokensOnce(
  model: ExplainedModel,
  pixels: Float32Array,
  size: number,
): () => Promise<Tensor[]> {
  let tokens: Promise<Tensor[]> | undefined;
  return () => {
    tokens ??= model.tokens(batchOf([pixels], { width: size, height: size }));
    return tokens;
  };
}
