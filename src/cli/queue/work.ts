/** What `refcap queue work` does, its flags read. */
import { UsageError } from '../../base/errors.ts';
import type { RunOutcome } from '../../caption/run.ts';
import { captionShard } from '../../scale/caption-shards.ts';
import type { QueueAddress } from '../../scale/queue/connection.ts';
import { workOnQueue } from '../../scale/queue/work.ts';
import { agreeOnSettings } from '../../scale/settings.ts';
import { checkLengths } from '../options/lengths.ts';
import { openShardRun, type ShardRunFlags } from '../options/shard-run.ts';
import { checkStyleFlags } from '../options/style.ts';

interface WorkFlags extends QueueAddress, ShardRunFlags {
  readonly concurrency: number;
  readonly lease: number;
  readonly untilDone?: true;
  readonly quiet?: true;
}

/** @throws InputError when the server does not answer, or the model or the output cannot be opened */
export async function runWork(flags: WorkFlags, signal: AbortSignal): Promise<void> {
  checkLengths(flags);
  checkStyleFlags(flags, 'jsonl', false);
  const { concurrency, lease, untilDone = false, workers = concurrency, quiet } = flags;
  if (workers === 0)
    throw new UsageError('--workers 0: a worker of a queue must not be busy when its lock is due.');
  const told = (sentence: string): void => console.error(`refcap: ${sentence}`);
  using opened = await openShardRun({ ...flags, workers }, signal);
  const { captioner, store, run: given } = opened;
  const onDone = (outcome: RunOutcome): void => {
    if (outcome.kind === 'failed') told(outcome.error.message);
  };
  const run = { ...given, onDone };
  await agreeOnSettings(store, run.settings);
  const total = { shards: 0, captioned: 0, failed: 0 };
  const failing = new Set<string>();
  await workOnQueue(flags, (shard) => captionShard(captioner, shard, store, run), {
    ...{ concurrency, lease: 1000 * lease, untilDone, signal },
    onShard: (shard, result) => {
      if (result instanceof Error) told(result.message);
      if (result instanceof Error || result.fault) {
        failing.add(shard);
        return;
      }
      // A later attempt may succeed.
      failing.delete(shard);
      if (!quiet) console.error(`${shard}: ${result.outcome}`);
      total.shards += 1;
      total.captioned += result.counts.captioned;
      total.failed += result.counts.failed;
    },
    onBreak: told,
  });
  if (!quiet) console.error(`${total.shards} shards, ${total.captioned} pictures captioned`);
  signal.throwIfAborted();
  if (total.failed + failing.size > 0) process.exitCode = 3;
}
