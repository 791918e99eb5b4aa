/** What a stream reads of shards: pictures' addresses with their captions, and how long a shard is needed. */
import { InputError } from '../../base/errors.ts';
import type { Columns } from '../../data/captions/records.ts';
import { shardKind } from '../../data/shards/address.ts';
import { fetchShard, openFetched } from '../../data/shards/open.ts';
import { readPicture, releaseShard } from '../../data/shards/picture.ts';
import type { OpenShard, ShardItem, ShardSample } from '../../data/shards/shard.ts';

/** A picture that waits for its step. */
export interface StreamEntry {
  readonly address: string;
  readonly shard: string;
  /** Its number among the shard's training pictures, from 0. */
  readonly place: number;
  readonly captions: readonly string[];
  /** The picture's file. @throws InputError naming the address */
  read(): Promise<Uint8Array>;
}

export interface EntryOptions {
  readonly columns?: Columns | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Training pictures that are read of a shard; all by default. */
  readonly most?: number;
  /** Told of what gives no picture; the rest goes on. */
  onFault(address: string, sentence: string): void;
}

/**
 * A shard's training pictures that have captions; those that their record says to be of another split are passed over.
 * @throws InputError when the shard is not there or its store fails; damage is told
 */
export async function* samplesToTrain(
  shard: string,
  options: EntryOptions,
): AsyncGenerator<ShardSample> {
  const { most = Number.POSITIVE_INFINITY } = options;
  let found = 0;
  for await (const item of itemsOf(shard, options)) {
    options.signal?.throwIfAborted();
    if (item.kind !== 'sample') options.onFault(item.address, item.error.message);
    else if (item.split !== undefined && item.split !== 'train') continue;
    else if (item.captions.every((caption) => caption === ''))
      options.onFault(item.address, `${item.address}: the picture has no caption.`);
    else {
      yield item;
      found += 1;
      if (found >= most) return;
    }
  }
}

async function* itemsOf(
  shard: string,
  { columns, signal }: EntryOptions,
): AsyncGenerator<ShardItem> {
  // What is not there today may be tomorrow: leaving it out would make another order of it.
  const path = await fetchShard(shard, { signal });
  let open: OpenShard;
  try {
    open = await openFetched(path, shard);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    yield { kind: 'damage', address: shard, error };
    return;
  }
  yield* open.samples({ columns });
}

/** The shards that are being read, or of which pictures wait. */
export class ShardsInUse {
  readonly #holds = new Map<string, number>();
  readonly #forget: (shard: string) => Promise<void>;

  /** @param forget called of a shard that is needed no more */
  constructor(forget: (shard: string) => Promise<void>) {
    this.#forget = forget;
  }

  hold(shard: string): void {
    this.#holds.set(shard, (this.#holds.get(shard) ?? 0) + 1);
  }

  async letGo(shard: string): Promise<void> {
    const left = (this.#holds.get(shard) ?? 0) - 1;
    if (left > 0) {
      this.#holds.set(shard, left);
      return;
    }
    this.#holds.delete(shard);
    await this.#release(shard);
  }

  async letAllGo(): Promise<void> {
    const shards = [...this.#holds.keys()];
    this.#holds.clear();
    for (const shard of shards) await this.#release(shard);
  }

  async #release(shard: string): Promise<void> {
    await this.#forget(shard);
    await releaseShard(shard);
  }
}

/**
 * The pictures of shards, one shard after the other; each holds its shard until it is let go.
 * @param keepsBytes whether the pictures are read by what the shard gives; of a table, a copy of their bytes is kept then
 */
export async function* readEntries(
  shards: readonly string[],
  inUse: ShardsInUse,
  keepsBytes: boolean,
  options: EntryOptions,
): AsyncGenerator<StreamEntry> {
  for (const [i, shard] of shards.entries()) {
    if (i === 0) inUse.hold(shard);
    // The next one is fetched meanwhile; what fails is told in its turn.
    const next = shards[i + 1];
    if (next !== undefined) {
      inUse.hold(next);
      fetchShard(next, { signal: options.signal }).catch(() => undefined);
    }
    let place = 0;
    for await (const sample of samplesToTrain(shard, options)) {
      inUse.hold(shard);
      yield await entryOf(sample, place++, keepsBytes);
    }
    await inUse.letGo(shard);
  }
}

async function entryOf(
  { address, shard, captions, read }: ShardSample,
  place: number,
  keepsBytes: boolean,
): Promise<StreamEntry> {
  const said = captions.filter((caption) => caption !== '');
  const entry = { address, shard, place, captions: said };
  // What a table gives are its row group's bytes: a view of them would keep all of it.
  if (!keepsBytes) return { ...entry, read: () => readPicture(address) };
  if (shardKind(shard) !== 'parquet') return { ...entry, read };
  const bytes = (await read()).slice();
  return { ...entry, read: async () => bytes };
}
