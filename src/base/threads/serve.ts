/** The thread's side: answers calls by name, any number at a time, each with its own signal. */
import { parentPort, workerData } from 'node:worker_threads';
import { type Request, sendable, type ThreadData } from './messages.ts';

/** What a handler has beside its argument. */
export interface CallContext<Event> {
  /** Aborted when the caller no longer wants the result. */
  readonly signal: AbortSignal;
  /** Tells the caller something on the way. */
  emit(event: Event): void;
}

/** What a thread can be asked, by name. Arguments, events and results are copied. */
export type Handlers = Readonly<
  Record<string, (argument: never, context: CallContext<never>) => Promise<unknown>>
>;

/** Answers calls until the thread ends. Called by a thread's own module. */
export function serve(handlers: Handlers): void {
  const port = parentPort;
  if (!port) throw new Error('this module runs in a worker thread only');
  const { ended }: ThreadData = workerData;
  const running = new Map<number, AbortController>();
  port.on('message', async (request: Request) => {
    if ('cancel' in request) {
      running.get(request.cancel)?.abort();
      return;
    }
    if ('close' in request) {
      Atomics.store(ended, 0, 1);
      Atomics.notify(ended, 0);
      process.exit();
    }
    const { id, method, argument } = request;
    const stop = new AbortController();
    running.set(id, stop);
    try {
      const emit = (event: never): void => port.postMessage({ id, event });
      const result = await handlers[method](argument, { signal: stop.signal, emit });
      port.postMessage({ id, result });
    } catch (error) {
      port.postMessage({ id, error: sendable(error) });
    } finally {
      running.delete(id);
    }
  });
}
