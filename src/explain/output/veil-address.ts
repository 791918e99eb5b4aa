/** A veil as a small picture for pages of one file. */
import { encodePng } from '../../data/images/png.ts';
import { veilPixels } from './veil.ts';

/** Pages stretch it over the picture. */
export async function veilAddress(map: Float32Array, side: number): Promise<string> {
  const png = await encodePng(veilPixels(map), side, side);
  return `data:image/png;base64,${png.toString('base64')}`;
}
