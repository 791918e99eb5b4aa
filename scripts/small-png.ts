/** Pictures of pages, small enough for the repository. */
import sharp from 'sharp';

/** Bytes that a picture in the repository may have. */
const mostBytes = 300_000;

/** A screenshot with the largest palette with which it stays small. @throws Error where none does */
export async function smallPng(screenshot: Buffer): Promise<Buffer> {
  for (const colours of [256, 192, 128, 96, 64]) {
    const png = await sharp(screenshot)
      .png({ palette: true, colours, effort: 10, compressionLevel: 9, dither: 0.6 })
      .toBuffer();
    if (png.length <= mostBytes) return png;
  }
  throw new Error(
    `the picture is larger than ${mostBytes} bytes with 64 colours; choose a smaller size.`,
  );
}
