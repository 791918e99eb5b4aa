/** The matcher `toBeAllclose`: two tensors agree in dtype, shape and, within a tolerance, every element. */
import { expect } from 'vitest';
import type { Dense } from './dense.ts';
import { difference, type Tolerance } from './difference.ts';

declare module 'vitest' {
  interface Matchers<T> {
    /** |received - expected| <= absolute + relative |expected| for every element (NumPy's allclose). */
    toBeAllclose(expected: Dense, tolerance: Tolerance): T;
  }
}

expect.extend({
  toBeAllclose(received: Dense, expected: Dense, tolerance: Tolerance) {
    const wrong = difference(received, expected, tolerance);
    return { pass: wrong === undefined, message: () => wrong ?? 'the tensors agree' };
  },
});
