/** Platt's scaling: what it recovers, and what it leaves alone. */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../src/base/random.ts';
import { calibrationError, fitScaling, sigmoid } from '../../../src/train/concepts/calibration.ts';

/** Log-odds that say `slope x + shift` when they should say x. */
function drawn(slope: number, shift: number, count = 20_000) {
  const random = createRandom(5);
  const logits: number[] = [];
  const right: boolean[] = [];
  for (let i = 0; i < count; i++) {
    const x = 4 * random.normal();
    right.push(random.next() < sigmoid(x));
    logits.push((x - shift) / slope);
  }
  return { logits, right };
}

describe('fitScaling', () => {
  it.each([
    [1, 0],
    [0.3, -2],
    [2.5, 1],
  ])('finds the scaling that scores were distorted by: %d x + %d', (slope, shift) => {
    const { logits, right } = drawn(slope, shift);
    const found = fitScaling(logits, right);
    expect(Math.abs(found.slope / slope - 1)).toBeLessThan(0.05);
    expect(Math.abs(found.shift - shift)).toBeLessThan(0.1);
  });

  it('makes probabilities mean what they say', () => {
    const { logits, right } = drawn(0.4, -1);
    const { slope, shift } = fitScaling(logits, right);
    const before = calibrationError(logits.map(sigmoid), right);
    const after = calibrationError(
      logits.map((x) => sigmoid(slope * x + shift)),
      right,
    );
    expect(before).toBeGreaterThan(0.1);
    expect(after).toBeLessThan(0.01);
  });

  it('stays near what it was given where there is little to learn from', () => {
    const { slope, shift } = fitScaling([2], [true]);
    expect(slope).toBeGreaterThan(0.5);
    expect(slope).toBeLessThan(2);
    expect(Math.abs(shift)).toBeLessThan(1);
    expect(fitScaling([], [])).toEqual({ slope: 1, shift: 0 });
  });
});

describe('calibrationError', () => {
  it('is the distance between probability and share of right ones', () => {
    const right = Array.from({ length: 1000 }, (_, i) => i % 2 === 0);
    expect(
      calibrationError(
        right.map(() => 0.8),
        right,
        1,
      ),
    ).toBeCloseTo(0.3, 6);
    expect(
      calibrationError(
        right.map((r) => (r ? 1 : 0)),
        right,
      ),
    ).toBeCloseTo(0, 6);
  });
});
