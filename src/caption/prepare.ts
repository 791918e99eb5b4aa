/** A picture decoded and made fit for the model. */
import { decodeImage } from '../data/images/decode.ts';
import type { Preprocessor } from '../data/images/preprocess.ts';
import type { DecodeOptions, RgbImage } from '../data/images/rgb.ts';

/** A picture: the path of a file, a file's bytes, or pixels. */
export type ImageSource = string | Uint8Array | RgbImage;

export interface PreparedImage {
  /** [3, size, size]. */
  readonly pixels: Float32Array;
  readonly width: number;
  readonly height: number;
}

/**
 * @param target takes the pixels: as many values as the preprocessor writes
 * @throws InputError when the picture cannot be read; the signal's reason when aborted
 */
export async function prepareImage(
  image: ImageSource,
  preprocessor: Preprocessor,
  target: Float32Array,
  options: DecodeOptions,
): Promise<PreparedImage> {
  const decoded =
    typeof image === 'string' || image instanceof Uint8Array
      ? await decodeImage(image, options)
      : image;
  preprocessor.write(decoded, target);
  return { pixels: target, width: decoded.width, height: decoded.height };
}
