/** Captions shards, each into an object of its own that is there whole or not at all; what is done is not done again. */
import { writeFile } from 'node:fs/promises';
import { readAhead } from '../base/ahead.ts';
import { InputError } from '../base/errors.ts';
import { writing } from '../base/files.ts';
import type { Captioner } from '../caption/captioner.ts';
import type { CaptionOptions } from '../caption/options.ts';
import { type CaptionSink, fileSink } from '../caption/output/output.ts';
import { captionRun, type RunCounts, type RunOutcome } from '../caption/run.ts';
import { picturesOf } from '../caption/sources/shards.ts';
import type { Columns } from '../data/captions/records.ts';
import { isRemote } from '../data/shards/address.ts';
import { openShard } from '../data/shards/open.ts';
import { fetchObject, releaseObject } from '../data/shards/store/cache.ts';
import type { StoreOptions } from '../data/shards/store/requests.ts';
import { checkNames, objectsOf } from './names.ts';
import type { ObjectStore } from './output/output.ts';
import { agreeOnSettings, type OutputSettings } from './settings.ts';

export interface ShardRunOptions {
  readonly options: CaptionOptions;
  readonly batchSize: number;
  readonly settings: OutputSettings;
  readonly columns?: Columns;
  /** Changes rows on their way, as a style does. */
  readonly through?: (sink: CaptionSink) => CaptionSink;
  /** Further captions that are drawn, for keywords. */
  readonly draws?: CaptionOptions;
  /** How stores of shards are asked. */
  readonly store?: StoreOptions;
  readonly signal?: AbortSignal;
  readonly onDone?: (outcome: RunOutcome) => void;
  /** Told of each shard when it is done. */
  readonly onShard?: (shard: string, what: ShardOutcome) => void;
}

/** `damaged`: what could be read of it is written, and it is not taken for done. */
export type ShardOutcome = 'captioned' | 'done before' | 'damaged' | 'missing';

/** How a shard ended. */
export interface ShardResult {
  readonly outcome: ShardOutcome;
  /** Of the pictures that were read now. */
  readonly counts: RunCounts;
  /** What is wrong with a shard that is damaged or missing. */
  readonly fault?: InputError;
}

/** How many shards ended how, and the pictures of those that were read now. */
export interface ShardCounts extends RunCounts {
  readonly shards: Readonly<Record<ShardOutcome, number>>;
}

/**
 * Captions the shards one after the other. The order and number of machines do not show in the objects: pictures are
 * numbered within their shard, and rows hold no times.
 * @throws InputError when the output has other settings or cannot be written; the signal's reason when aborted
 */
export async function captionShards(
  captioner: Captioner,
  shards: readonly string[],
  store: ObjectStore,
  run: ShardRunOptions,
): Promise<ShardCounts> {
  checkNames(shards);
  await agreeOnSettings(store, run.settings);
  const outcomes = { captioned: 0, 'done before': 0, damaged: 0, missing: 0 };
  const counts = { captioned: 0, doubtful: 0, skipped: 0, failed: 0, shards: outcomes };
  for (const [i, shard] of shards.entries()) {
    run.signal?.throwIfAborted();
    const done = await captionShard(captioner, shard, store, run, shards[i + 1]);
    outcomes[done.outcome] += 1;
    counts.captioned += done.counts.captioned;
    counts.failed += done.counts.failed;
    run.onShard?.(shard, done.outcome);
  }
  return counts;
}

/**
 * Captions a shard, unless it is done. The output's settings are agreed on before.
 * @param next the shard that is fetched meanwhile
 * @throws as `captionShards`
 */
export async function captionShard(
  captioner: Captioner,
  shard: string,
  store: ObjectStore,
  run: ShardRunOptions,
  next?: string,
): Promise<ShardResult> {
  const none = { captioned: 0, doubtful: 0, skipped: 0, failed: 0 };
  try {
    if ((await store.read(objectsOf(shard).success)) !== undefined)
      return { counts: none, outcome: 'done before' };
    void fetchAhead(next, store, run);
    const fault = await faultOf(shard, run);
    if (!fault) return await captionInto(captioner, shard, store, run);
    run.onDone?.({ kind: 'failed', name: shard, error: fault });
    return { counts: { ...none, failed: 1 }, outcome: 'missing', fault };
  } finally {
    releaseObject(shard);
  }
}

async function captionInto(
  captioner: Captioner,
  shard: string,
  store: ObjectStore,
  run: ShardRunOptions,
): Promise<ShardResult> {
  const { captions, success } = objectsOf(shard);
  const { options, settings, batchSize, through = (sink) => sink } = run;
  let damage: InputError | undefined;
  const read = picturesOf([shard], { ...run.store, columns: run.columns, signal: run.signal });
  const pictures = noticing(readAhead(read, 2 * batchSize), (picture) => {
    if (picture.kind === 'nothing' && picture.name === shard) damage ??= picture.error;
  });
  const counts = await store.put(captions, async (path) => {
    const file = { resume: false, overwrite: false, candidates: 1, batchSize };
    const sink = withoutTimes(through(await fileSink(path, 'jsonl', file)));
    try {
      return await captionRun(captioner, pictures, sink, { ...run, options, failFast: false });
    } finally {
      await sink.finish();
    }
  });
  if (damage) return { counts, outcome: 'damaged', fault: damage };
  const { captioned, failed } = counts;
  const about = `${JSON.stringify({ shard, captioned, failed, ...settings }, null, 2)}\n`;
  await store.put(success, (path) => writing(path, () => writeFile(path, about)));
  return { counts, outcome: 'captioned' };
}

/** Fetches the next shard while this one is captioned. What fails is told when its turn comes. */
async function fetchAhead(
  shard: string | undefined,
  store: ObjectStore,
  run: ShardRunOptions,
): Promise<void> {
  if (shard === undefined || !isRemote(shard)) return;
  try {
    if ((await store.read(objectsOf(shard).success)) === undefined)
      await fetchObject(shard, { ...run.store, signal: run.signal });
  } catch {
    // Told by whoever opens it.
  }
}

/** Why a shard cannot be read at all, if so. */
async function faultOf(
  shard: string,
  { store, signal }: ShardRunOptions,
): Promise<InputError | undefined> {
  try {
    await openShard(shard, { ...store, signal });
    return undefined;
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}

async function* noticing<T>(items: AsyncIterable<T>, notice: (item: T) => void): AsyncGenerator<T> {
  for await (const item of items) {
    notice(item);
    yield item;
  }
}

/** Rows that are the same whenever they are made. */
function withoutTimes(sink: CaptionSink): CaptionSink {
  return {
    has: (file, path) => sink.has(file, path),
    write: (rows) => sink.write(rows.map(({ ms: _, ...row }) => row)),
    finish: () => sink.finish(),
  };
}
