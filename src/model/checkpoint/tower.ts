/** Opens a pretrained vision tower to start a captioner from. */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import * as z from 'zod';
import { bytesOf } from '../../base/bytes.ts';
import { firstFew, InputError } from '../../base/errors.ts';
import { folderTexts, readJsonFile } from '../../base/files.ts';
import { findPreprocessing } from '../../data/images/load.ts';
import type { Preprocessing } from '../../data/images/preprocess.ts';
import type { Value } from '../../engine/graph/graph.ts';
import { input } from '../../engine/graph/graph.ts';
import { ParameterStore } from '../../nn/parameter-store.ts';
import { Scope } from '../../nn/scope.ts';
import { openWeights } from '../../weights/open.ts';
import type { WeightSource } from '../../weights/weight.ts';
import { visionTower } from '../blip.ts';
import { conceptScope } from '../concepts/concepts.ts';
import { parseBlipConfig } from '../config.ts';
import { towers, type VisionConfig } from '../towers/towers.ts';
import type { PretrainedModel } from './pretrained.ts';

/** A tower with its weights in memory. */
export interface PretrainedTower {
  readonly config: VisionConfig;
  readonly preprocessing: Preprocessing;
  readonly store: ParameterStore;
  /** Tells towers apart: a hash of the weights. */
  readonly fingerprint: string;
  /** What a linear layer over the pooled tokens tells apart, where the tower was published with one. */
  readonly classifier?: Classifier;
}

export interface Classifier {
  /** [classes, width] and [classes]. */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  /** For each class what it may be called, from the particular to the general; none where a captioner has it. */
  readonly names: readonly (readonly string[])[];
}

/** `classes` of a tower's config.json. */
const classesJson = z.looseObject({ classes: z.array(z.array(z.string().min(1)).nonempty()) });

const prefix = 'vision_model.';

/**
 * Reads a folder with config.json and model.safetensors: a tower as it was published (see the table of
 * towers), or under a captioner's names, with or without the prefix `vision_model.`.
 * @throws InputError naming the file, or every tensor that is missing or of the wrong shape
 */
export async function openTower(folder: string): Promise<PretrainedTower> {
  const path = join(folder, 'config.json');
  const json = await readJsonFile(path);
  await using source = await openWeights(folder);
  const { config, preprocessing: published } = towerConfig(json, source, path);
  const store = new ParameterStore(towerParameters(config), () => 'frozen');
  await fill(store, source, folder);
  const preprocessing = published ?? (await preprocessingOf(folder));
  const classifier = await classifierOf(json, source, config, path);
  return {
    config,
    preprocessing,
    store,
    fingerprint: hashStore(store),
    ...(classifier && { classifier }),
  };
}

/** The tower's classifier: `classifier.weight` and `.bias` of its file, and `classes` of its config. */
async function classifierOf(
  json: unknown,
  source: WeightSource,
  { hidden_size: width }: VisionConfig,
  path: string,
): Promise<Classifier | undefined> {
  const classes = classesJson.safeParse(json);
  const shape = source.tensors.get('classifier.weight')?.shape;
  if (!classes.success || !shape) return undefined;
  const names = classes.data.classes;
  if (String(shape) !== String([names.length, width]))
    throw new InputError(
      `${path}: classes has ${names.length} names, but classifier.weight is [${shape}] and not [${names.length}, ${width}]`,
    );
  return {
    weight: await source.readFloat32('classifier.weight'),
    bias: await source.readFloat32('classifier.bias'),
    names,
  };
}

async function preprocessingOf(folder: string): Promise<Preprocessing> {
  const found = await findPreprocessing(folderTexts(folder));
  if (found) return found.preprocessing;
  throw new InputError(
    `${folder}: there is neither processor_config.json nor preprocessor_config.json; a tower's preprocessing must lie beside its weights.`,
  );
}

/** The tower of a captioner, as a tower of its own. */
export async function towerOfModel(model: PretrainedModel): Promise<PretrainedTower> {
  const { config, preprocessing, weights } = model;
  const store = new ParameterStore(towerParameters(config.vision_config), () => 'frozen');
  await weights.fill(store);
  const hasClasses = (config.concept_config?.class_groups.length ?? 0) > 0;
  const read = (part: string) => weights.readFloat32(`${conceptScope}.classes.${part}`);
  return {
    config: config.vision_config,
    preprocessing,
    store,
    fingerprint: hashStore(store),
    ...(hasClasses && {
      classifier: { weight: await read('weight'), bias: await read('bias'), names: [] },
    }),
  };
}

/** pixels [images, 3, size, size] -> tokens [images, tokens, width], f16 as the feature cache keeps them. */
export function towerGraph(scope: Scope, config: VisionConfig): Value {
  const size = config.image_size;
  return visionTower(scope, config, input('pixels', 'f32', ['images', 3, size, size]));
}

function towerParameters(config: VisionConfig): Scope['parameters'] {
  const scope = new Scope();
  towerGraph(scope, config);
  return scope.parameters;
}

function towerConfig(
  json: unknown,
  source: WeightSource,
  path: string,
): { config: VisionConfig; preprocessing: Preprocessing | undefined } {
  const shapeOf = (name: string) => {
    const weight = findWeight(source, `${prefix}${name}`);
    return weight === undefined ? undefined : source.tensors.get(weight)?.shape;
  };
  for (const { published } of Object.values(towers)) {
    const vision = published?.config(json, shapeOf);
    if (!published || vision === undefined) continue;
    const config = parseTower(vision, path);
    return { config, preprocessing: published.preprocessing(config.image_size) };
  }
  return { config: parseTower(visionPart(json), path), preprocessing: undefined };
}

function parseTower(vision: unknown, path: string): VisionConfig {
  const width = z.looseObject({ hidden_size: z.int().positive() }).safeParse(vision);
  if (!width.success) throw new InputError(`${path}: there is no hidden_size of a vision tower`);
  return parseBlipConfig({ vision_config: vision }, path).vision_config;
}

function visionPart(json: unknown): unknown {
  const whole = z.looseObject({ vision_config: z.looseObject({}) }).safeParse(json);
  return whole.success ? whole.data.vision_config : json;
}

function findWeight(source: WeightSource, name: string): string | undefined {
  return [name, name.slice(prefix.length)].find((candidate) => source.tensors.has(candidate));
}

async function fill(store: ParameterStore, source: WeightSource, folder: string): Promise<void> {
  const faults: string[] = [];
  for (const name of store.names) {
    const target = store.tensor(name);
    const found = findWeight(source, name);
    const shape = found === undefined ? undefined : source.tensors.get(found)?.shape;
    if (found === undefined || shape === undefined) faults.push(`${name} is missing`);
    else if (String(shape) !== String(target.shape))
      faults.push(`${name} is [${shape}], not [${target.shape}]`);
    else await source.readFloat32(found, target.data);
  }
  if (faults.length > 0)
    throw new InputError(`${folder}: ${firstFew(faults)}.`, { details: faults });
}

/** The same for the same values, whatever file they come from. */
function hashStore(store: ParameterStore): string {
  const hash = createHash('sha256');
  for (const name of store.names) {
    const { shape, data } = store.tensor(name);
    hash.update(`${name} ${shape}\n`);
    hash.update(bytesOf(data));
  }
  return hash.digest('hex');
}
