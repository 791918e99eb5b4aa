/** Shards that a command's arguments name. */
import { UsageError } from '../../base/errors.ts';
import { isShardName } from '../../data/shards/address.ts';
import { expandShards } from '../../data/shards/expand.ts';

/**
 * All shards that names stand for.
 * @param flag what stood before the names, for the message
 * @throws UsageError where a name is not that of a shard
 */
export async function namedShards(names: readonly string[], flag = ''): Promise<string[]> {
  const all: string[] = [];
  for (const name of names) {
    if (!isShardName(name))
      throw new UsageError(`${flag}${name}: shards end in .tar, .zip or .parquet.`);
    // One by one, as there may be more than a call takes arguments.
    for (const shard of await expandShards(name)) all.push(shard);
  }
  return all;
}
