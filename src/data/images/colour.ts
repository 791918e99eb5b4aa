/** Pixels of other colour models to 8-bit RGB, as Pillow does it. Pure. */

/** Each channel is (255 - ink) * (255 - black) / 255, the product rounded. @param inks `channels` bytes a pixel, from 4 */
export function cmykToRgb(inks: Uint8Array, channels = 4): Uint8Array {
  const rgb = new Uint8Array((inks.length / channels) * 3);
  for (let s = 0, t = 0; s < inks.length; s += channels) {
    const light = 255 - inks[s + 3];
    for (let c = 0; c < 3; c++) {
      const product = inks[s + c] * light + 128;
      rgb[t++] = light - (((product >> 8) + product) >> 8);
    }
  }
  return rgb;
}

/** What 64 times a chroma of 0 to 255 adds to a channel, by JFIF's coefficient, in Pillow's rounding. */
function chromaTable(coefficient: number): Int16Array {
  return Int16Array.from({ length: 256 }, (_, i) => Math.trunc(coefficient * (i - 128) * 64 + 0.5));
}

const redOfCr = chromaTable(1.402);
const greenOfCb = chromaTable(-0.34414);
const greenOfCr = chromaTable(-0.71414);
const blueOfCb = chromaTable(1.772);

/** Y, Cb and Cr of JFIF (ITU-R BT.601, full range). @param samples three bytes a pixel */
export function ycbcrToRgb(samples: Uint8Array): Uint8Array {
  const rgb = new Uint8ClampedArray(samples.length);
  for (let i = 0; i < samples.length; i += 3) {
    const [y, cb, cr] = [samples[i], samples[i + 1], samples[i + 2]];
    rgb[i] = y + (redOfCr[cr] >> 6);
    rgb[i + 1] = y + ((greenOfCb[cb] + greenOfCr[cr]) >> 6);
    rgb[i + 2] = y + (blueOfCb[cb] >> 6);
  }
  return new Uint8Array(rgb.buffer);
}

/** Lays pixels over white. @param samples red, green, blue and alpha, and what may follow, `channels` bytes a pixel */
export function layOverWhite(samples: Uint8Array, channels = 4): Uint8Array {
  const rgb = new Uint8Array((samples.length / channels) * 3);
  for (let s = 0, t = 0; s < samples.length; s += channels) {
    const alpha = samples[s + 3];
    for (let c = 0; c < 3; c++)
      rgb[t++] = Math.floor((samples[s + c] * alpha + 255 * (255 - alpha)) / 255);
  }
  return rgb;
}
