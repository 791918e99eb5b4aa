/** Small pictures for pages that hold everything in one file. */
import sharp from 'sharp';
import { sampleFrames } from '../films/sample.ts';
import type { DecodeOptions, RgbImage } from './rgb.ts';

/**
 * A picture, or a film's middle frame, as a `data:` address of a JPEG, at most `size` pixels wide and high.
 * @throws InputError naming the file when it is missing or no picture
 */
export async function thumbnail(
  path: string,
  size: number,
  options?: DecodeOptions,
): Promise<string> {
  return pixelThumbnail((await sampleFrames(path, 1, options))[0], size);
}

/**
 * A picture as a JPEG, at most `size` pixels wide and high.
 * @throws as `thumbnail`
 */
export async function jpegThumbnail(
  path: string,
  size: number,
  options?: DecodeOptions,
): Promise<Buffer> {
  return smallJpeg((await sampleFrames(path, 1, options))[0], size);
}

/**
 * Pixels in memory as a `data:` address of a JPEG, at most `size` pixels wide and high.
 * @param pixelAspect how much wider than high a pixel is shown
 */
export async function pixelThumbnail(
  image: RgbImage,
  size: number,
  pixelAspect = 1,
): Promise<string> {
  const jpeg = await smallJpeg(image, size, pixelAspect);
  return `data:image/jpeg;base64,${jpeg.toString('base64')}`;
}

async function smallJpeg(
  { width, height, data }: RgbImage,
  size: number,
  pixelAspect = 1,
): Promise<Buffer> {
  const image = sharp(data, { raw: { width, height, channels: 3 } });
  const shown =
    pixelAspect === 1
      ? image.resize(size, size, { fit: 'inside', withoutEnlargement: true })
      : image.resize(...fitted(width * pixelAspect, height, size), { fit: 'fill' });
  return shown.jpeg({ quality: 75 }).toBuffer();
}

/** Whole sizes of that shape, at most `size`. */
function fitted(width: number, height: number, size: number): [number, number] {
  const scale = Math.min(1, size / Math.max(width, height));
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
}
