/** Saves any checkpoint that can be read in transformers' layout. */
import { mkdir } from 'node:fs/promises';
import { resolveModel } from '../../hub/resolve.ts';
import { type LazyWeight, lazyWeights } from '../../weights/safetensors/write.ts';
import { valueCount } from '../../weights/weight.ts';
import type { BlipConfig } from '../config.ts';
import { towers } from '../towers/towers.ts';
import type { SavedDtype } from './dtypes.ts';
import { memberFolder, memberFolders } from './members.ts';
import { type LoadModelOptions, loadModel } from './pretrained.ts';
import { hasRefiner, openRefiner } from './refiner.ts';
import { checkTarget, replaceModel, writeModel } from './save.ts';
import type { PretrainedWeights } from './weights.ts';

export interface ConvertOptions extends LoadModelOptions {
  /** Format of the weights. Default f32. */
  readonly dtype?: SavedDtype;
  /** What is written in place of a model's weights, each in the format that it is given in; `dtype` is not heeded then. */
  readonly rewrite?: (
    config: BlipConfig,
    weights: PretrainedWeights,
  ) => Iterable<[string, LazyWeight]>;
  /** Replace a model folder that exists. */
  readonly overwrite?: boolean;
  /** Stops between two tensors. */
  readonly signal?: AbortSignal;
}

/** What was converted. */
export interface Converted {
  /** The weight file or index that was read. */
  readonly source: string;
  /** Values of all parameters together, those of further members too. */
  readonly values: number;
  /** False for a tower that transformers does not know, and for rewritten weights. */
  readonly opensInPython: boolean;
}

/**
 * Reads a model (folder, file, bundled name or hub id), with its members and training-only layers, and
 * writes it to `target`, whole or not at all; one tensor is in memory at a time.
 * @throws InputError when the model cannot be read or the target not be written; the signal's reason when
 *   aborted
 */
export async function convertModel(
  name: string,
  target: string,
  { overwrite = false, ...options }: ConvertOptions = {},
): Promise<Converted> {
  await checkTarget(target, overwrite);
  const { path } = await resolveModel(name, options.hub);
  const members = await memberFolders(path);
  return replaceModel(target, { overwrite }, async (temporary) => {
    const first = await convertOne(path, temporary, options);
    let { values } = first;
    for (const [i, folder] of members.entries()) {
      const own = memberFolder(temporary, i + 2);
      await mkdir(own);
      values += (await convertOne(folder, own, options)).values;
    }
    return { ...first, values };
  });
}

async function convertOne(
  path: string,
  target: string,
  { dtype = 'f32', rewrite, imageSize, hub, signal }: ConvertOptions,
): Promise<Converted> {
  await using model = await loadModel(path, {
    hub,
    ...(imageSize !== undefined && { imageSize }),
  });
  const { config, configJson, preprocessing, generation, folder, weights } = model;
  await using refiner = (await hasRefiner(folder)) ? await openRefiner(folder, config) : undefined;
  await writeModel(target, {
    config,
    configJson,
    preprocessing,
    generation,
    dtype,
    weights: heeding(signal, rewrite ? rewrite(config, weights) : weights.lazy()),
    keepsFormats: rewrite !== undefined,
    tokenizer: { folder },
    ...(refiner && {
      refiner: {
        config: refiner.config,
        weights: heeding(signal, lazyWeights(refiner.source)),
      },
    }),
  });
  const values = valueCount(weights.tensors.values());
  const opensInPython = !rewrite && towers[config.vision_config.model_type].opensInPython;
  return { source: weights.path, values, opensInPython };
}

/** The same weights; reading one throws when the signal has been aborted. */
function* heeding(
  signal: AbortSignal | undefined,
  weights: Iterable<[string, LazyWeight]>,
): Generator<[string, LazyWeight]> {
  for (const [name, weight] of weights) {
    const read = async () => {
      signal?.throwIfAborted();
      return weight.read();
    };
    yield [name, { ...weight, read }];
  }
}
