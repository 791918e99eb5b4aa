/** The page's side of a worker: calls by name, told events on the way, stopped by a signal. */
import { InputError } from '../../base/errors.ts';
import type { CallArgument, CallEvent, CallResult, Handlers } from '../../base/threads/answer.ts';
import { type Reply, revive } from '../../base/threads/messages.ts';
import { onAbort } from '../../base/threads/on-abort.ts';

export interface WorkerCallOptions<Told> {
  /** Rejects the call at once with its reason, and tells the worker. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: Told) => void) | undefined;
  /** Things of the argument that are handed over instead of copied. */
  readonly transfer?: readonly Transferable[];
}

/** A call that the worker has not answered. */
interface Pending {
  settle(reply: Reply<unknown, unknown>): void;
  reject(error: unknown): void;
}

/** A worker that answers `Methods`, by `answering` of base/threads/. */
export class WorkerClient<Methods extends Handlers> {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #count = 0;
  #failure: Error | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<Reply<unknown, unknown>>) => this.#receive(data);
    worker.onerror = ({ message }) => {
      // Without a message the script itself did not come.
      const reason = message || 'its script cannot be fetched';
      this.close(new InputError(`the captioner's worker failed: ${reason}.`));
    };
  }

  /** @throws what the handler threw; the signal's reason when aborted; InputError when the worker failed */
  call<Name extends string & keyof Methods>(
    method: Name,
    argument: CallArgument<Methods[Name]>,
    { signal, onEvent, transfer = [] }: WorkerCallOptions<CallEvent<Methods[Name]>> = {},
  ): Promise<CallResult<Methods[Name]>> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (signal?.aborted) return Promise.reject(signal.reason);
    const id = this.#count++;
    return new Promise((resolve, reject) => {
      const leave = signal
        ? onAbort(signal, () => {
            this.#worker.postMessage({ cancel: id });
            reject(signal.reason);
          })
        : () => undefined;
      this.#pending.set(id, {
        settle(reply: Reply<CallResult<Methods[Name]>, CallEvent<Methods[Name]>>) {
          if ('event' in reply) {
            if (!signal?.aborted) onEvent?.(reply.event);
            return;
          }
          leave();
          if ('error' in reply) reject(revive(reply.error));
          else resolve(reply.result);
        },
        reject,
      });
      this.#worker.postMessage({ id, method, argument }, [...transfer]);
    });
  }

  /** Ends the worker at once; calls that wait are rejected with `reason`. */
  close(reason: Error): void {
    if (this.#failure) return;
    this.#failure = reason;
    this.#worker.terminate();
    const lost = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of lost) reject(reason);
  }

  #receive(reply: Reply<unknown, unknown>): void {
    this.#pending.get(reply.id)?.settle(reply);
    if (!('event' in reply)) this.#pending.delete(reply.id);
  }
}
