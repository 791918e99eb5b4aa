/** Opens shards of all kinds. */
import { stat } from 'node:fs/promises';
import { InputError } from '../../base/errors.ts';
import { isRemote, type ShardKind, shardKind } from './address.ts';
import type { OpenShard, SampleOptions, ShardItem } from './shard.ts';
import type { StoreOptions } from './store/requests.ts';

type Opener = (path: string, shard: string) => Promise<OpenShard>;

const openers: Readonly<Record<ShardKind, Opener>> = {
  tar: async (path, shard) => (await import('./tar/tar.ts')).openTar(path, shard),
  zip: async (path, shard) => (await import('./zip.ts')).openZip(path, shard),
  parquet: async (path, shard) => (await import('./parquet.ts')).openParquet(path, shard),
};

/**
 * Opens a shard: a tar as WebDataset and img2dataset write it, a zip, or a Parquet table as Hugging Face keeps it. One in
 * a store (s3://, http://, https://) is fetched first.
 * @throws InputError naming the shard when it is missing, of another kind or damaged from its beginning, or its store fails
 */
export async function openShard(shard: string, options: StoreOptions = {}): Promise<OpenShard> {
  kindOf(shard);
  return openFetched(await fetchShard(shard, options), shard);
}

/**
 * The path of a shard on this machine; one in a store is fetched.
 * @throws InputError naming the shard when it is missing, or its store fails
 */
export async function fetchShard(shard: string, options: StoreOptions = {}): Promise<string> {
  if (isRemote(shard)) {
    const { fetchObject } = await import('./store/cache.ts');
    return fetchObject(shard, options);
  }
  const found = await stat(shard).catch(() => undefined);
  if (!found?.isFile()) throw new InputError(`${shard}: there is no such shard; check the name.`);
  return shard;
}

/** @param path where `fetchShard` found it @throws InputError naming the shard when it is damaged from its beginning */
export function openFetched(path: string, shard: string): Promise<OpenShard> {
  return openers[kindOf(shard)](path, shard);
}

function kindOf(shard: string): ShardKind {
  const kind = shardKind(shard);
  if (kind !== undefined) return kind;
  throw new InputError(`${shard}: not the name of a shard (.tar, .zip or .parquet).`);
}

/** What shards give, one after the other. One that cannot be opened is a fault among the rest. */
export async function* readShards(
  shards: Iterable<string>,
  options: SampleOptions & StoreOptions = {},
): AsyncGenerator<ShardItem> {
  for (const shard of shards) {
    try {
      const opened = await openShard(shard, options);
      yield* opened.samples(options);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      yield { kind: 'damage', address: shard, error };
    }
  }
}
