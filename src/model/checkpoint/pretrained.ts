/** Opens a captioner's folder or file: config, weights, tokenizer, preprocessing, defaults of generation. */
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { readTextIfThere } from '../../base/files.ts';
import { parseJson } from '../../base/json.ts';
import { findPreprocessing } from '../../data/images/load.ts';
import { blipPreprocessing, type Preprocessing } from '../../data/images/preprocess.ts';
import { loadTextTokenizer } from '../../data/text/load.ts';
import type { TextTokenizer } from '../../data/text/tokenizer.ts';
import type { ResolveOptions } from '../../hub/resolve.ts';
import type { Group } from '../../nn/parameter-store.ts';
import { ParameterStore } from '../../nn/parameter-store.ts';
import type { ParameterSpec } from '../../nn/scope.ts';
import { openWeights } from '../../weights/open.ts';
import type { WeightSource } from '../../weights/weight.ts';
import { type BlipConfig, parseBlipConfig } from '../config.ts';
import { adaptWeights, isAdapterFolder, openAdapter } from './adapter/adapter.ts';
import { findBase } from './adapter/base.ts';
import { refuseOtherFamily } from './families.ts';
import { type GenerationOptions, parseGenerationConfig } from './generation-config.ts';
import { besideWeights, refuseOtherFolder } from './no-model.ts';
import { matchWeights, modelParameters, type PretrainedWeights } from './weights.ts';

/** A model's parts; the weights stay in their file until they are asked for. Dispose it when done. */
export interface PretrainedModel extends AsyncDisposable {
  /** The folder of config and tokenizer. */
  readonly folder: string;
  readonly config: BlipConfig;
  /** config.json as it stands, with the fields that the graph does not need. */
  readonly configJson: Readonly<Record<string, unknown>>;
  readonly weights: PretrainedWeights;
  readonly tokenizer: TextTokenizer;
  readonly preprocessing: Preprocessing;
  /** Defaults of generation_config.json. */
  readonly generation: GenerationOptions;
}

export interface LoadModelOptions {
  /** Pixels a side, where they should differ from the config's: position embeddings are interpolated. */
  readonly imageSize?: number;
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
  const configPath = join(folder, 'config.json');
  const configJson = await readJson(configPath);
  if (configJson === undefined)
    throw new InputError(`${source.path}: there is no config.json beside it; ${besideWeights}.`);
  refuseOtherFamily(configJson, configPath);
  const config = withImageSize(parseBlipConfig(configJson, configPath), options, configPath);
  const preprocessing = await preprocessingOf(folder, config, options);
  const tokenizer = await loadTextTokenizer(folder);
  if (tokenizer.size > config.text_config.vocab_size)
    throw new InputError(
      `${folder}: the tokenizer has ids up to ${tokenizer.size - 1}, but text_config.vocab_size in config.json is ${config.text_config.vocab_size}: the vocabulary does not fit the embedding.`,
    );
  const generationPath = join(folder, 'generation_config.json');
  const generation = parseGenerationConfig((await readJson(generationPath)) ?? {}, generationPath);
  const interpolate = options.imageSize !== undefined;
  const weights = await matchWeights(source, config, { interpolate });
  return {
    folder,
    config,
    configJson,
    weights,
    tokenizer,
    preprocessing,
    generation,
    [Symbol.asyncDispose]: () => source.close(),
  };
}

/** The base model of an adapter, with the adapter's layers in its weights. */
async function loadAdapted(folder: string, options: LoadModelOptions): Promise<PretrainedModel> {
  const adapter = await openAdapter(folder);
  try {
    const base = await loadModel(await findBase(adapter, options.hub), options);
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

function withImageSize(
  config: BlipConfig,
  { imageSize }: LoadModelOptions,
  source: string,
): BlipConfig {
  if (imageSize === undefined) return config;
  const vision_config = { ...config.vision_config, image_size: imageSize };
  return parseBlipConfig({ ...config, vision_config }, source);
}

async function preprocessingOf(
  folder: string,
  config: BlipConfig,
  { imageSize }: LoadModelOptions,
): Promise<Preprocessing> {
  const size = config.vision_config.image_size;
  const found = await findPreprocessing(folder);
  if (!found) return blipPreprocessing(size);
  const { source, preprocessing } = found;
  if (imageSize !== undefined) return { ...preprocessing, width: imageSize, height: imageSize };
  if (preprocessing.width !== size || preprocessing.height !== size)
    throw new InputError(
      `${source}: size is ${preprocessing.height} x ${preprocessing.width}, but vision_config.image_size in config.json is ${size}.`,
    );
  return preprocessing;
}

/** A JSON object from a file; undefined where there is no such file. */
async function readJson(path: string): Promise<Record<string, unknown> | undefined> {
  const text = await readTextIfThere(path);
  if (text === undefined) return undefined;
  const json = parseJson(text, path);
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new InputError(`${path}: this is not a JSON object.`);
  return { ...json };
}
