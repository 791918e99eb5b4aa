/** Collects single pieces of work into batches, and runs as many batches at a time as there are workers. */
import { onAbort } from '../../base/threads/on-abort.ts';
import { type BatchRules, decide, type Waiting } from './schedule.ts';

/** It waited for longer than it may. */
export class WaitedTooLong extends Error {
  override readonly name = 'WaitedTooLong';
}

export interface BatcherOptions extends BatchRules {
  /** Batches at a time. */
  readonly workers: number;
  /** Milliseconds that a piece may wait for its batch. */
  readonly timeout: number;
  /** Whether other pieces are on their way. */
  readonly isMoreComing: () => boolean;
}

/** What a batch is run with. */
export interface BatchContext {
  /** Aborted when nobody waits for any of the batch any more. */
  readonly signal: AbortSignal;
}

interface Job<Task, Result> extends Waiting {
  readonly task: Task;
  readonly signal: AbortSignal;
  /** Called when it leaves the queue, for its batch or not. */
  readonly onLeave: () => void;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

type Run<Task, Result> = (
  tasks: readonly Task[],
  context: BatchContext,
) => Promise<readonly Result[]>;

export class Batcher<Task, Result> {
  readonly #run: Run<Task, Result>;
  readonly #options: BatcherOptions;
  #waiting: Job<Task, Result>[] = [];
  #running = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param run gives a result for each task; where it fails, all of the batch fail with its error */
  constructor(run: Run<Task, Result>, options: BatcherOptions) {
    this.#run = run;
    this.#options = options;
  }

  /** How many wait for their batch. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Adds a task; those with the same key may share a batch.
   * @param onLeave called once, when it waits no longer
   * @throws WaitedTooLong after the timeout; what the batch throws; the signal's reason when aborted
   */
  add(key: string, task: Task, signal: AbortSignal, onLeave: () => void): Promise<Result> {
    if (signal.aborted) {
      onLeave();
      return Promise.reject(signal.reason);
    }
    return new Promise((resolve, reject) => {
      const job: Job<Task, Result> = {
        key,
        task,
        signal,
        since: performance.now(),
        onLeave: () => {
          clearTimeout(late);
          leave();
          onLeave();
        },
        resolve,
        reject,
      };
      const drop = (reason: unknown): void => {
        this.#waiting = this.#waiting.filter((other) => other !== job);
        job.onLeave();
        reject(reason);
        this.look();
      };
      const leave = onAbort(signal, () => drop(signal.reason));
      const late = setTimeout(
        () => drop(new WaitedTooLong('it waited too long')),
        this.#options.timeout,
      );
      this.#waiting.push(job);
      this.look();
    });
  }

  /** Starts what is ripe; to be called also when less is on its way than before. */
  look(): void {
    clearTimeout(this.#timer);
    while (this.#running < this.#options.workers) {
      const next = decide(
        this.#waiting,
        performance.now(),
        this.#options.isMoreComing(),
        this.#options,
      );
      if (next.kind === 'wait') this.#timer = setTimeout(() => this.look(), Math.ceil(next.ms));
      if (next.kind !== 'run') return;
      this.#start(next.batch);
    }
  }

  #start(batch: readonly Job<Task, Result>[]): void {
    const taken = new Set(batch);
    this.#waiting = this.#waiting.filter((job) => !taken.has(job));
    this.#running += 1;
    for (const job of batch) job.onLeave();
    void this.#finish(batch);
  }

  async #finish(batch: readonly Job<Task, Result>[]): Promise<void> {
    const stop = new AbortController();
    let wanted = batch.length;
    const leaves = batch.map(({ signal, reject }) =>
      onAbort(signal, () => {
        reject(signal.reason);
        wanted -= 1;
        if (wanted === 0) stop.abort(signal.reason);
      }),
    );
    try {
      const results = await this.#run(
        batch.map(({ task }) => task),
        { signal: stop.signal },
      );
      for (const [i, job] of batch.entries()) job.resolve(results[i]);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      for (const leave of leaves) leave();
      this.#running -= 1;
      this.look();
    }
  }
}
