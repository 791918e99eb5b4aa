/** What `refcap queue add`, `status` and `retry` do, their flags read. */
import { plural } from '../../base/plural.ts';
import { checkNames } from '../../scale/names.ts';
import type { QueueAddress } from '../../scale/queue/connection.ts';
import { ShardQueue } from '../../scale/queue/queue.ts';
import { namedShards } from '../options/shard-names.ts';

interface AddFlags extends QueueAddress {
  readonly attempts: number;
  readonly backoff: number;
}

/** @throws UsageError for what is no shard; InputError when the server does not answer */
export async function runAdd(names: readonly string[], flags: AddFlags): Promise<void> {
  const shards = await namedShards(names);
  checkNames(shards);
  await using queue = await ShardQueue.open(flags);
  const { attempts, backoff } = flags;
  const added = await queue.add(shards, { attempts, backoff: 1000 * backoff });
  const before = shards.length - added;
  const known = before > 0 ? `, ${before} were in it before` : '';
  console.log(`${queue.name}: ${added} shards added${known}`);
  if ((await queue.isDurable()) === false)
    console.error(
      `refcap: ${queue.name}: the server keeps it in memory and may lose of it when it stops; start it with --appendonly yes.`,
    );
}

interface StatusFlags extends QueueAddress {
  readonly format: 'text' | 'json';
}

/** @throws InputError when the server does not answer */
export async function runStatus(flags: StatusFlags): Promise<void> {
  await using queue = await ShardQueue.open(flags);
  const status = await queue.status();
  if (flags.format === 'json') {
    console.log(JSON.stringify(status, null, 2));
    return;
  }
  const { waiting, active, delayed, done, dead, deadShards } = status;
  console.log(
    `${queue.name}: ${waiting} waiting, ${active} at work, ${delayed} to be tried again, ${done} done, ${dead} dead`,
  );
  for (const { attempts, reason } of deadShards)
    console.log(`dead after ${plural(attempts, 'attempt')}: ${reason}`);
  if (dead > deadShards.length) console.log(`and ${dead - deadShards.length} more`);
}

/** @throws InputError when the server does not answer */
export async function runRetry(flags: QueueAddress): Promise<void> {
  await using queue = await ShardQueue.open(flags);
  console.log(`${queue.name}: ${await queue.retry()} shards put back`);
}
