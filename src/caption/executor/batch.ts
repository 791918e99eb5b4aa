/** The pixels of a batch, one picture after the other in one piece of memory, as the model reads them. */
import type { Preprocessing } from '../../data/images/preprocess.ts';
import { type Tensor, tensor } from '../../engine/runtime/tensor.ts';

/**
 * Copies of pictures that lie one after the other, to be handed to a thread. Memory that threads share is not what they are
 * given: V8 does not count it in the thread that receives it, where it would stay until something else makes it collect garbage.
 */
export function oneAfterTheOther(images: readonly Float32Array[]): {
  readonly copies: Float32Array[];
  readonly memory: ArrayBuffer;
} {
  const all = new Float32Array(images.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  const copies = images.map((pixels) => {
    const start = end;
    end += pixels.length;
    all.set(pixels, start);
    return all.subarray(start, end);
  });
  return { copies, memory: all.buffer };
}

/** Pixels of each image, [3, height, width], as one tensor [images, 3, height, width]; without a copy where they lie so. */
export function batchOf(
  images: readonly Float32Array[],
  { width, height }: Pick<Preprocessing, 'width' | 'height'>,
): Tensor<'f32'> {
  const [first] = images;
  const count = images.reduce((sum, { length }) => sum + length, 0);
  const inOnePiece = images.every(
    ({ buffer, byteOffset }, i) =>
      buffer === first.buffer && byteOffset === first.byteOffset + i * first.byteLength,
  );
  // ONNX Runtime reads no shared memory, which a caller's pixels may be in.
  const data =
    inOnePiece && first.buffer instanceof ArrayBuffer
      ? new Float32Array(first.buffer, first.byteOffset, count)
      : new Float32Array(oneAfterTheOther(images).memory);
  return tensor('f32', [images.length, 3, height, width], data);
}
