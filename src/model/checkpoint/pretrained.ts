/** Opens a captioner's folder or file: config, weights, tokenizer, preprocessing, defaults of generation. */
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { readTextIfThere } from '../../base/files.ts';
import { parseJson } from '../../base/json.ts';
import { findPreprocessing } from '../../data/images/load.ts';
import { blipPreprocessing, type Preprocessing } from '../../data/images/preprocess.ts';
import { loadTokenizer } from '../../data/text/load.ts';
import type { CaptionTokenizer } from '../../data/text/tokenizer.ts';
import type { Group } from '../../nn/parameter-store.ts';
import { ParameterStore } from '../../nn/parameter-store.ts';
import type { ParameterSpec } from '../../nn/scope.ts';
import { openWeights } from '../../weights/open.ts';
import { type BlipConfig, parseBlipConfig } from '../config.ts';
import { type GenerationOptions, parseGenerationConfig } from './generation-config.ts';
import { matchWeights, modelParameters, type PretrainedWeights } from './weights.ts';

/** A model's parts; the weights stay in their file until they are asked for. Dispose it when done. */
export interface PretrainedModel extends AsyncDisposable {
  /** The folder of config and tokenizer. */
  readonly folder: string;
  readonly config: BlipConfig;
  /** config.json as it stands, with the fields that the graph does not need. */
  readonly configJson: Readonly<Record<string, unknown>>;
  readonly weights: PretrainedWeights;
  readonly tokenizer: CaptionTokenizer;
  readonly preprocessing: Preprocessing;
  /** Defaults of generation_config.json. */
  readonly generation: GenerationOptions;
}

export interface LoadModelOptions {
  /** Pixels a side, where they should differ from the config's: position embeddings are interpolated. */
  readonly imageSize?: number;
}

/**
 * Opens a model folder in transformers' layout, or one weight file with config.json and tokenizer
 * beside it (also the original .pth of salesforce/BLIP).
 * @throws InputError naming the file that is missing or wrong, or listing all tensors that do not fit
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
  const folder = isFolder ? path : dirname(path);
  if (isFolder) await refuseTrainingRun(path);
  const configPath = join(folder, 'config.json');
  const configJson = await readJson(configPath);
  if (configJson === undefined)
    throw new InputError(
      `${folder}: there is no config.json; a model's config must lie beside its weights.`,
    );
  const config = withImageSize(parseBlipConfig(configJson, configPath), options, configPath);
  const preprocessing = await preprocessingOf(folder, config, options);
  const tokenizer = await loadTokenizer(folder);
  if (tokenizer.size > config.text_config.vocab_size)
    throw new InputError(
      `${folder}: the tokenizer has ids up to ${tokenizer.size - 1}, but text_config.vocab_size in config.json is ${config.text_config.vocab_size}: the vocabulary does not fit the embedding.`,
    );
  const generationPath = join(folder, 'generation_config.json');
  const generation = parseGenerationConfig((await readJson(generationPath)) ?? {}, generationPath);
  const source = await openWeights(path);
  try {
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
  } catch (error) {
    await source.close();
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

/** A run of training has a config.json too, but its models lie in folders of it. */
async function refuseTrainingRun(folder: string): Promise<void> {
  const names = await readdir(folder);
  if (!names.includes('metrics.jsonl') && !names.includes('checkpoints')) return;
  if (names.includes('tokenizer.json') || names.includes('vocab.txt')) return;
  const model = ['best', 'last'].find((name) => names.includes(name));
  throw new InputError(
    model === undefined
      ? `${folder}: this training run was interrupted before it saved a model; go on with refcap train --resume.`
      : `${folder}: this is a training run; its model is ${join(folder, model)}.`,
  );
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
