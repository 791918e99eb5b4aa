/** Datasets in shards: their captions are read, their pictures stay where they are until they are wanted. */
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InputError } from '../../base/errors.ts';
import type { Columns } from '../captions/records.ts';
import { isShardName, shardKind, shardName } from '../shards/address.ts';
import { expandShards } from '../shards/expand.ts';
import { readShards } from '../shards/open.ts';
import type { NamedImages } from './captions.ts';
import { parseSplit, type SplitName } from './dataset.ts';

/** What shards say of their pictures, and what is wrong with them. */
export interface ShardedImages {
  readonly images: NamedImages;
  /** The address of each picture. */
  readonly paths: ReadonlyMap<string, string>;
  /** Addresses of texts and rows that have no picture. */
  readonly stray: readonly string[];
  /** A sentence with the address each. */
  readonly faults: readonly string[];
}

/**
 * The shards that a source is: by their names, braces or a pattern, or those in a folder, in `data/` or in a folder for
 * each split, where one kind of shards is.
 * @returns undefined where the source is something else
 */
export async function findShards(path: string): Promise<string[] | undefined> {
  const names = await readdir(path).catch(() => undefined);
  if (names === undefined) return isShardName(path) ? expandShards(path) : undefined;
  const folders = ['', ...names.filter((name) => name === 'data' || parseSplit(name)).sort()];
  for (const kind of ['tar', 'parquet'] as const) {
    const shards: string[] = [];
    // A table of captions beside an imagefolder's pictures is no shard.
    for (const folder of folders)
      for (const name of (await readdir(join(path, folder)).catch(() => [])).sort())
        if (shardKind(name) === kind && !/^(?:\.|metadata\.)/i.test(name))
          shards.push(join(path, folder, name));
    if (shards.length > 0) return shards;
  }
  return undefined;
}

/** Reads all that shards say. */
export async function readShardedImages(
  shards: readonly string[],
  columns: Columns | undefined,
): Promise<ShardedImages> {
  const images: NamedImages = new Map();
  const paths = new Map<string, string>();
  const stray: string[] = [];
  const faults: string[] = [];
  for await (const item of readShards(shards, { columns })) {
    if (item.kind === 'sample') {
      const { key, shard, address, captions } = item;
      const id = images.has(key) ? `${shardName(shard)}/${key}` : key;
      if (images.has(id)) faults.push(`${address}: the key ${key} comes twice in the shard.`);
      else {
        const split = item.split ?? splitOfShard(shard);
        images.set(id, { captions: [...captions], split, files: [] });
        paths.set(id, address);
      }
    } else if (item.kind === 'text without picture') stray.push(item.address);
    else faults.push(item.error.message);
  }
  if (images.size === 0)
    throw new InputError(
      faults[0] ??
        `${shards[0]}: no pictures ${stray.length > 0 ? `are in the shards, only texts such as ${stray[0]}` : 'are in the shards'}.`,
    );
  return { images, paths, stray, faults };
}

/** The split that a shard's name or folder tells, of names such as train-00000-of-00002.parquet, val_000001.tar or train/000001.tar. */
export function splitOfShard(shard: string): SplitName | undefined {
  const [word] = shardName(shard).split(/[-_.\d]/, 1);
  return parseSplit(word) ?? parseSplit(basename(dirname(shard)));
}
