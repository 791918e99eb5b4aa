/** Calibration error against figures worked out by hand, and what chance alone makes of it. */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import {
  calibrationError,
  reliabilityBins,
  reliabilityOf,
} from '../../src/confidence/reliability.ts';

/** Probabilities p, right as often as `truth` says. */
function drawn(count: number, truth: (p: number) => number) {
  const random = createRandom(8);
  return Array.from({ length: count }, () => {
    const probability = random.next();
    return { probability, right: random.next() < truth(probability) };
  });
}

describe('reliabilityBins', () => {
  it('are of equally many, the lowest first', () => {
    const judged = [0.9, 0.1, 0.3, 0.7, 0.2].map((probability, i) => ({
      probability,
      right: i < 2,
    }));
    expect(reliabilityBins(judged, 2)).toEqual([
      { confidence: (0.1 + 0.2) / 2, right: 0.5, images: 2 },
      { confidence: (0.3 + 0.7 + 0.9) / 3, right: 1 / 3, images: 3 },
    ]);
  });

  it('are fewer where there are fewer examples', () => {
    expect(reliabilityBins([{ probability: 0.4, right: true }])).toEqual([
      { confidence: 0.4, right: 1, images: 1 },
    ]);
    expect(reliabilityBins([])).toEqual([]);
  });
});

describe('calibrationError', () => {
  it('is the distance between probability and share of right ones', () => {
    const half = Array.from({ length: 1000 }, (_, i) => ({ probability: 0.8, right: i % 2 === 0 }));
    expect(calibrationError(half, 1)).toBeCloseTo(0.3, 6);
    const sure = half.map(({ right }) => ({ probability: right ? 1 : 0, right }));
    expect(calibrationError(sure)).toBeCloseTo(0, 6);
  });
});

describe('reliabilityOf', () => {
  it('of true probabilities is what chance alone shows', () => {
    const { error, chance, low, high, images, right, bins } = reliabilityOf(
      drawn(2000, (p) => p),
      1,
    );
    expect(Math.abs(error - chance)).toBeLessThan(0.02);
    expect(low).toBeLessThan(high);
    expect([images, bins.length]).toEqual([2000, 10]);
    expect(right).toBeCloseTo(0.5, 1);
  });

  it('of untrue ones is more, beyond its interval', () => {
    const { error, chance, low } = reliabilityOf(
      drawn(2000, (p) => p * p),
      1,
    );
    // The mean of |p - p²| over 0 to 1 is 1/6.
    expect(Math.abs(error - 1 / 6)).toBeLessThan(0.03);
    expect(low).toBeGreaterThan(2 * chance);
  });

  it('is the same again', () => {
    const judged = drawn(200, (p) => p);
    expect(reliabilityOf(judged, 1)).toEqual(reliabilityOf(judged, 1));
    expect(reliabilityOf(judged, 2)).not.toEqual(reliabilityOf(judged, 1));
  });
});
