/** Model folders for the tests of captioning, made from the tiny one. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRandom } from '../../src/base/random.ts';
import { encoderGraph, stepGraph } from '../../src/model/blip.ts';
import { loadModel } from '../../src/model/checkpoint/pretrained.ts';
import { isRefinerParameter } from '../../src/model/checkpoint/refiner.ts';
import { saveModel } from '../../src/model/checkpoint/save.ts';
import { modelParameters } from '../../src/model/checkpoint/weights.ts';
import { parseBlipConfig } from '../../src/model/config.ts';
import { refinerSchema } from '../../src/model/refiner/refiner.ts';
import { Scope } from '../../src/nn/scope.ts';
import { fromFloat32, type WeightTensor } from '../../src/weights/weight.ts';
import { fixtures } from '../paths.ts';

export const tiny = join(fixtures, 'blip/tiny');

/** The tiny model with itself, its weights changed, as a second member, and with random training-only layers. */
export async function writeRichModel(folder: string): Promise<void> {
  await using model = await loadModel(tiny);
  const { config, preprocessing, generation } = model;
  const random = createRandom(5);
  const refiner = refinerSchema.parse({ refinement: { heads: 2 }, alignment: { heads: 2 } });
  const scope = new Scope();
  encoderGraph(scope, config, { refiner });
  stepGraph(scope, config.text_config, { refiner });
  const noise = (size: number, scale: number) =>
    Float32Array.from({ length: size }, () => scale * random.normal());
  const layers = scope.parameters.flatMap(({ name, shape }): [string, WeightTensor][] => {
    const size = shape.reduce((product, d) => product * d, 1);
    return isRefinerParameter(name) ? [[name, fromFloat32(noise(size, 0.1), shape)]] : [];
  });
  const other: [string, WeightTensor][] = [];
  for (const [name, { shape }] of model.weights.tensors) {
    const values = await model.weights.readFloat32(name);
    const factors = noise(values.length, 0.2);
    other.push([
      name,
      fromFloat32(
        values.map((value, i) => value * (1 + factors[i])),
        shape,
      ),
    ]);
  }
  const parts = { config, preprocessing, generation, tokenizer: { folder: tiny } };
  await saveModel(folder, {
    ...parts,
    weights: model.weights.lazy(),
    refiner: { config: refiner, weights: layers },
  });
  await saveModel(join(folder, 'member-2'), {
    ...parts,
    weights: other,
    refiner: { config: refiner, weights: layers },
  });
  await cp(join(tiny, 'images'), join(folder, 'images'), { recursive: true });
}

/** Says in a model's config.json how its confidence is computed. */
export async function writeConfidence(folder: string, confidence: unknown): Promise<void> {
  const path = join(folder, 'config.json');
  const json: object = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...json, confidence_config: confidence }));
}

/** Things that the model with concepts has names and words for. */
export const conceptNames = ['owl', 'dog', 'brown owl', 'cat', 'man'] as const;
export const conceptWords = ['grass', 'eyes', 'sea', 'water', 'snow', 'kite'] as const;

/** The tiny model with concepts: two names and three words, by classifiers of random weights. */
export async function writeConceptModel(folder: string): Promise<void> {
  await using model = await loadModel(tiny);
  const { preprocessing, generation, tokenizer } = model;
  const idsOf = (text: string) => tokenizer.encode(text, { specialTokens: false });
  const config = parseBlipConfig(
    {
      ...model.config,
      concept_config: {
        class_tokens: 2,
        word_tokens: 3,
        class_groups: conceptNames.map((_, i) => i),
        class_names: conceptNames.map(idsOf),
        words: conceptWords.flatMap(idsOf),
      },
    },
    'the model with concepts',
  );
  const random = createRandom(6);
  const own = modelParameters(config).filter(({ name }) => name.startsWith('concepts.'));
  const concepts = own.map(({ name, shape }): [string, WeightTensor] => {
    const size = shape.reduce((product, d) => product * d, 1);
    // Far enough apart that pictures differ.
    const values = Float32Array.from({ length: size }, () => 2 * random.normal());
    return [name, fromFloat32(values, shape)];
  });
  const weights: [string, WeightTensor][] = [];
  for (const [name, { shape }] of model.weights.tensors)
    weights.push([name, fromFloat32(await model.weights.readFloat32(name), shape)]);
  await saveModel(folder, {
    config,
    preprocessing,
    generation,
    tokenizer: { folder: tiny },
    weights: [...weights, ...concepts],
  });
}
