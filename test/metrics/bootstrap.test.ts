/** The bootstrap against what theory says, and paired comparison against exact permutation. */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import {
  bootstrapIntervals,
  compareSystems,
  type StatisticsTable,
} from '../../src/metrics/bootstrap.ts';

const mean = (sums: Float64Array, images: number): number[] => [sums[0] / images];
const column = (values: number[]): StatisticsTable => ({
  values: Float64Array.from(values),
  width: 1,
});
const options = (resamples: number, seed = 7, confidence = 0.95) => ({
  resamples,
  confidence,
  random: createRandom(seed).next,
});

describe('bootstrapIntervals', () => {
  it('agrees with the normal interval of a mean', () => {
    const random = createRandom(1);
    const values = Array.from({ length: 2000 }, () => random.normal());
    const average = values.reduce((sum, value) => sum + value, 0) / values.length;
    const deviation = Math.sqrt(
      values.reduce((sum, value) => sum + (value - average) ** 2, 0) / values.length,
    );
    const half = deviation / Math.sqrt(values.length);
    const [wide] = bootstrapIntervals(column(values), mean, options(4000));
    expect((wide.high - average) / half).toBeCloseTo(1.96, 0);
    expect((average - wide.low) / half).toBeCloseTo(1.96, 0);
    const [narrow] = bootstrapIntervals(column(values), mean, options(4000, 7, 0.5));
    expect((narrow.high - narrow.low) / half).toBeCloseTo(2 * 0.6745, 1);
  });

  it('covers the true mean as often as it says', () => {
    const random = createRandom(3);
    let covered = 0;
    for (let trial = 0; trial < 300; trial++) {
      const values = Array.from({ length: 80 }, () => random.normal());
      const [{ low, high }] = bootstrapIntervals(column(values), mean, options(300, trial, 0.9));
      if (low <= 0 && high >= 0) covered++;
    }
    expect(covered / 300).toBeGreaterThan(0.83);
    expect(covered / 300).toBeLessThan(0.95);
  });

  it('is the same for a seed, and without width for one image', () => {
    const table = column([1, 5, 2, 8, 3]);
    expect(bootstrapIntervals(table, mean, options(100))).toEqual(
      bootstrapIntervals(table, mean, options(100)),
    );
    expect(bootstrapIntervals(table, mean, options(100))).not.toEqual(
      bootstrapIntervals(table, mean, options(100, 8)),
    );
    expect(bootstrapIntervals(column([4]), mean, options(10))).toEqual([{ low: 4, high: 4 }]);
  });
});

describe('compareSystems', () => {
  it('finds no difference between equal systems', () => {
    const table = column([1, 2, 3, 4]);
    expect(compareSystems(table, table, mean, options(50))).toEqual([
      { difference: 0, low: 0, high: 0, pValue: 1 },
    ]);
  });

  it('estimates the p-value of the exact permutation test', () => {
    const random = createRandom(5);
    const first = Array.from({ length: 10 }, () => random.normal());
    const second = first.map((value) => value + 0.4 + 0.8 * random.normal());
    const differences = second.map((value, i) => value - first[i]);
    const observed = Math.abs(differences.reduce((sum, value) => sum + value, 0));
    let extreme = 0;
    for (let signs = 0; signs < 1024; signs++) {
      const sum = differences.reduce(
        (total, value, i) => total + ((signs >> i) & 1 ? -value : value),
        0,
      );
      if (Math.abs(sum) >= observed - 1e-12) extreme++;
    }
    const [{ pValue, difference, low, high }] = compareSystems(
      column(first),
      column(second),
      mean,
      options(20_000),
    );
    expect(pValue).toBeCloseTo(extreme / 1024, 1.5);
    expect(difference).toBeCloseTo(differences.reduce((sum, value) => sum + value, 0) / 10, 12);
    expect(low).toBeLessThan(difference);
    expect(high).toBeGreaterThan(difference);
  });

  it('pairs the images: a constant lead is certain however much images vary', () => {
    const random = createRandom(9);
    const first = Array.from({ length: 200 }, () => 100 * random.normal());
    const [{ low, high, pValue }] = compareSystems(
      column(first),
      column(first.map((value) => value + 1)),
      mean,
      options(999),
    );
    expect(low).toBeCloseTo(1, 9);
    expect(high).toBeCloseTo(1, 9);
    expect(pValue).toBe(0.001);
  });
});
