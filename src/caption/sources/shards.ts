/** The pictures of shards: tars, zips and Parquet tables, read one after the other. */
import { InputError } from '../../base/errors.ts';
import type { Columns } from '../../data/captions/records.ts';
import { expandShards } from '../../data/shards/expand.ts';
import { readShards } from '../../data/shards/open.ts';
import type { SampleOptions } from '../../data/shards/shard.ts';
import type { StoreOptions } from '../../data/shards/store/requests.ts';
import type { CaptionInput } from './input.ts';

/** @param name a shard, several by braces, or a pattern */
export async function* picturesInShards(
  name: string,
  columns: Columns | undefined,
): AsyncGenerator<CaptionInput> {
  yield* picturesOf(await expandShards(name), { columns });
}

/** What is wrong with a shard takes the place of its pictures; a shard without any is wrong, too. */
export async function* picturesOf(
  shards: readonly string[],
  options: SampleOptions & StoreOptions,
): AsyncGenerator<CaptionInput> {
  for (const shard of shards) {
    let count = 0;
    for await (const item of readShards([shard], options)) {
      count += 1;
      if (item.kind === 'sample') {
        const { key, address, read } = item;
        yield { kind: 'in shard', name: address, key, shard, read };
      } else yield { kind: 'nothing', name: item.address, error: item.error };
    }
    if (count === 0)
      yield {
        kind: 'nothing',
        name: shard,
        error: new InputError(`${shard}: there are no pictures in this shard.`),
      };
  }
}
