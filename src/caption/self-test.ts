/** Whether a device computes as it should: the probabilities of a fixed caption for a fixed picture. */
import { createRandom } from '../base/random.ts';
import { createPreprocessor, type Preprocessing } from '../data/images/preprocess.ts';
import type { RgbImage } from '../data/images/rgb.ts';
import type { SelfTest } from '../model/checkpoint/manifest.ts';
import type { CaptionWriter } from './executor/writer.ts';

const [width, height] = [160, 120];

/** The test picture: a bright disc over a slope of colours, with some noise. */
export function testPicture(): RgbImage {
  const random = createRandom(7);
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const isDisc = (x - 90) ** 2 + (y - 55) ** 2 < 30 ** 2;
      const colour = isDisc ? [235, 215, 180] : [x, 60 + y, 200 - y];
      for (const value of colour) data[i++] = value + random.integer(16);
    }
  return { width, height, data };
}

/** The test picture as the model's input, [3, size, size]. */
export function testPixels(preprocessing: Preprocessing): Float32Array {
  const preprocessor = createPreprocessor(preprocessing);
  const pixels = new Float32Array(preprocessor.valuesPerImage);
  preprocessor.write(testPicture(), pixels);
  return pixels;
}

/** How products with weights are computed. */
export type Products = 'f32' | 'int8';

/** The largest difference of a log-probability that kernels may make, which differ in the order of their sums. */
const tolerances: Readonly<Record<Products, number>> = {
  f32: 0.02,
  // A number at the border of two steps may be rounded to either.
  int8: 0.25,
};

/** What is wrong with the device that the writer runs on, in words; undefined where nothing is. */
export async function deviceFault(
  writer: CaptionWriter,
  preprocessing: Preprocessing,
  { ids, ...expected }: SelfTest,
  products: Products,
): Promise<string | undefined> {
  const wanted = expected[products] ?? expected.f32;
  const found = await writer.logprobs(testPixels(preprocessing), ids);
  const differences = found.map((logprob, i) => Math.abs(logprob - wanted[i]));
  // NaN is no small number either.
  const largest = differences.reduce((most, x) => (x <= most ? most : x), 0);
  if (largest <= tolerances[products]) return undefined;
  return `log-probabilities of the test picture are off by ${largest.toFixed(2)}`;
}
