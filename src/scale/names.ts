/** The objects of shards' captions. */
import { UsageError } from '../base/errors.ts';
import { shardName } from '../data/shards/address.ts';

/** The object of a shard's captions, and the one that says that they are all there. */
export function objectsOf(shard: string): { captions: string; success: string } {
  const name = shardName(shard);
  return { captions: `${name}.jsonl`, success: `${name}._SUCCESS` };
}

/** @throws UsageError where two shards would have one object */
export function checkNames(shards: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const shard of shards) {
    const other = seen.get(shardName(shard));
    if (other !== undefined)
      throw new UsageError(
        `${other} and ${shard} would both be written to ${objectsOf(shard).captions}; caption them into two outputs.`,
      );
    seen.set(shardName(shard), shard);
  }
}
