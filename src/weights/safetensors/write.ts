/** Writing safetensors: atomically, tensor by tensor, sorted and aligned as the reference does, in shards on request. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../base/files.ts';
import {
  bytesPerElement,
  convertBytes,
  elementCount,
  type FloatDtype,
  isFloatFormat,
  type WeightDtype,
  type WeightSource,
  type WeightTensor,
} from '../weight.ts';
import { layOut, sizeError } from './header.ts';

/** A tensor whose bytes are fetched only when their turn comes. */
export interface LazyWeight {
  readonly dtype: WeightDtype;
  readonly shape: readonly number[];
  read(): Promise<Uint8Array> | Uint8Array;
}

/** Tensors to save, by name. */
export type NamedWeights =
  | ReadonlyMap<string, WeightTensor | LazyWeight>
  | Iterable<readonly [string, WeightTensor | LazyWeight]>;

export interface SafetensorsWriteOptions {
  /** Free text; transformers wants `format`, so the default is `{format: 'pt'}`. */
  metadata?: Readonly<Record<string, string>> | undefined;
  /** Saves every float tensor in this format; integers stay as they are. */
  dtype?: FloatDtype | undefined;
}

/** Elements converted at a time. */
const chunkElements = 1 << 20;

/**
 * Writes one safetensors file; at most one tensor and a small buffer are in memory at a time.
 * @throws InputError naming the file when it cannot be written or a tensor's bytes do not fit its shape.
 */
export async function writeSafetensors(
  path: string,
  weights: NamedWeights,
  options: SafetensorsWriteOptions = {},
): Promise<void> {
  const items = [...weights].map(([name, weight]) => ({
    name,
    weight,
    dtype: targetDtype(weight, options.dtype),
    shape: weight.shape,
  }));
  const metadata = Object.entries(options.metadata ?? { format: 'pt' });
  const { prefix, entries } = layOut(items, metadata, path);
  const byName = new Map(items.map((item) => [item.name, item.weight]));
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield prefix;
    for (const { name, dtype } of entries) {
      const weight = byName.get(name);
      if (weight) yield* tensorChunks(path, name, weight, dtype);
    }
  }
  await writeFileAtomic(path, chunks());
}

export interface WeightsFolderOptions extends SafetensorsWriteOptions {
  /** Bytes that a shard may hold (a larger tensor gets its own); without it one file is written. */
  maxShardBytes?: number | undefined;
}

/**
 * Writes `model.safetensors`, or shards with `model.safetensors.index.json`, into an existing folder and
 * then removes the weight files of that family that are no longer valid there.
 * @returns the names of the files written, weights first.
 */
export async function writeWeightsFolder(
  folder: string,
  weights: NamedWeights,
  options: WeightsFolderOptions = {},
): Promise<string[]> {
  const { maxShardBytes, ...writeOptions } = options;
  const items = [...weights];
  const shards = maxShardBytes ? splitShards(items, maxShardBytes, options.dtype) : [items];
  const written: string[] = [];
  if (shards.length === 1) {
    await writeSafetensors(join(folder, 'model.safetensors'), shards[0], writeOptions);
    written.push('model.safetensors');
  } else {
    const weightMap: [string, string][] = [];
    let totalSize = 0;
    const of = String(shards.length).padStart(5, '0');
    for (const [i, shard] of shards.entries()) {
      const file = `model-${String(i + 1).padStart(5, '0')}-of-${of}.safetensors`;
      await writeSafetensors(join(folder, file), shard, writeOptions);
      written.push(file);
      for (const [name, weight] of shard) {
        weightMap.push([name, file]);
        totalSize += byteSize(weight, options.dtype);
      }
    }
    weightMap.sort(([a], [b]) => (a < b ? -1 : 1));
    const lines = weightMap.map(([k, v]) => `    ${JSON.stringify(k)}: ${JSON.stringify(v)}`);
    const index = 'model.safetensors.index.json';
    await writeFileAtomic(
      join(folder, index),
      `{\n  "metadata": {\n    "total_size": ${totalSize}\n  },\n  "weight_map": {\n${lines.join(',\n')}\n  }\n}\n`,
    );
    written.push(index);
  }
  for (const file of await readdir(folder))
    if (/^model(-\d{5}-of-\d{5})?\.safetensors(\.index\.json)?$/.test(file))
      if (!written.includes(file)) await rm(join(folder, file));
  return written;
}

/** The tensors of an open source, for writing them elsewhere without holding them all. */
export function* lazyWeights(source: WeightSource): Generator<[string, LazyWeight]> {
  for (const { name, dtype, shape } of source.tensors.values())
    yield [name, { dtype, shape, read: async () => (await source.read(name)).data }];
}

/** Greedy in the given order, as huggingface_hub splits. */
function splitShards<W extends readonly [string, WeightTensor | LazyWeight]>(
  items: W[],
  most: number,
  dtype: FloatDtype | undefined,
): W[][] {
  const shards: W[][] = [[]];
  let filled = 0;
  for (const item of items) {
    const bytes = byteSize(item[1], dtype);
    if (filled > 0 && filled + bytes > most) {
      shards.push([]);
      filled = 0;
    }
    shards[shards.length - 1].push(item);
    filled += bytes;
  }
  return shards;
}

function targetDtype(weight: { dtype: WeightDtype }, dtype: FloatDtype | undefined): WeightDtype {
  return dtype && isFloatFormat(weight.dtype) ? dtype : weight.dtype;
}

function byteSize(weight: WeightTensor | LazyWeight, dtype: FloatDtype | undefined): number {
  return elementCount(weight.shape) * bytesPerElement(targetDtype(weight, dtype));
}

async function* tensorChunks(
  path: string,
  name: string,
  weight: WeightTensor | LazyWeight,
  dtype: WeightDtype,
): AsyncGenerator<Uint8Array> {
  const data = 'read' in weight ? await weight.read() : weight.data;
  const size = bytesPerElement(weight.dtype);
  const wanted = elementCount(weight.shape) * size;
  if (data.length !== wanted) throw sizeError(path, name, data.length, wanted);
  if (weight.dtype === dtype || !isFloatFormat(weight.dtype) || !isFloatFormat(dtype)) {
    if (data.length > 0) yield data;
    return;
  }
  for (let at = 0; at < data.length; at += chunkElements * size)
    yield convertBytes(data.subarray(at, at + chunkElements * size), weight.dtype, dtype);
}
