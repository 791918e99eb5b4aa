/** Where two tensors differ. */
import type { Dense } from './dense.ts';

export interface Tolerance {
  /** Allowed difference as a share of the expected element. */
  readonly relative: number;
  /** Allowed difference where the expected element is near 0. */
  readonly absolute: number;
}

/** The first element that differs too much, in words; undefined where there is none. */
export function difference(received: Dense, expected: Dense, t: Tolerance): string | undefined {
  if (received.dtype !== expected.dtype || received.shape.join() !== expected.shape.join())
    return `${received.dtype}[${received.shape}] is not ${expected.dtype}[${expected.shape}]`;
  for (const [i, e] of expected.data.entries()) {
    const r = received.data[i];
    const close =
      Object.is(r, e) || r === e || Math.abs(r - e) <= t.absolute + t.relative * Math.abs(e);
    if (!close) return `element ${i} of [${expected.shape}] is ${r}, not ${e}`;
  }
  return received.data.length === expected.data.length ? undefined : 'the lengths differ';
}
