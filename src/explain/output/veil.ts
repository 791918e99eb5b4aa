/** A map as a veil over the picture: dark where the word did not look, clear where it did. Colours play no part. */

const darkest = 0.74;
const ink = [9, 12, 34] as const;

/** The veil's pixels, one a cell: red, green, blue, opacity. What speaks against a word is as dark as can be. */
export function veilPixels(map: Float32Array): Uint8Array<ArrayBuffer> {
  const top = map.reduce((a, b) => Math.max(a, b), 0);
  const pixels = new Uint8Array(4 * map.length);
  for (const [cell, value] of map.entries()) {
    const light = top > 0 ? Math.max(0, value) / top : 0;
    pixels.set([...ink, Math.round(255 * darkest * (1 - light))], 4 * cell);
  }
  return pixels;
}
