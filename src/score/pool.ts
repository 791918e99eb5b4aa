/** Runs tasks on worker threads, and gives their results in the order of the tasks. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { InputError } from '../base/errors.ts';
import type { Runner } from '../metrics/corpus/runner.ts';

/** One worker a core; but each has METEOR's data in memory, and more than eight hardly have work. */
export function defaultWorkers(): number {
  return Math.min(8, availableParallelism());
}

export type TaskRequest<Setup, Task> = { setup: Setup } | { task: Task };
export type TaskReply<Result> =
  | { done: true }
  | { result: Result }
  | { error: { input: boolean; message: string; stack: string } };

/** A runner on `count` threads that run the module at `url` (see serveTasks in worker.ts). */
export function workerRunner<Setup, Task, Result>(
  url: URL,
  count: number,
): Runner<Setup, Task, Result> {
  const threads = Array.from({ length: count }, () => new Thread<Setup, Task, Result>(url));
  return {
    async setUp(setup) {
      await Promise.all(threads.map((thread) => thread.send({ setup }, [])));
    },

    async *map(tasks, transfers) {
      const source = tasks[Symbol.iterator]();
      const pending: Promise<TaskReply<Result>>[] = [];
      const next = (thread: Thread<Setup, Task, Result>): void => {
        const { done, value } = source.next();
        if (done) return;
        const reply = thread.send({ task: value }, transfers(value));
        pending.push(reply);
        // Rejections of replies are seen where the results are taken in order; so is a task that cannot be made.
        reply.then(
          () => {
            try {
              next(thread);
            } catch (error) {
              const failed = Promise.reject<TaskReply<Result>>(error);
              failed.catch(() => {});
              pending.push(failed);
            }
          },
          () => {},
        );
      };
      // Two tasks in each thread's queue, so that none waits for this thread between tasks.
      for (const thread of [...threads, ...threads]) next(thread);
      for (let at = 0; at < pending.length; at++) {
        const reply = await pending[at];
        // Let go of what was taken, so that results do not pile up.
        pending[at] = taken;
        if ('result' in reply) yield reply.result;
      }
    },

    async close() {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

const taken: Promise<never> = new Promise(() => {});

/** One worker thread; answers come in the order of the requests. */
export class Thread<Setup, Task, Result> {
  readonly #worker: Worker;
  readonly #waiting: {
    resolve: (reply: TaskReply<Result>) => void;
    reject: (error: unknown) => void;
  }[] = [];
  #failure: unknown;

  constructor(url: URL) {
    this.#worker = new Worker(url);
    this.#worker.on('message', (reply: TaskReply<Result>) => {
      const request = this.#waiting.shift();
      if ('error' in reply) request?.reject(revive(reply.error));
      else request?.resolve(reply);
    });
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', (code) => this.#fail(new Error(`a worker thread ended with ${code}`)));
  }

  send(request: TaskRequest<Setup, Task>, transfers: ArrayBuffer[]): Promise<TaskReply<Result>> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(request, transfers);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}

function revive(error: { input: boolean; message: string; stack: string }): Error {
  const revived = error.input ? new InputError(error.message) : new Error(error.message);
  if (!error.input) revived.stack = error.stack;
  return revived;
}
