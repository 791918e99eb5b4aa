/**
 * Shards that wait to be captioned, in BullMQ's queue on Redis or Valkey. A job is a shard's address, never its pictures,
 * and is there once however often it is added.
 */
import { createHash } from 'node:crypto';
import { type Job, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { connect, type QueueAddress, shownAddress } from './connection.ts';

/** What a job says. */
export interface ShardJob {
  readonly shard: string;
}

/** What a job leaves when it is done: pictures captioned, and pictures that could not be. */
export interface ShardDone {
  readonly captioned: number;
  readonly failed: number;
}

export interface AddOptions {
  /** How often a shard is tried. */
  readonly attempts: number;
  /** Milliseconds before the second attempt; doubled each time. */
  readonly backoff: number;
}

/** A shard that was given up. */
export interface DeadShard {
  readonly shard: string;
  readonly attempts: number;
  readonly reason: string;
}

/** How many shards are where. */
export interface QueueStatus {
  readonly waiting: number;
  /** At work, or of a worker that is gone and not yet missed. */
  readonly active: number;
  /** Failed, and to be tried again later. */
  readonly delayed: number;
  readonly done: number;
  readonly dead: number;
  /** The first thousand of the dead. */
  readonly deadShards: readonly DeadShard[];
}

/** Jobs that go to the server at a time. */
const chunk = 1000;

/** A queue of shards. Close it when done. */
export class ShardQueue implements AsyncDisposable {
  readonly #client: Redis;
  readonly #queue: Queue<ShardJob, ShardDone>;
  /** As messages call it. */
  readonly name: string;

  private constructor(client: Redis, { redis, queue }: QueueAddress) {
    this.#client = client;
    this.#queue = new Queue(queue, { connection: client });
    // Commands reject with what is wrong; without a listener an event of it would end the process.
    this.#queue.on('error', () => undefined);
    this.name = `${queue} at ${shownAddress(redis)}`;
  }

  /** @throws as `connect` */
  static async open(address: QueueAddress): Promise<ShardQueue> {
    return new ShardQueue(await connect(address.redis, false), address);
  }

  /** Adds the shards that are not in the queue yet, whatever became of them. @returns how many those were */
  async add(shards: readonly string[], { attempts, backoff }: AddOptions): Promise<number> {
    const before = await this.#count();
    const opts = { attempts, backoff: { type: 'exponential', delay: backoff } };
    for (let i = 0; i < shards.length; i += chunk)
      await this.#queue.addBulk(
        shards.slice(i, i + chunk).map((shard) => ({
          name: 'shard',
          data: { shard },
          opts: { ...opts, jobId: idOf(shard) },
        })),
      );
    return (await this.#count()) - before;
  }

  async #count(): Promise<number> {
    return Object.values(await this.#queue.getJobCounts()).reduce((a, b) => a + b, 0);
  }

  /**
   * Whether the server writes what it is told to its disk at once, so that its restart loses nothing.
   * @returns undefined where it does not tell
   */
  async isDurable(): Promise<boolean | undefined> {
    try {
      const answer = await this.#client.config('GET', 'appendonly');
      return Array.isArray(answer) && answer[1] === undefined ? undefined : isYes(answer);
    } catch {
      // Servers that others run do not show their settings.
      return undefined;
    }
  }

  async status(): Promise<QueueStatus> {
    const counts = await this.#queue.getJobCounts();
    const failed = await this.#queue.getFailed(0, 999);
    return {
      waiting: counts.waiting + counts.prioritized,
      active: counts.active,
      delayed: counts.delayed,
      done: counts.completed,
      dead: counts.failed,
      deadShards: failed.map(deadShard),
    };
  }

  /** Puts dead shards back, with all their attempts. @returns how many */
  async retry(): Promise<number> {
    const { failed } = await this.#queue.getJobCounts('failed');
    await this.#queue.retryJobs({ state: 'failed' });
    return failed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue.close();
    this.#client.disconnect();
  }
}

/** BullMQ's ids hold no colons. */
function idOf(shard: string): string {
  return createHash('sha256').update(shard).digest('hex').slice(0, 32);
}

function isYes(answer: unknown): boolean {
  return Array.isArray(answer) && answer[1] === 'yes';
}

function deadShard({ data, attemptsMade, failedReason }: Job<ShardJob, ShardDone>): DeadShard {
  return { shard: data.shard, attempts: attemptsMade, reason: failedReason ?? 'no reason given' };
}
