/** Answers calls by name, any number at a time, each with its own signal: the side of a thread, here or in a browser. */
import { type Reply, type Request, sendable } from './messages.ts';

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
  send: (reply: Reply<unknown, unknown>) => void,
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
    try {
      const emit = (event: never): void => send({ id, event });
      const result = await handlers[method](argument, { signal: stop.signal, emit });
      send({ id, result });
    } catch (error) {
      send({ id, error: sendable(error) });
    } finally {
      running.delete(id);
    }
  };
}
