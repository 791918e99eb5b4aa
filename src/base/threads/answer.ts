/** Answers calls by name, any number at a time, each with its own signal: the side of a thread, here or in a browser. */
import { type Reply, type Request, sendable } from './messages.ts';

/** What a handler has beside its argument. */
export interface CallContext<Event> {
  /** Aborted when the caller no longer wants the result. */
  readonly signal: AbortSignal;
  /** Tells the caller something on the way. */
  emit(event: Event): void;
  /** Memory of the result that is handed over instead of copied: the thread has it no more. */
  handOver(memory: ArrayBuffer): void;
}

/** What a thread can be asked, by name. Arguments, events and results are copied, but for what is handed over. */
export type Handlers = Readonly<
  Record<string, (argument: never, context: CallContext<never>) => Promise<unknown>>
>;

type Handler = Handlers[string];

/** What a handler is given, what it gives, and what it tells on the way. */
export type CallArgument<Method extends Handler> = Parameters<Method>[0];
export type CallResult<Method extends Handler> = Awaited<ReturnType<Method>>;
export type CallEvent<Method extends Handler> =
  Parameters<Method>[1] extends CallContext<infer Told> ? Told : never;

type Call = Exclude<Request, { readonly close: true }>;

/** @param send tells the caller. @returns takes what the caller sends */
export function answering(
  handlers: Handlers,
  send: (reply: Reply<unknown, unknown>, transfer: ArrayBuffer[]) => void,
): (request: Call) => Promise<void> {
  const running = new Map<number, AbortController>();
  return async (request) => {
    if ('cancel' in request) {
      running.get(request.cancel)?.abort();
      return;
    }
    const { id, method, argument } = request;
    const stop = new AbortController();
    running.set(id, stop);
    const transfer: ArrayBuffer[] = [];
    try {
      const result = await handlers[method](argument, {
        signal: stop.signal,
        emit: (event: never) => send({ id, event }, []),
        handOver: (memory) => transfer.push(memory),
      });
      send({ id, result }, transfer);
    } catch (error) {
      send({ id, error: sendable(error) }, []);
    } finally {
      running.delete(id);
    }
  };
}
