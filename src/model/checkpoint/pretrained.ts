/** Opens a captioner's folder or file: config, weights, tokenizer, preprocessing, defaults of generation. */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { folderTexts } from '../../base/files.ts';
import type { ResolveOptions } from '../../hub/resolve.ts';
import type { Group } from '../../nn/parameter-store.ts';
import { ParameterStore } from '../../nn/parameter-store.ts';
import type { ParameterSpec } from '../../nn/scope.ts';
import { openWeights } from '../../weights/open.ts';
import type { WeightSource } from '../../weights/weight.ts';
import { adaptWeights, isAdapterFolder, openAdapter } from './adapter/adapter.ts';
import { findBase } from './adapter/base.ts';
import { type DescribedModel, type DescriptionOptions, readDescription } from './description.ts';
import { refuseOtherFolder } from './no-model.ts';
import { matchWeights, modelParameters, type PretrainedWeights } from './weights.ts';

/** A model's parts; the weights stay in their file until they are asked for. Dispose it when done. */
export interface PretrainedModel extends DescribedModel, AsyncDisposable {
  /** The folder of config and tokenizer. */
  readonly folder: string;
  readonly weights: PretrainedWeights;
}

export interface LoadModelOptions extends DescriptionOptions {
  /** Where the base model of an adapter is looked for; its `base` names another than adapter_config.json. */
  readonly hub?: ResolveOptions | undefined;
}

/**
 * Opens a model folder in transformers' layout, or one weight file with config.json and tokenizer
 * beside it (also the original .pth of salesforce/BLIP), or the folder of a LoRA adapter made by PEFT, whose
 * layers are then merged into the weights of its base model.
 * @throws InputError naming the file that is missing or wrong, what it is when it is no captioner, or the first
 *   tensors that do not fit (`details`: all)
 */
export async function loadModel(
  path: string,
  options: LoadModelOptions = {},
): Promise<PretrainedModel> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => {
      throw new InputError(`${path}: there is no such model folder or file.`);
    },
  );
  if (isFolder && (await isAdapterFolder(path))) return loadAdapted(path, options);
  if (isFolder) await refuseOtherFolder(path);
  const source = await openWeights(path);
  try {
    return await loadBeside(source, isFolder ? path : dirname(path), options);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** The model whose weights are open; closes them when it is disposed of. */
async function loadBeside(
  source: WeightSource,
  folder: string,
  options: LoadModelOptions,
): Promise<PretrainedModel> {
  const described = await readDescription(folderTexts(folder), source.path, options);
  const interpolate = options.imageSize !== undefined;
  const weights = await matchWeights(source, described.config, { interpolate });
  return { ...described, folder, weights, [Symbol.asyncDispose]: () => source.close() };
}

/** The base model of an adapter, with the adapter's layers in its weights. */
async function loadAdapted(folder: string, options: LoadModelOptions): Promise<PretrainedModel> {
  const adapter = await openAdapter(folder);
  try {
    // The base model's confidence was calibrated for other weights.
    const base = await loadModel(await findBase(adapter, options.hub), {
      ...options,
      ignoreConfidence: true,
    });
    try {
      const weights = adaptWeights(base.weights, adapter);
      const dispose = async () => {
        await base[Symbol.asyncDispose]();
        await adapter[Symbol.asyncDispose]();
      };
      return { ...base, weights, [Symbol.asyncDispose]: dispose };
    } catch (error) {
      await base[Symbol.asyncDispose]();
      throw error;
    }
  } catch (error) {
    await adapter[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * Reads all weights of a model into a new store.
 * @param groupOf the group of each parameter, as for ParameterStore
 */
export async function loadParameters(
  model: Pick<PretrainedModel, 'config' | 'weights'>,
  groupOf?: (spec: ParameterSpec) => Group,
): Promise<ParameterStore> {
  const store = new ParameterStore(modelParameters(model.config), groupOf);
  await model.weights.fill(store);
  return store;
}
