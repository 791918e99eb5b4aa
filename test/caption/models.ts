/** Model folders for the tests of captioning, made from the tiny one. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { createRandom } from '../../src/base/random.ts';
import { encoderGraph, stepGraph } from '../../src/model/blip.ts';
import { loadModel } from '../../src/model/checkpoint/pretrained.ts';
import { isRefinerParameter } from '../../src/model/checkpoint/refiner.ts';
import { saveModel } from '../../src/model/checkpoint/save.ts';
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
