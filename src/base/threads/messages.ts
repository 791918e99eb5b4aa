/** What a thread and its caller send each other. */
import { InputError, UsageError } from '../errors.ts';

/** What a thread is started with. */
export interface ThreadData {
  /** Becomes 1, for those that wait for it, when the thread runs nothing any more. */
  readonly ended: Int32Array;
}

/** To the thread: a call, that its result is no longer wanted, or that the thread is to end. */
export type Request =
  // The caller's types are checked where the call is made, the handler's where it is written.
  | { readonly id: number; readonly method: string; readonly argument: never }
  | { readonly cancel: number }
  | { readonly close: true };

/** From the thread: something on the way, or the end of a call. */
export type Reply<Result, Event> =
  | { readonly id: number; readonly event: Event }
  | { readonly id: number; readonly result: Result }
  | { readonly id: number; readonly error: SentError };

/** An error as it travels: classes do not. */
export interface SentError {
  readonly kind: 'usage' | 'input' | 'other';
  readonly message: string;
  readonly stack: string;
}

export function sendable(error: unknown): SentError {
  const { message, stack = message } = error instanceof Error ? error : new Error(String(error));
  const isInput = error instanceof InputError;
  const kind = error instanceof UsageError ? 'usage' : isInput ? 'input' : 'other';
  return { kind, message, stack };
}

export function revive({ kind, message, stack }: SentError): Error {
  switch (kind) {
    case 'usage':
      return new UsageError(message);
    case 'input':
      return new InputError(message);
    case 'other':
      return Object.assign(new Error(message), { stack });
  }
}
