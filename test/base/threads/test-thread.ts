/** What test-thread.js can be asked. */
import type { CallContext } from '../../../src/base/threads/answer.ts';

export type TestThread = {
  name(given: string): Promise<void>;
  whoAreYou(argument: undefined): Promise<string>;
  double(values: readonly number[]): Promise<number[]>;
  length(bytes: Uint8Array): Promise<number>;
  /** Numbers 0 to count - 1, handed over. */
  numbers(count: number, context: CallContext<never>): Promise<Float32Array>;
  /** How many numbers the thread has left of those that it made last. */
  numbersLeft(argument: undefined): Promise<number>;
  count(to: number, context: CallContext<number>): Promise<number>;
  wait(milliseconds: number): Promise<string>;
  fail(kind: string): Promise<void>;
  exit(code: number): Promise<void>;
  throwLater(argument: undefined): Promise<void>;
  fill(argument: undefined): Promise<void>;
  functionResult(argument: undefined): Promise<unknown>;
};

export const testThread: URL = new URL('./test-thread.js', import.meta.url);
