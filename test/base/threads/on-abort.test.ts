/** Listeners of an AbortSignal. */
import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { onAbort } from '../../../src/base/threads/on-abort.ts';

it('calls those that are left, by one listener of the signal', () => {
  const stop = new AbortController();
  const called: number[] = [];
  const leave = Array.from({ length: 20 }, (_, i) => onAbort(stop.signal, () => called.push(i)));
  for (const one of leave.slice(2)) one();
  expect(getEventListeners(stop.signal, 'abort').length).toBe(1);
  onAbort(stop.signal, () => called.push(99));
  stop.abort();
  expect(called).toEqual([0, 1, 99]);
});
