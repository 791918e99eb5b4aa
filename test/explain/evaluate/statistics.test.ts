/** Statistics of the evaluation against values by SciPy and scikit-learn, and by hand. */
import { describe, expect, it } from 'vitest';
import {
  areaUnderRoc,
  difference,
  estimate,
  rankCorrelation,
} from '../../../src/explain/evaluate/statistics.ts';

describe('statistics', () => {
  it('rank correlation is that of scipy.stats.spearmanr', () => {
    expect(rankCorrelation([1, 2, 3, 4, 5], [5, 6, 7, 8, 7])).toBeCloseTo(0.8207826817, 9);
    expect(rankCorrelation([1, 2, 2, 3], [4, 3, 2, 1])).toBeCloseTo(-0.9486832981, 9);
    expect(rankCorrelation([1, 1, 1], [1, 2, 3])).toBe(0);
  });

  it('the area under the ROC curve is that of sklearn.metrics.roc_auc_score', () => {
    expect(areaUnderRoc([0.1, 0.4, 0.35, 0.8], [false, false, true, true])).toBe(0.75);
    expect(areaUnderRoc([1, 1, 1], [true, false, true])).toBe(0.5);
    expect(areaUnderRoc([1, 2], [true, true])).toBeNaN();
  });

  it('means are over all that images hold, and equal systems do not differ', () => {
    const shares = [
      { sum: 1, count: 4 },
      { sum: 2, count: 2 },
      { sum: 0, count: 0 },
    ];
    const { mean, low, high } = estimate(shares, 1);
    expect(mean).toBe(0.5);
    expect(low).toBeLessThan(mean);
    expect(high).toBeGreaterThan(mean);
    expect(difference(shares, shares, 1)).toMatchObject({
      difference: 0,
      low: 0,
      high: 0,
      pValue: 1,
    });
    const better = shares.map(({ sum, count }) => ({ sum: sum + count, count }));
    expect(difference(shares, better, 1).difference).toBe(1);
  });
});
