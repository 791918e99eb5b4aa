/** The order of a stream: shards dealt out and shuffled, pictures drawn from a buffer, batches of like lengths. */
import { createRandom, type Random, shuffle } from '../../base/random.ts';
import { dropoutSeed } from '../../nn/dropout.ts';

/** A rank of how many. */
export interface RankOf {
  readonly rank: number;
  readonly size: number;
}

/** A rank's shards in the order of an epoch: every `size`th of all shards, which are shuffled by seed and epoch. */
export function shardsOfRank(
  shards: readonly string[],
  seed: number,
  epoch: number,
  { rank, size }: RankOf,
): string[] {
  const random = createRandom(dropoutSeed(seed, epoch, 4));
  return shuffle([...shards], random).filter((_, place) => place % size === rank);
}

/** What a rank draws from its buffer by, in an epoch. */
export function drawsOfRank(seed: number, epoch: number, { rank }: RankOf): Random {
  return createRandom(dropoutSeed(seed, epoch, 5, rank));
}

/** Each item once, in an order in which none comes much sooner than it was read: drawn from a buffer of `size`. */
export async function* shuffled<Item>(
  items: AsyncIterable<Item>,
  size: number,
  random: Random,
): AsyncGenerator<Item> {
  const buffer: Item[] = [];
  for await (const item of items) {
    if (buffer.length < size) {
      buffer.push(item);
      continue;
    }
    const at = random.integer(size);
    const drawn = buffer[at];
    buffer[at] = item;
    yield drawn;
  }
  yield* shuffle(buffer, random);
}

/** `count` of `items`, in their order if all are wanted, else drawn; undefined: all. */
export function someOf<Item>(
  items: readonly Item[],
  count: number | null,
  random: Random,
): readonly Item[] {
  if (count === null || count >= items.length) return items;
  return shuffle([...items], random).slice(0, count);
}

/** Batches among which items of like lengths are put together. */
const pooled = 16;

/**
 * `count` batches of `size` items: those of 16 batches in a row are sorted by length, so that little is padding, and
 * the batches shuffled. Where items end before, so do batches.
 */
export async function* batchesOf<Item>(
  items: AsyncGenerator<Item>,
  { size, count }: { readonly size: number; readonly count: number },
  lengthOf: (item: Item) => number,
  random: Random,
): AsyncGenerator<Item[]> {
  try {
    for (let done = 0; done < count; done += pooled) {
      const wanted = Math.min(pooled, count - done) * size;
      const pool = await take(items, wanted);
      pool.sort((a, b) => lengthOf(a) - lengthOf(b));
      const batches = Array.from({ length: Math.ceil(pool.length / size) }, (_, i) =>
        pool.slice(i * size, (i + 1) * size),
      );
      yield* shuffle(batches, random);
      if (pool.length < wanted) return;
    }
  } finally {
    await items.return(undefined);
  }
}

async function take<Item>(items: AsyncGenerator<Item>, most: number): Promise<Item[]> {
  const taken: Item[] = [];
  while (taken.length < most) {
    const { value, done } = await items.next();
    if (done === true) break;
    taken.push(value);
  }
  return taken;
}
