/** Opens a pretrained vision tower to start a captioner from. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../../base/errors.ts';
import { readJsonFile } from '../../base/files.ts';
import { type Preprocessing, parsePreprocessing } from '../../data/images/preprocess.ts';
import type { Value } from '../../engine/graph/graph.ts';
import { input } from '../../engine/graph/graph.ts';
import { ParameterStore } from '../../nn/parameter-store.ts';
import { Scope } from '../../nn/scope.ts';
import { openWeights } from '../../weights/open.ts';
import type { WeightSource } from '../../weights/weight.ts';
import { visionTower } from '../blip.ts';
import { type BlipConfig, parseBlipConfig, type VisionConfig } from '../config.ts';
import type { PretrainedModel } from './pretrained.ts';

/** A tower with its weights in memory. */
export interface Tower {
  readonly config: VisionConfig;
  readonly preprocessing: Preprocessing;
  readonly store: ParameterStore;
  /** Tells towers apart: a hash of the weights. */
  readonly fingerprint: string;
}

const prefix = 'vision_model.';

/** The layer list of an EfficientNet-Lite folder, whose widths stand in the weights alone. */
const layersJson = z.looseObject({
  image_size: z.int().positive(),
  width: z.int().positive(),
  layers: z.array(z.looseObject({ name: z.string() })).nonempty(),
});

/**
 * Reads a folder with config.json and model.safetensors: an EfficientNet-Lite as a list of layers, or
 * BLIP's ViT under its own names, with or without the prefix `vision_model.`.
 * @throws InputError naming the file, or every tensor that is missing or of the wrong shape
 */
export async function openTower(folder: string): Promise<Tower> {
  const path = join(folder, 'config.json');
  const json = await readJsonFile(path);
  await using source = await openWeights(folder);
  const config = towerConfig(json, source, path);
  const store = new ParameterStore(towerParameters(config), () => 'frozen');
  await fill(store, source, folder);
  const preprocessorPath = join(folder, 'preprocessor_config.json');
  const preprocessing =
    config.model_type === 'efficientnet_lite'
      ? efficientNetPreprocessing(config.image_size)
      : parsePreprocessing(await readJsonFile(preprocessorPath), preprocessorPath);
  return { config, preprocessing, store, fingerprint: hashStore(store) };
}

/** The tower of a captioner, as a tower of its own. */
export async function towerOfModel(model: PretrainedModel): Promise<Tower> {
  const { config, preprocessing, weights } = model;
  const store = new ParameterStore(towerParameters(config.vision_config), () => 'frozen');
  await weights.fill(store);
  return { config: config.vision_config, preprocessing, store, fingerprint: hashStore(store) };
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

function towerConfig(json: unknown, source: WeightSource, path: string): VisionConfig {
  const list = layersJson.safeParse(json);
  const vision = list.success ? efficientNetJson(list.data, source) : visionPart(json);
  const width = z.looseObject({ hidden_size: z.int().positive() }).safeParse(vision);
  if (!width.success) throw new InputError(`${path}: there is no hidden_size of a vision tower`);
  const config: BlipConfig = parseBlipConfig(
    { vision_config: vision, text_config: { encoder_hidden_size: width.data.hidden_size } },
    path,
  );
  return config.vision_config;
}

function visionPart(json: unknown): unknown {
  const whole = z.looseObject({ vision_config: z.looseObject({}) }).safeParse(json);
  return whole.success ? whole.data.vision_config : json;
}

function efficientNetJson(list: z.infer<typeof layersJson>, source: WeightSource): unknown {
  return {
    model_type: 'efficientnet_lite',
    image_size: list.image_size,
    hidden_size: list.width,
    layers: list.layers.map((layer) => {
      const weight = findWeight(source, `${prefix}${layer.name}.weight`);
      return { ...layer, channels: weight ? source.tensors.get(weight)?.shape[0] : undefined };
    }),
  };
}

/** x / 127.5 - 1, as EfficientNet-Lite was trained. */
function efficientNetPreprocessing(size: number): Preprocessing {
  const half = [0.5, 0.5, 0.5];
  return parsePreprocessing({ size, image_mean: half, image_std: half }, 'EfficientNet-Lite');
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
  if (faults.length > 0) throw new InputError(`${folder}: ${faults.join('; ')}`);
}

/** The same for the same values, whatever file they come from. */
function hashStore(store: ParameterStore): string {
  const hash = createHash('sha256');
  for (const name of store.names) {
    const { shape, data } = store.tensor(name);
    hash.update(`${name} ${shape}\n`);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}
