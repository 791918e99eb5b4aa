/** Logistic regression: what it recovers, and what it never does. */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { fitLogistic, mapProbability, sigmoid } from '../../src/confidence/logistic.ts';

function drawn(weights: readonly number[], shift: number, count = 5000) {
  const random = createRandom(3);
  const rows: number[][] = [];
  const right: boolean[] = [];
  for (let i = 0; i < count; i++) {
    const row = weights.map((_, k) => random.normal() * (k + 1) + k);
    rows.push(row);
    right.push(random.next() < mapProbability({ weights, shift }, row));
  }
  return { rows, right };
}

describe('fitLogistic', () => {
  it('finds the weights that examples were drawn by', () => {
    const { rows, right } = drawn([1.5, 0.4], -1, 20_000);
    const { weights, shift } = fitLogistic(rows, right);
    expect(weights[0]).toBeCloseTo(1.5, 0.5);
    expect(Math.abs(weights[0] / 1.5 - 1)).toBeLessThan(0.06);
    expect(Math.abs(weights[1] / 0.4 - 1)).toBeLessThan(0.06);
    expect(Math.abs(shift + 1)).toBeLessThan(0.1);
  });

  it('says as many right ones as there are', () => {
    const { rows, right } = drawn([0.7, 0.2, 0.1], 0.5, 500);
    const map = fitLogistic(rows, right);
    const said = rows.reduce((sum, row) => sum + mapProbability(map, row), 0);
    expect(said).toBeCloseTo(right.filter((r) => r).length, 4);
  });

  it('has no weight below 0: a feature that misleads is left out', () => {
    const { rows, right } = drawn([1, -1.5], 0);
    const { weights } = fitLogistic(rows, right);
    expect(weights[0]).toBeGreaterThan(0);
    expect(weights[1]).toBe(0);
  });

  it('stays finite where all are right, none is, or a feature parts them', () => {
    const rows = Array.from({ length: 50 }, (_, i) => [i]);
    for (const isRight of [() => true, () => false, (i: number) => i > 24]) {
      const map = fitLogistic(
        rows,
        rows.map(([i]) => isRight(i)),
      );
      const p = mapProbability(map, [40]);
      expect(Number.isFinite(map.weights[0] + map.shift)).toBe(true);
      expect(p).toBeGreaterThan(-1e-9);
      expect(Math.abs(p - (isRight(40) ? 1 : 0))).toBeLessThan(0.05);
    }
  });

  it('leaves out what never varies', () => {
    const { rows, right } = drawn([1], 0, 500);
    const withConstant = rows.map(([x]) => [x, 7]);
    const { weights } = fitLogistic(withConstant, right);
    expect(weights).toEqual([...fitLogistic(rows, right).weights, 0]);
  });
});

it('sigmoid', () => {
  expect(sigmoid(0)).toBe(0.5);
  expect(sigmoid(800)).toBe(1);
  expect(sigmoid(-800)).toBe(0);
});
