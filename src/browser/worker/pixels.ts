/** From a picture as a page has it to 8-bit sRGB pixels: upright, its transparency laid over white. */
import { InputError } from '../../base/errors.ts';
import type { RgbImage } from '../../data/images/rgb.ts';

/** A picture as it comes to the worker: a file's bytes, or what a page had drawn. */
export type SentPicture = Blob | ImageBitmap;

/** Largest picture, in pixels, as in Node. */
const mostPixels = 2 ** 28;
/** Pixels that are drawn at a time: browsers' canvases have limits of their own. */
const stripPixels = 2 ** 22;

/**
 * Decodes as the browser does: EXIF orientation is applied, colour profiles are converted to sRGB, of an animation the
 * first frame is taken. A bitmap is closed.
 * @throws InputError when it is no picture that the browser reads, or too large
 */
export async function decodePicture(picture: SentPicture): Promise<RgbImage> {
  const bitmap = picture instanceof Blob ? await decodeFile(picture) : picture;
  try {
    const { width, height } = bitmap;
    if (width * height > mostPixels)
      throw new InputError(
        `${nameOf(picture)}: ${width} x ${height} pixels are more than the limit of ${mostPixels.toLocaleString('en')}.`,
      );
    return { width, height, data: readPixels(bitmap, nameOf(picture)) };
  } finally {
    bitmap.close();
  }
}

function nameOf(picture: SentPicture): string {
  return picture instanceof File && picture.name !== '' ? picture.name : 'the picture';
}

async function decodeFile(file: Blob): Promise<ImageBitmap> {
  if (file.size === 0) throw new InputError(`${nameOf(file)}: the file is empty.`);
  try {
    return await createImageBitmap(file, { imageOrientation: 'from-image' });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(
      `${nameOf(file)}: this is no picture that this browser reads (${reason.replace(/\.$/, '')}); save it as JPEG or PNG.`,
    );
  }
}

/** Three bytes a pixel. */
function readPixels(bitmap: ImageBitmap, name: string): Uint8Array {
  const { width, height } = bitmap;
  const data = new Uint8Array(width * height * 3);
  const rows = Math.max(1, Math.min(height, Math.floor(stripPixels / width)));
  const canvas = new OffscreenCanvas(width, rows);
  const context = canvas.getContext('2d', { colorSpace: 'srgb', willReadFrequently: true });
  if (!context)
    throw new InputError(`${name}: this browser has no canvas for a picture ${width} pixels wide.`);
  for (let top = 0, at = 0; top < height; top += rows) {
    context.fillStyle = '#fff';
    context.fillRect(0, 0, width, rows);
    context.drawImage(bitmap, 0, -top);
    const strip = context.getImageData(0, 0, width, Math.min(rows, height - top)).data;
    for (let i = 0; i < strip.length; i += 4) {
      data[at++] = strip[i];
      data[at++] = strip[i + 1];
      data[at++] = strip[i + 2];
    }
  }
  return data;
}
