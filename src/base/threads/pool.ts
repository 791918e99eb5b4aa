/** Threads that take calls in turn: each call goes to whichever thread is free, and ended threads are replaced. */

import type { Handlers } from './answer.ts';
import type { ThreadClient } from './client.ts';
import { onAbort } from './on-abort.ts';

interface Job<Methods extends Handlers> {
  run(thread: ThreadClient<Methods>): void;
  reject(error: Error): void;
}

export class ThreadPool<Methods extends Handlers> {
  readonly #start: (onFree: () => void) => ThreadClient<Methods>;
  readonly #threads: ThreadClient<Methods>[];
  readonly #queue: Job<Methods>[] = [];
  #closed: Error | undefined;

  /** @param start makes a thread that says when it is free; it may have calls of its own behind it */
  constructor(count: number, start: (onFree: () => void) => ThreadClient<Methods>) {
    this.#start = start;
    this.#threads = Array.from({ length: count }, () => this.#fresh());
  }

  /**
   * Gives a free thread to `work`, which makes its call at once. An aborted signal takes what still waits
   * out of the queue.
   */
  run<T>(work: (thread: ThreadClient<Methods>) => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#closed) return Promise.reject(this.#closed);
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      let leave = (): void => undefined;
      const job: Job<Methods> = {
        run: (thread) => {
          leave();
          work(thread).then(resolve, reject);
        },
        reject,
      };
      if (signal)
        leave = onAbort(signal, () => {
          this.#queue.splice(this.#queue.indexOf(job), 1);
          reject(signal.reason);
        });
      this.#queue.push(job);
      this.#hand();
    });
  }

  /** Ends all threads; calls that wait are rejected with `reason`. */
  async close(reason: Error): Promise<void> {
    this.#closed = reason;
    for (const { reject } of this.#queue.splice(0)) reject(reason);
    await Promise.all(this.#threads.map((thread) => thread.close(reason)));
  }

  #fresh(): ThreadClient<Methods> {
    return this.#start(() => this.#hand());
  }

  #hand(): void {
    if (this.#closed) return;
    for (const [i, thread] of this.#threads.entries()) {
      if (this.#queue.length === 0) return;
      if (thread.hasFailed) this.#threads[i] = this.#fresh();
      else if (!thread.isIdle) continue;
      this.#queue.shift()?.run(this.#threads[i]);
    }
  }
}
