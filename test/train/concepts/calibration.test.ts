/** Platt's scaling: what it recovers, and what it leaves alone. */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../src/base/random.ts';
import { sigmoid } from '../../../src/confidence/logistic.ts';
import { calibrationError } from '../../../src/confidence/reliability.ts';
import { fitScaling } from '../../../src/train/concepts/calibration.ts';

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
    const judged = (odds: (x: number) => number) =>
      logits.map((x, i) => ({ probability: sigmoid(odds(x)), right: right[i] }));
    const before = calibrationError(judged((x) => x));
    const after = calibrationError(judged((x) => slope * x + shift));
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
