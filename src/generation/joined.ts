/** Several images read as one: their tokens stand end to end in the decoder's cross-attention. */
import { type Tensor, tensor } from '../engine/runtime/tensor.ts';
import type { EncodedImages } from './inference.ts';

/**
 * Joins each `count` images that follow one another, such as frames of a scene, into one.
 * @param encoded keys and values [images, heads, tokens, headWidth] become [images / count, heads, count tokens, headWidth]
 * @throws RangeError where the images do not come out even
 */
export function joinImages(encoded: EncodedImages, count: number): EncodedImages {
  if (count === 1) return encoded;
  if (encoded.count % count !== 0)
    throw new RangeError(`${encoded.count} images cannot be joined by ${count}`);
  const cross = Object.entries(encoded.cross).map(([name, value]) => [name, joined(value, count)]);
  const [images] = encoded.tokens.shape;
  const { concepts } = encoded;
  return {
    count: images / count,
    tokens: endToEnd(encoded.tokens, count),
    cross: Object.fromEntries(cross),
    ...(concepts && {
      concepts: {
        words: endToEnd(concepts.words, count),
        probabilities: endToEnd(concepts.probabilities, count),
      },
    }),
  };
}

/** [images, tokens, ...] -> [images / count, count tokens, ...]: they lie end to end already. */
function endToEnd(value: Tensor, count: number): Tensor {
  const [images, tokens, ...rest] = value.shape;
  return { ...value, shape: [images / count, count * tokens, ...rest] };
}

/** [images, heads, tokens, width] -> [images / count, heads, count tokens, width]. */
function joined({ shape, data }: Tensor, count: number): Tensor {
  if (!(data instanceof Float32Array))
    throw new TypeError('the graph gave something other than f32');
  const [images, heads, tokens, width] = shape;
  const size = tokens * width;
  const target = new Float32Array(data.length);
  for (let image = 0; image < images; image++) {
    const group = Math.floor(image / count);
    for (let head = 0; head < heads; head++) {
      const from = (image * heads + head) * size;
      const to = ((group * heads + head) * count + (image % count)) * size;
      target.set(data.subarray(from, from + size), to);
    }
  }
  return tensor('f32', [images / count, heads, count * tokens, width], target);
}
