/** Paired statistics over seeds and images: by hand, by full enumeration, and against those of one level. */
import { describe, expect, it } from 'vitest';
import {
  pairedDifference,
  randomizationTest,
  spread,
  twoLevelBootstrap,
} from '../../src/ablate/statistics.ts';
import { createRandom } from '../../src/base/random.ts';
import { bootstrapIntervals, compareSystems } from '../../src/metrics/bootstrap.ts';

/** Gives the numbers one after the other, and fails when there are no more. */
function scripted(numbers: readonly number[]): () => number {
  let at = 0;
  return () => {
    if (at === numbers.length) throw new Error('more numbers drawn than expected');
    return numbers[at++];
  };
}

/** All words of `length` letters 0 .. `letters` - 1. */
function words(letters: number, length: number): number[][] {
  if (length === 0) return [[]];
  return words(letters, length - 1).flatMap((word) =>
    Array.from({ length: letters }, (_, letter) => [...word, letter]),
  );
}

const rows = (...values: number[][]) => values.map((row) => Float64Array.from(row));

describe('the spread', () => {
  it('divides by n - 1, and has no deviation of one value', () => {
    // Squares of 2, 4, 9 about 5: 9 + 1 + 16 = 26, over 2.
    expect(spread([2, 4, 9])).toEqual({ mean: 5, deviation: Math.sqrt(13) });
    expect(spread([0.4])).toEqual({ mean: 0.4 });
    expect(() => spread([])).toThrow(RangeError);
  });
});

describe('the two-level bootstrap', () => {
  it('draws seeds, then images for all of them', () => {
    const differences = rows([1, 2, 3], [10, 20, 30]);
    // Seeds 1, 1 and images 2, 0, 2: (30 + 10 + 30) / 3. Seeds 0, 1 and images 1, 1, 1: (2 + 20) / 2.
    const random = scripted([0.5, 0.9, 0.7, 0, 0.99, 0.1, 0.6, 0.4, 0.5, 0.6]);
    const options = { resamples: 2, confidence: 1, random };
    const { low, high } = twoLevelBootstrap(differences, options);
    expect(low).toBeCloseTo(11, 12);
    expect(high).toBeCloseTo(70 / 3, 12);
  });

  it('has the quantiles of all resamples where each is drawn once', () => {
    const differences = rows([0, 4], [1, 11]);
    const draws = words(2, 4);
    const random = scripted(draws.flat().map((digit) => digit / 2));
    const means = draws
      .map(([s, t, i, j]) => {
        const picked = [s, t].flatMap((seed) => [differences[seed][i], differences[seed][j]]);
        return picked.reduce((sum, value) => sum + value, 0) / 4;
      })
      .sort((a, b) => a - b);
    // 16 means: the 80 % interval ends at places 1.5 and 13.5.
    const options = { resamples: 16, confidence: 0.8, random };
    const { low, high } = twoLevelBootstrap(differences, options);
    expect(low).toBeCloseTo((means[1] + means[2]) / 2, 12);
    expect(high).toBeCloseTo((means[13] + means[14]) / 2, 12);
  });

  it('is the bootstrap over images where there is one seed', () => {
    const { normal, next } = createRandom(3);
    const values = Float64Array.from({ length: 40 }, normal);
    const perResample = Array.from({ length: 100 }, () => Array.from({ length: 40 }, next));
    const options = { resamples: 100, confidence: 0.95 };
    const [wanted] = bootstrapIntervals({ values, width: 1 }, ([sum], n) => [sum / n], {
      ...options,
      random: scripted(perResample.flat()),
    });
    const found = twoLevelBootstrap([values], {
      ...options,
      random: scripted(perResample.flatMap((draws) => [0, ...draws])),
    });
    expect(found.low).toBeCloseTo(wanted.low, 12);
    expect(found.high).toBeCloseTo(wanted.high, 12);
  });

  it('is wide where seeds differ, though every image agrees, and the p-value does not see that', () => {
    const differences = rows(Array(50).fill(0.1), Array(50).fill(-0.06), Array(50).fill(0.05));
    const options = { resamples: 999, confidence: 0.95, random: createRandom(1).next };
    const { difference, low, high, pValue } = pairedDifference(differences, options);
    expect(difference).toBeCloseTo(0.03, 12);
    expect(low).toBeCloseTo(-0.06, 12);
    expect(high).toBeCloseTo(0.1, 12);
    expect(pValue).toBe(1 / 1000);
  });
});

describe('the randomization test', () => {
  it('counts the sign patterns that are as extreme, by hand', () => {
    const random = scripted(
      words(2, 3)
        .flat()
        .map((bit) => bit / 2),
    );
    const p = randomizationTest(Float64Array.of(1, -1, 5), { resamples: 8, random });
    // The sum is 5; those of ±1 ±1 ±5 are 7, 5, 5 and 3 in size, twice each: six of eight.
    expect(p).toBe(7 / 9);
  });

  it('agrees with the comparison of two systems where there is one seed', () => {
    const { normal, next } = createRandom(9);
    const first = Float64Array.from({ length: 30 }, normal);
    const second = first.map((value) => value + 0.2 + 0.5 * normal());
    const draws = Array.from({ length: 200 * 30 }, next);
    const mean = ([sum]: Float64Array, n: number) => [sum / n];
    const tables = [first, second].map((values) => ({ values, width: 1 }));
    const [wanted] = compareSystems(tables[0], tables[1], mean, {
      resamples: 200,
      confidence: 0.95,
      random: scripted([...draws, ...draws]),
    });
    const differences = second.map((value, i) => value - first[i]);
    const p = randomizationTest(differences, { resamples: 200, random: scripted(draws) });
    expect(p).toBe(wanted.pValue);
    expect(p).toBeLessThan(0.5);
  });

  it('is 1 where nothing differs', () => {
    const options = { resamples: 99, random: createRandom(1).next };
    expect(randomizationTest(new Float64Array(10), options)).toBe(1);
  });
});
