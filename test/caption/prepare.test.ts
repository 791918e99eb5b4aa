/** Pictures made fit for a model. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { prepareImage } from '../../src/caption/prepare.ts';
import { blipPreprocessing, createPreprocessor } from '../../src/data/images/preprocess.ts';
import { tiny } from './models.ts';

it('writes the pixels of a path or of given pixels where it is told, with the sizes of before', async () => {
  const preprocessor = createPreprocessor(blipPreprocessing(32));
  const target = new Float32Array(3 * 32 * 32);
  const path = join(tiny, 'images/owl-1.png');
  const prepared = await prepareImage(path, preprocessor, target, {});
  expect(prepared.pixels).toBe(target);
  expect([prepared.width, prepared.height]).toEqual([48, 48]);
  const grey = { width: 2, height: 3, data: new Uint8Array(18).fill(128) };
  const flat = await prepareImage(grey, preprocessor, new Float32Array(target.length), {});
  expect([flat.width, flat.height]).toEqual([2, 3]);
  for (const [channel, [mean, deviation]] of [
    [0.48145466, 0.26862954],
    [0.4578275, 0.26130258],
    [0.40821073, 0.27577711],
  ].entries())
    expect(flat.pixels[channel * 32 * 32 + 5]).toBeCloseTo((128 / 255 - mean) / deviation, 5);
});
