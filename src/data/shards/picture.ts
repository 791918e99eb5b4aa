/** The bytes of pictures by path, which may be an address in a shard. */
import { readFile } from 'node:fs/promises';
import { parseAddress, type ShardAddress } from './address.ts';
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

/** @throws the system's error of a file; InputError of a shard */
export function readPicture(path: string): Promise<Uint8Array> {
  const address = parseAddress(path);
  return address ? readShardPicture(address) : readFile(path);
}
