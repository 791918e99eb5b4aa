/** Opening a model's weights wherever they are: a folder's best file, sharded indexes, or one file by its content (Node). */
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { firstFew, InputError } from '../base/errors.ts';
import { isThere } from '../base/files.ts';
import type { RandomAccess } from './bytes.ts';
import { accessFile, describeOpenError } from './file.ts';
import { describeKind, kindBytes } from './kinds.ts';
import { readTorchWeights } from './pickle/read.ts';
import { quote } from './safetensors/header.ts';
import { findTensor, readSafetensors } from './safetensors/read.ts';
import type { WeightInfo, WeightSource } from './weight.ts';

/** Weight files of a model folder, best first. */
export const weightFileNames: readonly string[] = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
];

/** Weight files of the folder of a LoRA adapter that PEFT made, best first. */
export const adapterWeightNames: readonly string[] = [
  'adapter_model.safetensors',
  'adapter_model.bin',
];

/** Other programs' weights, whose name says more of a folder than that ours are missing. */
const foreignWeights = /^(tf_model\.h5|flax_model.*\.msgpack|.*\.(gguf|onnx|tflite))$/;
const mostIndexBytes = 100_000_000;
const pickleExtensions = new Set(['.bin', '.pth', '.pt', '.ckpt', '.pkl']);

/**
 * Opens the weights of a model: a folder (the first of `weightFileNames` in it), a sharded index, or one
 * file, whose format is told by its content. Nothing but headers is read.
 * @throws InputError (SafetensorsError, PickleError) naming the file and what is wrong with it.
 */
export async function openWeights(pathOrFolder: string): Promise<WeightSource> {
  let isFolder: boolean;
  try {
    isFolder = (await stat(pathOrFolder)).isDirectory();
  } catch (error) {
    throw describeOpenError(pathOrFolder, error);
  }
  if (!isFolder) return openFile(pathOrFolder);
  const names = new Set(await readdir(pathOrFolder));
  const name = weightFileNames.find((candidate) => names.has(candidate));
  if (name) return openFile(join(pathOrFolder, name));
  const others = [...names].filter((file) => /\.(safetensors|bin|pth|pt)$/.test(file));
  const foreign = [...names].sort().find((file) => foreignWeights.test(file));
  if (foreign !== undefined && others.length === 0) return openFile(join(pathOrFolder, foreign));
  throw new InputError(
    others.length > 0
      ? `${pathOrFolder} has none of ${weightFileNames.join(', ')}; name the file itself to use ${others.sort().slice(0, 5).join(' or ')}.`
      : `${pathOrFolder} is a model folder without weights: it has none of ${weightFileNames.join(', ')}.`,
  );
}

async function openFile(path: string): Promise<WeightSource> {
  if (path.endsWith('.index.json')) return openIndex(path);
  const access = await accessFile(path);
  try {
    const start = new Uint8Array(Math.min(kindBytes, access.size));
    access.readSync(0, start);
    switch (recognise(access, start)) {
      case 'safetensors':
        return readSafetensors(access);
      case 'pickle':
        return readTorchWeights(access);
      case 'lfs':
        throw new InputError(
          `${path} is a Git LFS pointer and not the weights; run "git lfs pull" where it came from.`,
        );
      case 'unknown':
        throw new InputError(
          `${path} is ${describeKind(path, start) ?? 'neither a safetensors file nor one that torch.save wrote'}.`,
        );
    }
  } catch (error) {
    await access.close();
    throw error;
  }
}

function recognise(
  { path, size }: RandomAccess,
  start: Uint8Array,
): 'safetensors' | 'pickle' | 'lfs' | 'unknown' {
  const begins = (text: string) =>
    [...text].every((letter, i) => start[i] === letter.charCodeAt(0));
  if (begins('version https://git-lfs')) return 'lfs';
  if (start.length > 8 && start[8] === 0x7b) {
    const view = new DataView(start.buffer);
    if (view.getUint32(4, true) === 0 && view.getUint32(0, true) <= size - 8) return 'safetensors';
  }
  const isPickle = start[0] === 0x80 && start[1] >= 2 && start[1] <= 5;
  if (isPickle || (begins('PK\x03\x04') && !/\.(npz|zip)$/i.test(path))) return 'pickle';
  if (describeKind(path, start) !== undefined) return 'unknown';
  const extension = extname(path);
  if (extension === '.safetensors') return 'safetensors';
  return pickleExtensions.has(extension) ? 'pickle' : 'unknown';
}

/** Opens every shard of an index; each tensor must be in the shard it is mapped to, and no other in any. */
async function openIndex(path: string): Promise<WeightSource> {
  const weightMap = await readIndex(path);
  const shards = new Map<string, WeightSource>();
  const close = async (): Promise<void> => {
    for (const shard of shards.values()) await shard.close();
  };
  try {
    for (const file of new Set(weightMap.values())) {
      if (!/^[^/\\]+$/.test(file) || file === '.' || file === '..' || file.endsWith('.json'))
        throw new InputError(
          `${path} names the shard ${quote(file)}, which is no plain file name.`,
        );
      shards.set(file, await openShard(path, file));
    }
    return joinShards(path, weightMap, shards, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function openShard(path: string, file: string): Promise<WeightSource> {
  const shard = join(dirname(path), file);
  const exists = await isThere(shard);
  if (!exists) throw new InputError(`${path} names the shard ${quote(file)}, which is missing.`);
  return openFile(shard);
}

function joinShards(
  path: string,
  weightMap: ReadonlyMap<string, string>,
  shards: ReadonlyMap<string, WeightSource>,
  close: () => Promise<void>,
): WeightSource {
  const tensors = new Map<string, WeightInfo>();
  const wrong: string[] = [];
  for (const [name, file] of weightMap) {
    const info = shards.get(file)?.tensors.get(name);
    if (info) tensors.set(name, info);
    else wrong.push(`${quote(name)} is not in ${file}`);
  }
  for (const [file, shard] of shards)
    for (const name of shard.tensors.keys())
      if (weightMap.get(name) !== file) wrong.push(`${quote(name)} in ${file} is not in the index`);
  if (wrong.length > 0)
    throw new InputError(
      `${path} and its shards differ: ${firstFew(wrong)}${wrong.length > 3 ? ' (--verbose lists all)' : ''}.`,
      { details: wrong },
    );
  const find = (name: string): WeightSource => {
    const shard = shards.get(findTensor(weightMap, name, path));
    if (!shard) throw new InputError(`${path} has no tensor ${quote(name)}.`);
    return shard;
  };
  const all = [...shards.values()];
  return {
    path,
    format: all[0]?.format ?? 'safetensors',
    metadata: new Map(all.flatMap((shard) => [...shard.metadata])),
    tensors,
    skipped: all.flatMap((shard) => shard.skipped),
    read: (name) => find(name).read(name),
    readInto: (name, target) => find(name).readInto(name, target),
    readFloat32: (name, target) => find(name).readFloat32(name, target),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Tensor name to shard file of an index such as `model.safetensors.index.json`. */
export async function readIndex(path: string): Promise<Map<string, string>> {
  let index: unknown;
  try {
    const { size } = await stat(path);
    if (size > mostIndexBytes)
      throw new InputError(
        `${path} has ${size} bytes; the limit of an index is ${mostIndexBytes}.`,
      );
    index = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) throw new InputError(`${path} is not valid JSON.`);
    throw describeOpenError(path, error);
  }
  const map =
    typeof index === 'object' && index !== null && 'weight_map' in index ? index.weight_map : null;
  if (typeof map !== 'object' || map === null || Array.isArray(map))
    throw new InputError(`${path} has no weight_map.`);
  const weightMap = new Map<string, string>();
  for (const [name, file] of Object.entries(map)) {
    if (typeof file !== 'string')
      throw new InputError(`${path} maps ${quote(name)} to something other than a file name.`);
    weightMap.set(name, file);
  }
  if (weightMap.size === 0) throw new InputError(`${path} has an empty weight_map.`);
  return weightMap;
}
