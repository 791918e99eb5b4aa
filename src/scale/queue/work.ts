/** A worker of a queue: takes shards as long as there are any, and gives back what it cannot finish. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Job, Queue, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import type { ShardResult } from '../caption-shards.ts';
import { connect, type QueueAddress } from './connection.ts';
import type { ShardDone, ShardJob } from './queue.ts';

export interface WorkOptions {
  /** Shards at a time. */
  readonly concurrency: number;
  /** Milliseconds without a sign of life after which another worker takes a shard. */
  readonly lease: number;
  /** Ends when no shard waits, is at work anywhere or is to be tried again. Otherwise only the signal ends it. */
  readonly untilDone: boolean;
  readonly signal: AbortSignal;
  /** Told of each shard how it ended, or what was thrown. */
  readonly onShard?: (shard: string, result: ShardResult | Error) => void;
  /** Told when the connection to the server breaks, and is made anew. */
  readonly onBreak?: (sentence: string) => void;
}

/** A shard of which so many workers were lost is dead: it may be what ends them. */
const mostLost = 10;

/**
 * Works on a queue's shards. A shard is the worker's by a lock that it renews; when it stops doing so, another worker takes
 * the shard. When the signal is aborted, shards at work go back at once.
 * @param caption captions one shard; what it throws, and a shard that is missing, is tried again
 * @throws InputError as `connect` does
 */
export async function workOnQueue(
  address: QueueAddress,
  caption: (shard: string, signal: AbortSignal) => Promise<ShardResult>,
  options: WorkOptions,
): Promise<void> {
  const { concurrency, lease, untilDone, signal, onBreak } = options;
  const client = await connect(address.redis, true, onBreak);
  const queue = new Queue(address.queue, { connection: client });
  const worker = new Worker<ShardJob, ShardDone>(
    address.queue,
    (job, token) => work(job, token, caption, options),
    {
      ...{ connection: client, concurrency, lockDuration: lease, stalledInterval: lease },
      ...{ maxStalledCount: mostLost, drainDelay: 1 },
    },
  );
  // Breaks are told by the connection; what is lost by them is done again.
  queue.on('error', () => undefined);
  worker.on('error', () => undefined);
  try {
    await (untilDone ? isDone(queue, signal) : aborted(signal));
    // Without a server nothing can be given back; the locks then end by themselves.
    const closing = Promise.all([worker.close(), queue.close()]);
    await Promise.race([closing, ...(signal.aborted ? [sleep(mostGivingBack)] : [])]);
  } finally {
    client.disconnect();
  }
}

/** Milliseconds that a worker that is stopped has for giving back its shards. */
const mostGivingBack = 5000;

/** Waits until the signal is aborted. */
async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

/** Waits until no shard waits, is at work or is to be tried again, or the signal is aborted. */
async function isDone(queue: Queue, signal: AbortSignal): Promise<void> {
  const stopped = aborted(signal);
  while (!signal.aborted) {
    const left = queue.getJobCountByTypes('waiting', 'prioritized', 'active', 'delayed');
    if ((await Promise.race([left, stopped])) === 0) return;
    await Promise.race([sleep(500), stopped]);
  }
}

async function work(
  job: Job<ShardJob, ShardDone>,
  token: string | undefined,
  caption: (shard: string, signal: AbortSignal) => Promise<ShardResult>,
  { signal, onShard }: WorkOptions,
): Promise<ShardDone> {
  const { shard } = job.data;
  let result: ShardResult;
  try {
    signal.throwIfAborted();
    result = await caption(shard, signal);
  } catch (error) {
    if (signal.aborted) {
      await job.moveToWait(token);
      throw new WaitingError();
    }
    onShard?.(shard, error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
  onShard?.(shard, result);
  const { outcome, counts, fault } = result;
  // What is cut off stays so; what is missing may yet be written.
  if (outcome === 'damaged') throw new UnrecoverableError(fault?.message);
  if (fault) throw fault;
  return { captioned: counts.captioned, failed: counts.failed };
}
