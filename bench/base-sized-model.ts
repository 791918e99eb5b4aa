/** A model of BLIP-base's sizes, for benchmarks: random weights are as fast as trained ones. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '../src/base/random.ts';
import { blipPreprocessing } from '../src/data/index.ts';
import { saveModel } from '../src/model/checkpoint/save.ts';
import { modelParameters } from '../src/model/checkpoint/weights.ts';
import { parseBlipConfig } from '../src/model/config.ts';
import { fromFloat32 } from '../src/weights/weight.ts';

/** The configuration of BLIP-base. */
export const baseSizedConfig = parseBlipConfig(
  { text_config: { num_attention_heads: 12 } },
  'BLIP base',
);

/** A model folder with random weights, kept for the next time. */
export async function baseSizedModel(): Promise<string> {
  const folder = join(tmpdir(), 'refcap-bench-blip-base');
  if (existsSync(join(folder, 'config.json'))) return folder;
  const config = baseSizedConfig;
  const random = createRandom(1);
  const pool = Float32Array.from({ length: 1 << 20 }, () => random.normal() * 0.02);
  const weights = modelParameters(config).map(({ name, shape, initializer }) => {
    const read = () => {
      const values = new Float32Array(shape.reduce((n, size) => n * size, 1));
      if (initializer.kind !== 'normal') values.fill(initializer.kind === 'ones' ? 1 : 0);
      else
        for (let at = 0; at < values.length; ) {
          const from = random.integer(pool.length);
          const part = pool.subarray(from, from + values.length - at);
          values.set(part, at);
          at += part.length;
        }
      return fromFloat32(values, shape).data;
    };
    return [name, { dtype: 'f32', shape, read }] as const;
  });
  await rm(folder, { recursive: true, force: true });
  await saveModel(folder, {
    config,
    weights,
    tokenizer: { vocabulary: ['[PAD]', '[UNK]', '[CLS]', '[SEP]'] },
    preprocessing: blipPreprocessing(config.vision_config.image_size),
  });
  return folder;
}
