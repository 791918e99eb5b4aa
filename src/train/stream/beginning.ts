/** What a rehearsal reads of a stream: whole shards only where the run's first step does, too. */
import type { WholeRun } from '../loop/options.ts';
import { type EntryOptions, samplesToTrain } from './entries.ts';
import type { StreamImages } from './images.ts';
import type { StreamShards } from './shards.ts';

/** Some shards, and how they are read. */
export interface ShardsToRead {
  readonly shards: readonly string[];
  readonly entries: EntryOptions;
}

/**
 * As many of the first shards as have the pictures that are wanted, of each no more than these.
 * @throws as `samplesToTrain`
 */
export async function beginningOf(
  shards: readonly string[],
  wanted: number,
  given: EntryOptions,
): Promise<ShardsToRead> {
  const entries = { ...given, most: wanted };
  const chosen: string[] = [];
  let found = 0;
  for (const shard of shards) {
    if (found >= wanted) break;
    chosen.push(shard);
    for await (const _ of samplesToTrain(shard, entries)) found += 1;
  }
  return { shards: chosen, entries };
}

/** Calls `go` with the shards' features computed, so that no step waits for them. */
export async function withFeatures(
  images: StreamImages,
  shards: readonly string[],
  go: () => Promise<void>,
): Promise<void> {
  try {
    for (const shard of shards) await images.ready(shard);
    await go();
  } finally {
    for (const shard of shards) await images.forget(shard);
  }
}

/** @param first captions of some pictures, by which those of an epoch are reckoned where nobody counted them */
export function wholeStream(
  { train, epochImages, captions }: StreamShards,
  first: readonly { readonly captions: readonly string[] }[],
): Pick<WholeRun, 'captions' | 'isGuess' | 'units' | 'shards'> {
  const counted = first.reduce((sum, image) => sum + image.captions.length, 0);
  return {
    captions: captions ?? Math.round((epochImages * counted) / first.length),
    isGuess: captions === undefined,
    units: epochImages,
    shards: train.length,
  };
}
