/** The caller's side of a worker thread: calls by name, told events on the way, stopped by a signal. */
import { type TransferListItem, Worker } from 'node:worker_threads';
import { InputError } from '../errors.ts';
import type { CallArgument, CallEvent, CallResult, Handlers } from './answer.ts';
import { type Reply, revive, type ThreadData } from './messages.ts';
import { onAbort } from './on-abort.ts';

/** A thread ended while it had work: the work is lost, no other call is. */
export class ThreadError extends InputError {
  override readonly name = 'ThreadError';
}

export interface CallOptions<Told> {
  /** Rejects the call at once with its reason, and tells the thread. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: Told) => void) | undefined;
  /** Memory of the argument that is handed over instead of copied. */
  readonly transfer?: readonly TransferListItem[];
}

export interface ThreadOptions {
  /** How messages call the thread. */
  readonly name: string;
  /** The most memory that JavaScript may take, in MiB. Default: Node's. */
  readonly heapMiB?: number;
  /** Told whenever the thread has answered all calls, or has failed. */
  readonly onFree?: () => void;
}

/** A call that the thread has not answered. */
interface Pending {
  settle(reply: Reply<unknown, unknown>): void;
  reject(error: Error): void;
}

const running = new Set<ThreadClient<never>>();

/** Milliseconds that the end of the process waits for a thread. */
const longestWait = 30_000;

let isWatched = false;

function watchExit(): void {
  if (isWatched) return;
  isWatched = true;
  process.on('exit', () => {
    for (const thread of running) thread.endNow();
  });
}

/** A thread that serves `Methods` (serve.ts). It keeps the process alive only while a call waits. */
export class ThreadClient<Methods extends Handlers> {
  readonly #worker: Worker;
  readonly #options: ThreadOptions;
  readonly #pending = new Map<number, Pending>();
  readonly #ended = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  readonly #exit: Promise<void>;
  #waiting = 0;
  #count = 0;
  #failure: Error | undefined;

  constructor(module: URL, options: ThreadOptions) {
    this.#options = options;
    const { name, heapMiB } = options;
    const workerData: ThreadData = { ended: this.#ended };
    this.#worker = new Worker(module, {
      name,
      workerData,
      ...(heapMiB !== undefined && { resourceLimits: { maxOldGenerationSizeMb: heapMiB } }),
    });
    this.#worker.on('message', (reply: Reply<unknown, unknown>) => this.#receive(reply));
    this.#worker.on('error', (error) => this.#fail(this.#described(error)));
    this.#exit = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        running.delete(this);
        this.#fail(this.#error(`ended with exit code ${code} while it had work`));
        resolve();
      });
    });
    this.#worker.unref();
    watchExit();
    running.add(this);
  }

  /** Whether every call was answered, also those that nobody waits for any more. */
  get isIdle(): boolean {
    return this.#pending.size === 0;
  }

  /** Whether the thread has ended. */
  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** @throws what the handler threw; the signal's reason when aborted; ThreadError when the thread ends */
  call<Name extends string & keyof Methods>(
    method: Name,
    argument: CallArgument<Methods[Name]>,
    { signal, onEvent, transfer = [] }: CallOptions<CallEvent<Methods[Name]>> = {},
  ): Promise<CallResult<Methods[Name]>> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (signal?.aborted) return Promise.reject(signal.reason);
    const id = this.#count++;
    const call = new Promise<CallResult<Methods[Name]>>((resolve, reject) => {
      this.#pending.set(id, {
        settle(reply: Reply<CallResult<Methods[Name]>, CallEvent<Methods[Name]>>) {
          if ('event' in reply) onEvent?.(reply.event);
          else if ('error' in reply) reject(revive(reply.error));
          else resolve(reply.result);
        },
        reject,
      });
      this.#worker.postMessage({ id, method, argument }, transfer);
    });
    return this.#waitedFor(this.#stoppable(call, id, signal));
  }

  /**
   * Ends the thread; calls that wait are rejected with `reason` at once. The thread ends between two native calls: one
   * that were interrupted (`worker.terminate()`) could end the process.
   */
  async close(reason: Error): Promise<void> {
    this.#fail(reason);
    this.#worker.ref();
    this.#worker.postMessage({ close: true });
    await this.#exit;
  }

  /** At the end of the process: waits until the thread is in no native call. */
  endNow(): void {
    if (this.isIdle && !this.#failure) return;
    this.#worker.postMessage({ close: true });
    Atomics.wait(this.#ended, 0, 0, longestWait);
  }

  /** Keeps the process alive as long as the call is waited for. */
  async #waitedFor<T>(call: Promise<T>): Promise<T> {
    if (this.#waiting++ === 0) this.#worker.ref();
    try {
      return await call;
    } finally {
      if (--this.#waiting === 0) this.#worker.unref();
    }
  }

  async #stoppable<T>(call: Promise<T>, id: number, signal: AbortSignal | undefined): Promise<T> {
    if (!signal) return call;
    let leave = (): void => undefined;
    const stopped = new Promise<never>((_, reject) => {
      leave = onAbort(signal, () => {
        this.#worker.postMessage({ cancel: id });
        reject(signal.reason);
      });
    });
    try {
      return await Promise.race([call, stopped]);
    } finally {
      leave();
    }
  }

  #receive(reply: Reply<unknown, unknown>): void {
    this.#pending.get(reply.id)?.settle(reply);
    if ('event' in reply) return;
    this.#pending.delete(reply.id);
    if (this.isIdle) this.#options.onFree?.();
  }

  #described(error: Error & { readonly code?: unknown }): Error {
    if (error.code === 'ERR_WORKER_OUT_OF_MEMORY')
      return this.#error('ran out of memory; give it less at a time');
    return Object.assign(this.#error(`failed: ${error.message}`), { cause: error });
  }

  #error(what: string): ThreadError {
    return new ThreadError(`the ${this.#options.name} thread ${what}.`);
  }

  #fail(error: Error): void {
    if (this.#failure) return;
    this.#failure = error;
    const lost = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of lost) reject(error);
    this.#options.onFree?.();
  }
}
