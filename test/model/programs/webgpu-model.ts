/** Encodes a picture and writes three words on the CPU and on WebGPU, and prints the largest differences. */
import { join } from 'node:path';
import { createRandom } from '../../../src/base/random.ts';
import { tensor } from '../../../src/engine/runtime/tensor.ts';
import { Inference } from '../../../src/generation/inference.ts';
import type { InferenceOptions } from '../../../src/generation/open-graph.ts';
import { loadModel } from '../../../src/model/checkpoint/pretrained.ts';
import { fixtures } from '../../paths.ts';

async function run(options: InferenceOptions): Promise<Record<string, Float32Array>> {
  await using model = await loadModel(join(fixtures, 'blip/tiny'));
  using inference = await Inference.open(model.config, model.weights, options);
  const size = model.config.vision_config.image_size;
  const random = createRandom(1);
  const pixels = Float32Array.from({ length: 2 * 3 * size * size }, () => random.normal());
  const images = await inference.encode(tensor('f32', [2, 3, size, size], pixels));
  const decoding = inference.decode(images);
  const { bos_token_id: bos, vocab_size: vocabulary } = model.config.text_config;
  const results: Record<string, Float32Array> = {
    tokens: Float32Array.from(images.tokens.data as Float32Array),
  };
  for (let step = 0; step < 3; step++) {
    const ids = Int32Array.from({ length: 4 }, () =>
      step === 0 ? bos : random.integer(vocabulary),
    );
    const { logits, normalizer } = await decoding.step(ids, 1);
    results[`logits ${step}`] = Float32Array.from(logits);
    results[`normalizer ${step}`] = Float32Array.from(normalizer);
    // Rows change places between steps, as in beam search.
    decoding.select([0, 1], [1, 0, 3, 3]);
  }
  return results;
}

const cpu = await run({ device: 'cpu' });
const gpu = await run({ device: 'webgpu' });
for (const [name, wanted] of Object.entries(cpu)) {
  const got = gpu[name];
  let difference = got.length === wanted.length ? 0 : Number.POSITIVE_INFINITY;
  for (const [i, x] of wanted.entries()) difference = Math.max(difference, Math.abs(got[i] - x));
  const largest = wanted.reduce((a, x) => Math.max(a, Math.abs(x)), 0);
  console.log(JSON.stringify({ name, difference, largest }));
}
