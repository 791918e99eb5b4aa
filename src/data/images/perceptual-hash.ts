/** A hash of what a picture looks like: of pictures that look alike only few bits differ. */
import sharp, { type Sharp } from 'sharp';
import { decodeImage } from './decode.ts';

/**
 * The difference hash (dHash) of a picture: whether each of 8 x 8 places is brighter than its right neighbour, after
 * the picture was made 9 x 8 grey pixels (N. Krawetz, "Kind of Like That", 2013).
 * @throws Error when the picture cannot be read
 */
export async function perceptualHash(path: string): Promise<bigint> {
  const pixels = await shrunk(sharp(path, { failOn: 'none', autoOrient: true })).catch(async () => {
    // HEIC and BMP, among others, are not read by libvips.
    const { width, height, data } = await decodeImage(path);
    return shrunk(sharp(data, { raw: { width, height, channels: 3 } }));
  });
  // A picture with transparency has a second channel.
  const channels = pixels.length / 72;
  let hash = 0n;
  for (let y = 0; y < 8; y++)
    for (let x = 0; x < 8; x++) {
      const at = (9 * y + x) * channels;
      hash = (hash << 1n) | (pixels[at] > pixels[at + channels] ? 1n : 0n);
    }
  return hash;
}

function shrunk(picture: Sharp): Promise<Buffer> {
  return picture.greyscale().resize(9, 8, { fit: 'fill', kernel: 'cubic' }).raw().toBuffer();
}
