/** The matcher `toBeAllclose`: two tensors agree in dtype, shape and, within a tolerance, every element. */
import { expect } from 'vitest';
import type { Dense } from './dense.ts';

export interface Tolerance {
  /** Allowed difference as a share of the expected element. */
  readonly relative: number;
  /** Allowed difference where the expected element is near 0. */
  readonly absolute: number;
}

declare module 'vitest' {
  interface Matchers<T> {
    /** |received - expected| <= absolute + relative |expected| for every element (NumPy's allclose). */
    toBeAllclose(expected: Dense, tolerance: Tolerance): T;
  }
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

expect.extend({
  toBeAllclose(received: Dense, expected: Dense, tolerance: Tolerance) {
    const wrong = difference(received, expected, tolerance);
    return { pass: wrong === undefined, message: () => wrong ?? 'the tensors agree' };
  },
});
