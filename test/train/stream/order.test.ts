/** The order of a stream: a function of seed, epoch and rank alone. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../src/base/random.ts';
import {
  batchesOf,
  drawsOfRank,
  shardsOfRank,
  shuffled,
  someOf,
} from '../../../src/train/stream/order.ts';

async function* each<Item>(items: Iterable<Item>): AsyncGenerator<Item> {
  yield* items;
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);
const names = (count: number) => numbers(count).map((i) => `${i}.tar`);
const sorted = (list: readonly number[]) => [...list].sort((a, b) => a - b);

describe('shardsOfRank', () => {
  it('deals every shard to one rank, as many to each but for one', () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 6 }),
        (count, size) => {
          const dealt = numbers(size).map((rank) =>
            shardsOfRank(names(count), 3, 2, { rank, size }),
          );
          expect(dealt.flat().sort()).toEqual(names(count).sort());
          const lengths = dealt.map(({ length }) => length);
          expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1);
        },
      ),
    ));

  it('is the same for the same seed and epoch, and another for another', () => {
    const of = (seed: number, epoch: number) =>
      shardsOfRank(names(20), seed, epoch, { rank: 0, size: 1 }).join();
    expect(of(1, 1)).toBe(of(1, 1));
    expect(new Set([of(1, 1), of(1, 2), of(2, 1), names(20).join()]).size).toBe(4);
  });
});

describe('shuffled', () => {
  it('gives every item once, none much sooner than it was read', () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 60 }),
        fc.integer({ min: 1, max: 70 }),
        fc.integer(),
        async (count, size, seed) => {
          const found = await all(shuffled(each(numbers(count)), size, createRandom(seed)));
          expect(sorted(found)).toEqual(numbers(count));
          for (const [place, item] of found.entries())
            expect(item - place).toBeLessThan(Math.max(size, 1));
        },
      ),
    ));

  it('holds no more than its buffer', async () => {
    let read = 0;
    const counted = (async function* () {
      for (const item of numbers(50)) {
        read++;
        yield item;
      }
    })();
    let given = 0;
    for await (const _ of shuffled(counted, 8, createRandom(1)))
      expect(read - given++).toBeLessThanOrEqual(9);
    expect(given).toBe(50);
  });

  it('mixes: an item moves half its buffer or so', async () => {
    const found = await all(shuffled(each(numbers(2000)), 200, createRandom(1)));
    const moves = found.map((item, place) => Math.abs(item - place));
    const mean = moves.reduce((sum, move) => sum + move, 0) / moves.length;
    expect(mean).toBeGreaterThan(50);
  });
});

describe('someOf', () => {
  it('keeps the order of all, and draws fewer without one twice', () => {
    const random = createRandom(1);
    expect(someOf(numbers(3), null, random)).toEqual([0, 1, 2]);
    expect(someOf(numbers(3), 3, random)).toEqual([0, 1, 2]);
    const drawn = numbers(60).map(() => someOf(numbers(5), 2, random));
    for (const some of drawn) expect(new Set(some).size).toBe(2);
    expect(new Set(drawn.flat()).size).toBe(5);
  });
});

describe('batchesOf', () => {
  const lengths = [5, 1, 4, 2, 3];
  const lengthOf = (item: number) => lengths[item % lengths.length];

  it('gives the items once, like lengths together, in batches of any order', async () => {
    const items = numbers(4 * 16 + 8);
    const batches = await all(
      batchesOf(each(items), { size: 4, count: 18 }, lengthOf, createRandom(1)),
    );
    expect(batches.map(({ length }) => length)).toEqual(Array.from({ length: 18 }, () => 4));
    expect(sorted(batches.flat())).toEqual(items);
    // Of 16 batches with five lengths, four hold two of them.
    const mixed = batches.slice(0, 16).filter((batch) => new Set(batch.map(lengthOf)).size > 1);
    expect(mixed.length).toBeLessThanOrEqual(4);
    const first = batches.slice(0, 16).map(([item]) => lengthOf(item));
    expect(first).not.toEqual(sorted(first));
  });

  it('reads no more than it needs, ends where items do, and closes them', async () => {
    let read = 0;
    let isClosed = false;
    const items = (async function* () {
      try {
        for (;;) yield read++;
      } finally {
        isClosed = true;
      }
    })();
    const two = await all(batchesOf(items, { size: 3, count: 2 }, () => 1, createRandom(1)));
    expect(two).toHaveLength(2);
    expect([read, isClosed]).toEqual([6, true]);
    const short = await all(
      batchesOf(each(numbers(5)), { size: 2, count: 9 }, () => 1, createRandom(1)),
    );
    expect(short.map(({ length }) => length).sort()).toEqual([1, 2, 2]);
  });
});

it('ranks draw differently, and alike in a second run', () => {
  const first = (rank: number, epoch: number) => drawsOfRank(7, epoch, { rank, size: 2 }).next();
  expect(first(0, 1)).toBe(first(0, 1));
  expect(new Set([first(0, 1), first(1, 1), first(0, 2)]).size).toBe(3);
});
