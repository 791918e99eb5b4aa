/** Pixels as PNG files. */
import sharp from 'sharp';

/** @param data four bytes (red, green, blue, opacity) a pixel, row by row */
export async function encodePng(data: Uint8Array, width: number, height: number): Promise<Buffer> {
  return sharp(data, { raw: { width, height, channels: 4 } })
    .png({ compressionLevel: 9 })
    .toBuffer();
}
