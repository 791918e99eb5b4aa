/** Rows of several metrics. */
import { describe, expect, it } from 'vitest';
import { statisticsLayout } from '../../../src/metrics/corpus/layout.ts';

const sum = { names: ['sum'], width: 2, scores: (row: Float64Array) => [row[0] + row[1]] };
const mean = {
  names: ['mean', 'n'],
  width: 1,
  scores: (row: Float64Array, images: number) => [row[0] / images, images],
  imageScores: (row: Float64Array) => [-row[0], 0],
};

describe('layoutOf', () => {
  const layout = statisticsLayout([sum, mean, sum]);

  it('puts statistics and names side by side', () => {
    expect(layout.offsets).toEqual([0, 2, 3]);
    expect(layout.width).toBe(5);
    expect(layout.names).toEqual(['sum', 'mean', 'n', 'sum']);
  });

  it('gives each metric its own part of the sums', () => {
    expect(layout.scores(Float64Array.of(1, 2, 30, 4, 5), 10)).toEqual([3, 3, 10, 9]);
  });

  it('scores an image by its own formula where a metric has one', () => {
    expect(layout.imageScores(Float64Array.of(1, 2, 30, 4, 5))).toEqual([3, -30, 0, 9]);
  });
});
