/** `refcap caption --shards`: a task's shards, each captioned into an object of its own. */
import { UsageError } from '../../base/errors.ts';
import { captionShards, type ShardCounts } from '../../scale/caption-shards.ts';
import { shardsOfTask, taskOf } from '../../scale/task.ts';
import { namedShards } from '../options/shard-names.ts';
import { openShardRun, type ShardRunFlags } from '../options/shard-run.ts';
import { FailureList } from '../terminal/failures.ts';
import { formatRate, ProgressLine } from '../terminal/progress.ts';

export interface ShardFlags extends Omit<ShardRunFlags, 'output'> {
  readonly output?: string;
  readonly shards?: readonly string[];
  readonly task?: number;
  readonly tasks?: number;
}

/** Captions the shards that are this task's. @returns whether some pictures or shards failed */
export async function runShards(flags: ShardFlags, signal: AbortSignal): Promise<boolean> {
  const { output } = flags;
  if (output === undefined)
    throw new UsageError(
      '--shards needs --output, a folder or an address such as s3://bucket/captions.',
    );
  const shards = await ownShards(flags);
  using opened = await openShardRun({ ...flags, output }, signal);
  const { captioner, store, run } = opened;
  const progress = new ProgressLine();
  const failures = new FailureList();
  const counts = await captionShards(captioner, shards, store, {
    ...run,
    onDone: (outcome) => {
      if (!flags.quiet) progress.advance();
      if (outcome.kind === 'failed') failures.add(outcome.error);
    },
  }).finally(() => progress.clear());
  if (!flags.quiet) console.error(summary(counts, progress.seconds));
  failures.print();
  return counts.failed > 0;
}

async function ownShards(flags: ShardFlags): Promise<string[]> {
  const task = taskOf(flags, process.env);
  return shardsOfTask(await namedShards(flags.shards ?? [], '--shards '), task);
}

function summary({ captioned, failed, shards }: ShardCounts, seconds: number): string {
  const parts = Object.entries(shards).filter(([, count]) => count > 0);
  const of = parts.map(([what, count]) => `${count} ${what}`).join(', ') || 'none for this task';
  const rate = captioned > 1 ? `, ${formatRate(captioned / seconds)}` : '';
  const pictures = `${captioned} pictures captioned${failed > 0 ? `, ${failed} failed` : ''}`;
  return `shards: ${of}; ${pictures} in ${seconds.toFixed(1)} s${rate}`;
}
