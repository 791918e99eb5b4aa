/** The bytes of pictures by path, which may be an address in a shard. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { isFilmName } from '../films/names.ts';
import { isRemote, parseAddress, type ShardAddress } from './address.ts';
import { openShard } from './open.ts';
import type { OpenShard } from './shard.ts';

/** Shards that pictures were read of, with where each picture lies: about 100 bytes a picture. */
const opened = new Map<string, Promise<OpenShard>>();

/** @throws InputError naming the shard or the picture in it */
export async function readShardPicture({ shard, member }: ShardAddress): Promise<Uint8Array> {
  let open = opened.get(shard);
  if (!open) {
    open = openShard(shard);
    opened.set(shard, open);
    // Another try may find it.
    open.catch(() => opened.delete(shard));
  }
  return (await open).read(member);
}

/** Forgets where a shard's pictures lie, and lets its copy go when room is needed: it is not read for some time. */
export async function releaseShard(shard: string): Promise<void> {
  opened.delete(shard);
  if (isRemote(shard)) (await import('./store/cache.ts')).releaseObject(shard);
}

/** @throws the system's error of a file; InputError of a shard */
export function readPicture(path: string): Promise<Uint8Array> {
  const address = parseAddress(path);
  return address ? readShardPicture(address) : readFile(path);
}

/**
 * SHA-256 of a picture's or film's bytes, 64 hex digits; a film's are not in memory at once.
 * @throws as `readPicture`
 */
export async function contentHash(path: string): Promise<string> {
  const hash = createHash('sha256');
  if (isFilmName(path)) await pipeline(createReadStream(path), hash);
  else hash.update(await readPicture(path));
  return hash.digest('hex');
}
