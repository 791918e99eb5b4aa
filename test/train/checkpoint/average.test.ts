/** Averages of models: the mean of every tensor, in the first one's format. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { averageWeights } from '../../../src/train/checkpoint/average.ts';
import { openWeights } from '../../../src/weights/open.ts';
import { writeSafetensors } from '../../../src/weights/safetensors/write.ts';
import { type FloatDtype, fromFloat32, type WeightTensor } from '../../../src/weights/weight.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refcap-average-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const counts: WeightTensor = {
  dtype: 'i64',
  shape: [1],
  data: Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0),
};

/** A model's folder with one tensor of these values, and one of whole numbers. */
async function model(
  name: string,
  values: readonly number[],
  dtype: FloatDtype = 'f32',
  file = 'model.safetensors',
): Promise<string> {
  const path = join(folder, name);
  await mkdir(path, { recursive: true });
  const weights: [string, WeightTensor][] = [
    ['w', fromFloat32(Float32Array.from(values), [values.length])],
    ['n', counts],
  ];
  await writeSafetensors(join(path, file), weights, {
    dtype,
    metadata: { format: 'pt', of: name },
  });
  return path;
}

async function averaged(models: readonly string[]): Promise<string> {
  const target = join(folder, 'mean');
  await cp(models[0], target, { recursive: true });
  await averageWeights(models, target);
  return target;
}

describe('averageWeights', () => {
  it.each(['f32', 'f16'] as const)('is the mean of each value, in %s', async (dtype) => {
    const models = [
      await model('a', [1, -2, 0.5], dtype),
      await model('b', [2, 6, 0.5], dtype),
      await model('c', [6, 2, 0.5], dtype),
    ];
    await using mean = await openWeights(await averaged(models));
    expect(mean.tensors.get('w')?.dtype).toBe(dtype);
    for (const [i, value] of (await mean.readFloat32('w')).entries())
      expect(value).toBeCloseTo([3, 2, 0.5][i], 5);
    expect(mean.metadata.get('of')).toBe('a');
  });

  it('is the model itself, of itself', async () => {
    const path = await model('a', [0.1, 1e-8, -3e7]);
    const target = await averaged([path, path]);
    const file = 'model.safetensors';
    expect(await readFile(join(target, file))).toEqual(await readFile(join(path, file)));
  });

  it('leaves whole numbers as the first has them, and averages every file of weights', async () => {
    const models = [await model('a', [1]), await model('b', [3])];
    await model('a', [10, 20], 'f32', 'refiner.safetensors');
    await model('b', [20, 40], 'f32', 'refiner.safetensors');
    // Desktops put such files beside; they hold no weights.
    await writeFile(join(models[0], '._model.safetensors'), 'x');
    const target = await averaged(models);
    await using refiner = await openWeights(join(target, 'refiner.safetensors'));
    expect([...(await refiner.readFloat32('w'))]).toEqual([15, 30]);
    expect((await refiner.read('n')).data).toEqual(counts.data);
  });

  it('names a tensor that another lacks or has in another shape', async () => {
    const [first, other] = [await model('a', [1, 2]), await model('b', [1, 2, 3])];
    await expect(averaged([first, other])).rejects.toThrow(
      `${join(other, 'model.safetensors')}: w is not there or not [2] as in`,
    );
  });
});
