/** A picture under a word's veil, as pixels. */
import sharp, { type Sharp } from 'sharp';
import { veilPixels } from './veil.ts';

/** @param picture a picture of that size, in any format. @returns it under the veil, which is smooth between the cells */
export async function veiledPicture(
  picture: Uint8Array,
  map: Float32Array,
  side: number,
  { width, height }: { readonly width: number; readonly height: number },
): Promise<Sharp> {
  const veil = await sharp(veilPixels(map), { raw: { width: side, height: side, channels: 4 } })
    .resize({ width, height, fit: 'fill', kernel: 'cubic' })
    .png()
    .toBuffer();
  return sharp(picture).composite([{ input: veil }]);
}
