/** Averages of models that share their beginning: a model soup (Wortsman et al. 2022). */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { isDesktopFile } from '../../base/folders.ts';
import { openWeights } from '../../weights/open.ts';
import { type LazyWeight, writeSafetensors } from '../../weights/safetensors/write.ts';
import {
  elementCount,
  fromFloat32,
  isFloatFormat,
  type WeightSource,
} from '../../weights/weight.ts';

/**
 * Writes the mean of each tensor of these models over those in `target`, a copy of the first.
 * @throws InputError naming a tensor that one of them lacks or has in another shape
 */
export async function averageWeights(models: readonly string[], target: string): Promise<void> {
  for (const file of await readdir(models[0]))
    if (file.endsWith('.safetensors') && !isDesktopFile(file))
      await averageFile(
        models.map((model) => join(model, file)),
        join(target, file),
      );
}

async function averageFile(paths: readonly string[], target: string): Promise<void> {
  const sources: WeightSource[] = [];
  try {
    for (const path of paths) sources.push(await openWeights(path));
    const [first] = sources;
    const weights = [...first.tensors.values()].map(({ name, dtype, shape }) => {
      for (const { path, tensors } of sources)
        if (tensors.get(name)?.shape.join() !== shape.join())
          throw new InputError(
            `${path}: ${name} is not there or not [${shape.join(', ')}] as in ${first.path}.`,
          );
      const lazy: LazyWeight = {
        dtype: isFloatFormat(dtype) ? 'f32' : dtype,
        shape,
        read: () =>
          isFloatFormat(dtype)
            ? mean(sources, name, shape)
            : first.read(name).then(({ data }) => data),
      };
      return [name, lazy] as const;
    });
    await writeSafetensors(target, weights, {
      metadata: Object.fromEntries(first.metadata),
      dtype: [...first.tensors.values()].map(({ dtype }) => dtype).find(isFloatFormat),
    });
  } finally {
    for (const source of sources) await source.close();
  }
}

async function mean(
  sources: readonly WeightSource[],
  name: string,
  shape: readonly number[],
): Promise<Uint8Array> {
  const sum = new Float32Array(elementCount(shape));
  for (const source of sources) {
    const values = await source.readFloat32(name);
    for (let i = 0; i < sum.length; i++) sum[i] += values[i] / sources.length;
  }
  return fromFloat32(sum, shape).data;
}
