/** Reports of scores. */
import { describe, expect, it } from 'vitest';
import { makeReports } from '../../src/score/reports.ts';

describe('makeReports', () => {
  it('compares every system with the first', () => {
    const head = (system: string) => ({ system, n: 5, settings: { of: system } });
    const interval = { low: 0, high: 1 };
    const reports = makeReports(
      [
        { scores: { x: 1 }, intervals: { x: interval } },
        { scores: { x: 3 }, differences: { x: { ...interval, difference: 2, pValue: 0.5 } } },
      ],
      [head('a'), head('b')],
    );
    expect(reports).toEqual([
      { system: 'a', n: 5, metrics: { x: 1 }, settings: { of: 'a' }, intervals: { x: interval } },
      {
        system: 'b',
        n: 5,
        metrics: { x: 3 },
        settings: { of: 'b' },
        comparison: {
          baseline: 'a',
          differences: { x: { difference: 2, low: 0, high: 1, p_value: 0.5 } },
        },
      },
    ]);
  });
});
