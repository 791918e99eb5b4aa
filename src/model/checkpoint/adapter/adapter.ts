/**
 * LoRA adapters of PEFT (Hu et al. 2021, arXiv:2106.09685): W + scaling B A, merged as weights are read, which is
 * what PEFT's merge_and_unload does. Names as in peft/utils/save_and_load.py.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { firstFew, InputError } from '../../../base/errors.ts';
import { isThere, readJsonFile } from '../../../base/files.ts';
import { adapterConfigName, isAdapterLike } from '../../../hub/contents.ts';
import { adapterWeightNames, openWeights } from '../../../weights/open.ts';
import { fromFloat32, type WeightInfo, type WeightSource } from '../../../weights/weight.ts';
import { tiedNames } from '../names.ts';
import type { PretrainedWeights } from '../weights.ts';
import { type AdapterConfig, mergeInPython, parseAdapterConfig, scalingOf } from './config.ts';

/** An adapter's folder, opened. */
export interface Adapter extends AsyncDisposable {
  readonly folder: string;
  readonly configPath: string;
  readonly config: AdapterConfig;
  readonly source: WeightSource;
}

/** What an adapter makes of one of the base's tensors. */
type Change =
  | { readonly kind: 'replace'; readonly by: WeightInfo }
  | {
      readonly kind: 'add';
      readonly a: WeightInfo;
      readonly b: WeightInfo;
      readonly scaling: number;
    };

/** Whether a folder is an adapter's: one without a whole model beside it. */
export async function isAdapterFolder(folder: string): Promise<boolean> {
  const names = new Set(await readdir(folder));
  return isAdapterLike((name) => names.has(name));
}

/** @throws InputError naming the file that is missing or wrong */
export async function openAdapter(folder: string): Promise<Adapter> {
  const configPath = join(folder, adapterConfigName);
  const config = parseAdapterConfig(await readJsonFile(configPath), configPath);
  for (const name of adapterWeightNames) {
    const path = join(folder, name);
    if (!(await isThere(path))) continue;
    const source = await openWeights(path);
    return { folder, configPath, config, source, [Symbol.asyncDispose]: () => source.close() };
  }
  throw new InputError(
    `${folder}: this is a LoRA adapter without its weights: there is neither ${adapterWeightNames.join(' nor ')}.`,
  );
}

/**
 * The base's weights with the adapter in them.
 * @throws InputError naming a tensor of the adapter that is unknown or does not fit
 */
export function adaptWeights(base: PretrainedWeights, adapter: Adapter): PretrainedWeights {
  const changes = readChanges(base, adapter);
  const tensors = new Map<string, WeightInfo>();
  for (const [name, info] of base.tensors)
    tensors.set(name, changes.has(name) ? computed(info) : info);
  const readFloat32 = async (name: string, target?: Float32Array): Promise<Float32Array> => {
    const change = changes.get(name);
    if (change?.kind === 'replace') return adapter.source.readFloat32(change.by.name, target);
    const values = await base.readFloat32(name, target);
    if (!change) return values;
    const a = await adapter.source.readFloat32(change.a.name);
    const b = await adapter.source.readFloat32(change.b.name);
    addProduct(values, b, a, change);
    return values;
  };
  return {
    path: base.path,
    layout: base.layout,
    tensors,
    readFloat32,
    rounded: (name) => (changes.has(name) ? undefined : base.rounded(name)),
    *lazy() {
      for (const [name, weight] of base.lazy()) {
        const { shape } = weight;
        const read = async () => fromFloat32(await readFloat32(name), shape).data;
        yield [name, changes.has(name) ? { dtype: 'f32', shape, read } : weight];
      }
    },
    async fill(store) {
      for (const name of store.names)
        if (tensors.has(name)) await readFloat32(name, store.tensor(name).data);
    },
    [Symbol.asyncDispose]: () => base[Symbol.asyncDispose](),
  };
}

/** A tensor that lies nowhere as it is. */
function computed({ name, shape }: WeightInfo): WeightInfo {
  return { name, dtype: 'f32', shape, byteLength: 4 * shape.reduce((n, d) => n * d, 1) };
}

/** values [out, in] += scaling B [out, r] A [r, in]; kernels [out, in, h, w] are rows of in h w values. */
function addProduct(
  values: Float32Array,
  b: Float32Array,
  a: Float32Array,
  { a: { shape }, scaling }: Extract<Change, { kind: 'add' }>,
): void {
  const [rank] = shape;
  const columns = a.length / rank;
  for (let row = 0; row < b.length / rank; row++)
    for (let k = 0; k < rank; k++) {
      const factor = scaling * b[row * rank + k];
      for (let i = 0; i < columns; i++) values[row * columns + i] += factor * a[k * columns + i];
    }
}

const loraName = /^(.+)\.lora_([AB])(?:\.\w+)?\.weight$/;

function readChanges(base: PretrainedWeights, adapter: Adapter): Map<string, Change> {
  const { source } = adapter;
  const changes = new Map<string, Change>();
  const unknown: string[] = [];
  const halves = new Map<string, { A?: WeightInfo; B?: WeightInfo }>();
  for (const info of source.tensors.values()) {
    const plain = plainName(info.name);
    const [, module, half] = loraName.exec(plain) ?? [];
    const name = module === undefined ? plain : `${module}.weight`;
    const target = tiedNames.get(name) ?? name;
    if (/\.lora_embedding_[AB]\b/.test(plain))
      throw new InputError(
        `${source.path}: ${info.name} adapts an embedding, which is not read; ${mergeInPython}.`,
      );
    if (!base.tensors.has(target)) unknown.push(info.name);
    else if (isTied(target))
      throw new InputError(
        `${source.path}: ${info.name} changes a matrix that BLIP uses twice, for words in and words out, and merged it would change both; train without it (exclude_modules of PEFT).`,
      );
    else if (module === undefined) changes.set(target, replacement(info, target, base, source));
    else halves.set(module, { ...halves.get(module), [half]: info });
  }
  if (unknown.length > 0)
    throw new InputError(
      `${source.path}: the adapter changes what ${base.path} does not have or cannot be changed so: ${firstFew(unknown)}; name the base model that it was trained on with --base.`,
      { details: unknown },
    );
  for (const [module, { A, B }] of halves)
    changes.set(`${module}.weight`, product(module, A, B, base, adapter));
  return changes;
}

/** A name without what PEFT puts around it. */
function plainName(name: string): string {
  return name
    .replace(/^base_model\.model\./, '')
    .replace(/\.base_layer\./, '.')
    .replace(/\.modules_to_save\.(?:default\.)?/, '.');
}

function isTied(name: string): boolean {
  return name.endsWith('.weight') && [...tiedNames.values()].includes(name);
}

function replacement(
  by: WeightInfo,
  name: string,
  base: PretrainedWeights,
  { path }: WeightSource,
): Change {
  const shape = base.tensors.get(name)?.shape ?? [];
  if (String(by.shape) !== String(shape))
    throw new InputError(
      `${path}: ${by.name} is [${by.shape.join(', ')}] and must be [${shape.join(', ')}].`,
    );
  return { kind: 'replace', by };
}

function product(
  module: string,
  a: WeightInfo | undefined,
  b: WeightInfo | undefined,
  base: PretrainedWeights,
  { source, config, configPath }: Adapter,
): Change {
  if (!a || !b)
    throw new InputError(`${source.path}: of ${module} there is lora_${a ? 'A' : 'B'} alone.`);
  const { rank, scaling } = scalingOf(module, config, configPath);
  const [out, ...rest] = base.tensors.get(`${module}.weight`)?.shape ?? [];
  const fits =
    String(a.shape) === String([rank, ...rest]) &&
    String(b.shape.filter((size, i) => i < 2 || size !== 1)) === String([out, rank]);
  if (!fits)
    throw new InputError(
      `${source.path}: lora_A [${a.shape.join(', ')}] and lora_B [${b.shape.join(', ')}] of ${module} do not fit rank ${rank} and a weight [${[out, ...rest].join(', ')}].`,
    );
  return { kind: 'add', a, b, scaling };
}
