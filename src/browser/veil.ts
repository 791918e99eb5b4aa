/** Draws where a word looked over its picture. */
import { veilPixels } from '../explain/output/veil.ts';

/** Fills `canvas` with the veil of a map [side, side]: clear where the word looked, dark elsewhere. */
export function drawVeil(canvas: HTMLCanvasElement, side: number, map: Float32Array): void {
  const small = new OffscreenCanvas(side, side);
  const pixels = new Uint8ClampedArray(veilPixels(map));
  small.getContext('2d')?.putImageData(new ImageData(pixels, side, side), 0, 0);
  const context = canvas.getContext('2d');
  context?.clearRect(0, 0, canvas.width, canvas.height);
  context?.drawImage(small, 0, 0, canvas.width, canvas.height);
}
