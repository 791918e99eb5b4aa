/** A small model of two members of different kinds. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { createRandom } from '../../src/base/random.ts';
import { loadModel } from '../../src/model/checkpoint/pretrained.ts';
import { saveModel, storeWeights } from '../../src/model/checkpoint/save.ts';
import { modelParameters } from '../../src/model/checkpoint/weights.ts';
import { parseBlipConfig } from '../../src/model/config.ts';
import { ParameterStore } from '../../src/nn/parameter-store.ts';
import { fixtures } from '../paths.ts';

const tiny = join(fixtures, 'blip/tiny');

/** The tiny model and a second member with fewer, narrower image tokens, concepts, other heads and more layers. */
export async function writeTwoMembers(two: string): Promise<void> {
  await cp(tiny, two, { recursive: true });
  await using model = await loadModel(tiny);
  const { vision_config, text_config } = model.config;
  const config = parseBlipConfig(
    {
      ...model.configJson,
      vision_config: { ...vision_config, patch_size: 24, hidden_size: 16 },
      text_config: { ...text_config, num_attention_heads: 4, num_hidden_layers: 3 },
      concept_config: {
        class_tokens: 1,
        word_tokens: 2,
        class_groups: [0, 1, 1],
        class_names: [[20], [30, 31]],
        words: [40, 41, 42, 43],
      },
    },
    'a test',
  );
  const store = new ParameterStore(modelParameters(config));
  // Large weights, so that the second member has something to say.
  const random = createRandom(7);
  store.initialize(random);
  for (const name of store.names)
    if (/weight$/.test(name) && !/LayerNorm|layer_norm/.test(name))
      for (const [i, x] of store.tensor(name).data.entries()) store.tensor(name).data[i] = 16 * x;
  // Which concepts are chosen differs between pictures.
  for (const name of store.names)
    if (name.startsWith('concepts.'))
      for (const i of store.tensor(name).data.keys()) store.tensor(name).data[i] = random.normal();
  await saveModel(join(two, 'member-2'), {
    config,
    weights: storeWeights(store),
    preprocessing: model.preprocessing,
    tokenizer: { folder: tiny },
  });
}
