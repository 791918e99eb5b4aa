/** Small pictures for pages that hold everything in one file. */
import sharp from 'sharp';
import { type DecodeOptions, decodeImage } from './decode.ts';

/**
 * A picture as a `data:` address of a JPEG, at most `size` pixels wide and high.
 * @throws InputError naming the file when it is missing or no picture
 */
export async function thumbnail(
  path: string,
  size: number,
  options?: DecodeOptions,
): Promise<string> {
  const { width, height, data } = await decodeImage(path, options);
  const jpeg = await sharp(data, { raw: { width, height, channels: 3 } })
    .resize(size, size, { fit: 'inside', withoutEnlargement: true })
    .jpeg({ quality: 75 })
    .toBuffer();
  return `data:image/jpeg;base64,${jpeg.toString('base64')}`;
}
