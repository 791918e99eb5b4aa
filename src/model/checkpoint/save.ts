/** Writes a captioner's folder in transformers' layout, whole or not at all. */
import { copyFile, readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { errorCode, writeFileAtomic } from '../../base/files.ts';
import { isDesktopFile, replaceFolder } from '../../base/folders.ts';
import { checkWritableFolder } from '../../base/writable.ts';
import { type Preprocessing, preprocessingToJson } from '../../data/images/preprocess.ts';
import { parseVocabulary, wordPieceFiles } from '../../data/text/wordpiece.ts';
import type { ParameterStore } from '../../nn/parameter-store.ts';
import {
  type NamedWeights,
  writeSafetensors,
  writeWeightsFolder,
} from '../../weights/safetensors/write.ts';
import { fromFloat32, type WeightTensor } from '../../weights/weight.ts';
import type { BlipConfig } from '../config.ts';
import type { RefinerConfig } from '../refiner/refiner.ts';
import type { SavedDtype } from './dtypes.ts';
import type { GenerationOptions } from './generation-config.ts';
import { memberNumber } from './members.ts';
import { describeRunFolder } from './no-model.ts';
import { refinerFileName, refinerMetadata } from './refiner.ts';

/** What goes into the folder. */
export interface ModelToSave {
  readonly config: BlipConfig;
  /** All parameters by name: a Map, or pairs such as `storeWeights(store)` and `weights.lazy()` give. */
  readonly weights: NamedWeights;
  /** Default f32. */
  readonly dtype?: SavedDtype;
  /** Each weight stays in the format that it is given in. */
  readonly keepsFormats?: boolean;
  /** Tokens of a vocabulary, or the folder whose tokenizer files are copied. */
  readonly tokenizer: { readonly vocabulary: readonly string[] } | { readonly folder: string };
  readonly preprocessing: Preprocessing;
  readonly generation?: GenerationOptions;
  /** Fields of a config.json that was read, kept where the config does not say otherwise. */
  readonly configJson?: Readonly<Record<string, unknown>>;
  /** The training-only layers and their weights, to go beside the model. */
  readonly refiner?: { readonly config: RefinerConfig; readonly weights: NamedWeights };
  /** Further text files by name, such as README.md. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface SaveModelOptions {
  /** Replace a model folder that exists; other files in it stay. Default false. */
  readonly overwrite?: boolean;
}

/** The weights of a store, to save. @param trainable what to take for the trained values, such as an average */
export function storeWeights(
  store: ParameterStore,
  trainable: Float32Array = store.trainable,
): Map<string, WeightTensor> {
  return new Map(
    store.names.map((name) => {
      const { data, shape } = store.tensor(name, trainable);
      return [name, fromFloat32(data, shape)];
    }),
  );
}

/**
 * Saves a model. Everything is written into a temporary folder beside the target, which then takes
 * its place, so that nobody sees half a model. With BLIP's ViT the folder opens in Python as
 * `BlipForConditionalGeneration`.
 * @throws InputError when the folder exists and is not to be, or may not be, replaced
 */
export function saveModel(
  folder: string,
  model: ModelToSave,
  options: SaveModelOptions = {},
): Promise<void> {
  return replaceModel(folder, options, (temporary) => writeModel(temporary, model));
}

/**
 * Makes a model's folder by what `write` puts into it, such as several members.
 * @throws as `saveModel`
 */
export async function replaceModel<T>(
  folder: string,
  { overwrite = false }: SaveModelOptions,
  write: (temporary: string) => Promise<T>,
): Promise<T> {
  await checkTarget(folder, overwrite);
  return replaceFolder(folder, write, (name) => !isModelFile(name));
}

/** Writes a model's files into a folder that is there. */
export async function writeModel(folder: string, model: ModelToSave): Promise<void> {
  const dtype = model.dtype ?? 'f32';
  await writeWeightsFolder(folder, model.weights, model.keepsFormats ? {} : { dtype });
  if (model.refiner)
    await writeSafetensors(join(folder, refinerFileName), model.refiner.weights, {
      metadata: refinerMetadata(model.refiner.config),
      dtype,
    });
  const json = (name: string, value: unknown) =>
    writeFileAtomic(join(folder, name), `${pythonJson(value)}\n`);
  await json('config.json', configToJson(model.config, dtype, model.configJson));
  await json('preprocessor_config.json', {
    ...preprocessingToJson(model.preprocessing),
    processor_class: 'BlipProcessor',
  });
  await json('generation_config.json', generationToJson(model));
  await writeTokenizer(folder, model.tokenizer);
  for (const [name, text] of Object.entries(model.files ?? {}))
    await writeFileAtomic(join(folder, name), text);
}

/**
 * Whether a model may be saved there: before the work that makes it.
 * @throws InputError when the folder exists and is not to be, or may not be, replaced, or cannot be written
 */
export async function checkTarget(folder: string, overwrite: boolean): Promise<void> {
  await checkWritableFolder(dirname(resolve(folder)));
  const entries = await readdir(folder).catch((error: unknown): string[] => {
    if (errorCode(error) === 'ENOENT') return [];
    throw new InputError(`${folder}: this is not a folder; choose another place for the model.`);
  });
  if (entries.every(isDesktopFile)) return;
  if (!overwrite)
    throw new InputError(
      `${folder}: the folder exists and is not empty; choose another or overwrite it.`,
    );
  const run = describeRunFolder(entries);
  if (run !== undefined)
    throw new InputError(
      `${folder}: this is ${run}, which is not overwritten; choose another place for the model.`,
    );
  if (!entries.includes('config.json'))
    throw new InputError(
      `${folder}: the folder has no config.json, so it is not a model that could be overwritten.`,
    );
}

/** Files of an older model that would contradict the new one. */
function isModelFile(name: string): boolean {
  return (
    /^(model|pytorch_model).*\.(safetensors|bin)(\.index\.json)?$/.test(name) ||
    /^(tokenizer.*|special_tokens_map|added_tokens|generation_config|processor_config)\.json$/.test(
      name,
    ) ||
    name === 'vocab.txt' ||
    name === refinerFileName ||
    memberNumber(name) !== undefined
  );
}

const tokenizerFiles = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.txt',
];

/** Writes a tokenizer's files into a folder that is there. */
export async function writeTokenizer(
  folder: string,
  tokenizer: ModelToSave['tokenizer'],
): Promise<void> {
  const write = async (files: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(files))
      await writeFileAtomic(join(folder, name), text);
  };
  if ('vocabulary' in tokenizer) {
    await write(wordPieceFiles(tokenizer.vocabulary));
    return;
  }
  const there = new Set(await readdir(tokenizer.folder));
  for (const name of tokenizerFiles)
    if (there.has(name)) await copyFile(join(tokenizer.folder, name), join(folder, name));
  if (there.has('tokenizer.json')) return;
  // From vocab.txt alone: what it means is written out, so that every program reads the same.
  const path = join(tokenizer.folder, 'vocab.txt');
  const files = wordPieceFiles(parseVocabulary(await readFile(path, 'utf8'), path));
  if (there.has('tokenizer_config.json')) return;
  const config: object = JSON.parse(files['tokenizer_config.json']);
  // Without a config, transformers does not clean up spaces.
  const settings = { ...config, clean_up_tokenization_spaces: false };
  await write({
    'tokenizer.json': files['tokenizer.json'],
    'tokenizer_config.json': `${JSON.stringify(settings, null, 2)}\n`,
  });
}

/** Fields that transformers 5 refuses as whole numbers. */
const floatFields =
  /^(\s*"(?:label_smoothing|initializer_factor|initializer_range|logit_scale_init_value|layer_norm_eps|rescale_factor|temperature|top_p|length_penalty|repetition_penalty)": -?\d+)(,?)$/gm;

/** JSON as transformers 5 takes it: such fields have a decimal point. */
export function pythonJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(floatFields, '$1.0$2');
}

const pythonDtypes = { f32: 'float32', f16: 'float16', bf16: 'bfloat16' } as const;

/** Fields that transformers writes and whose defaults differ between its versions. */
const textFields = { model_type: 'blip_text_model', is_decoder: true, use_cache: true };

function configToJson(
  config: BlipConfig,
  dtype: SavedDtype,
  before: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const part = (name: string): object => {
    const value = before[name];
    return typeof value === 'object' && value !== null ? value : {};
  };
  const { torch_dtype: _, transformers_version: __, ...kept } = before;
  return {
    architectures: ['BlipForConditionalGeneration'],
    tie_word_embeddings: true,
    projection_dim: 512,
    image_text_hidden_size: 256,
    logit_scale_init_value: 2.6592,
    initializer_factor: 1,
    ...kept,
    model_type: 'blip',
    dtype: pythonDtypes[dtype],
    vision_config: { ...part('vision_config'), ...config.vision_config },
    text_config: {
      eos_token_id: config.text_config.sep_token_id,
      ...part('text_config'),
      ...textFields,
      ...config.text_config,
    },
    ...(config.concept_config && { concept_config: config.concept_config }),
    ...(config.clip_frames && { clip_frames: config.clip_frames }),
  };
}

function generationToJson({ config, generation = {} }: ModelToSave): Record<string, unknown> {
  const { bos_token_id, pad_token_id, sep_token_id } = config.text_config;
  return { bos_token_id, pad_token_id, eos_token_id: sep_token_id, ...generation };
}
