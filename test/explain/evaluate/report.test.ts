/** Reports of explanations: means, shares and differences counted by hand, and the tables that say them. */
import { describe, expect, it } from 'vitest';
import { type Areas, curves } from '../../../src/explain/evaluate/faithfulness.ts';
import { reportOf } from '../../../src/explain/evaluate/report.ts';
import { formatReport } from '../../../src/explain/evaluate/table.ts';

const seed = 1;

/** Areas of which insertion is `height` above deletion, on every fill. */
function areas(height: number): Areas {
  return {
    'blur deletion': 0,
    'blur insertion': height,
    'mean deletion': 0,
    'mean insertion': height,
  };
}

describe('a report', () => {
  const phrase = (type: string, own: [number, number], centre: [number, number]) => ({
    types: [type],
    by: {
      attention: { hit: own[0], overlap: own[1] },
      centre: { hit: centre[0], overlap: centre[1] },
    },
  });
  const pointing = [
    [phrase('people', [1, 0.5], [0, 0.25]), phrase('animals', [1, 0.75], [1, 0.25])],
    [phrase('people', [0, 0.25], [0, 0.25])],
    [],
  ];

  it('of pointing has hits over phrases, by type, and less those of the centre', () => {
    const report = reportOf({ pointing }, seed);
    expect(report).toMatchObject({
      pointing: {
        phrases: 3,
        by: {
          attention: {
            hits: { mean: 2 / 3 },
            softIou: { mean: 0.5 },
            aboveCentre: { difference: 1 / 3 },
            hitsByType: { animals: { hits: 1, phrases: 1 }, people: { hits: 0.5, phrases: 2 } },
          },
          centre: { hits: { mean: 1 / 3 }, aboveCentre: { difference: 0, pValue: 1 } },
        },
      },
    });
    expect(Object.keys(report)).toEqual(['pointing']);
    const lines = formatReport(report).split('\n');
    expect(lines[0]).toBe('Pointing game: 3 phrases');
    expect(lines[1]).toMatch(
      /^ +hits +95 % interval +soft IoU +hits above centre +animals +people$/,
    );
    expect(lines[2]).toMatch(/^attention +0\.667 .* 0\.500 +\+0\.333 \(.*\) +1\.00 +0\.50$/);
    expect(lines[3]).toMatch(/^centre +0\.333 .* \+0\.000 \(\+0\.000 to \+0\.000\)/);
  });

  it('of faithfulness sets random order to 0 and the oracle to 1 over the words that have one', () => {
    const word = (own: number, oracle?: number) =>
      new Map([
        ...[['attention', areas(own)] as const, ['random', areas(1)] as const],
        ...[['centre', areas(2)] as const, ['edges', areas(2)] as const],
        ...(oracle === undefined ? [] : [['oracle', areas(oracle)] as const]),
      ]);
    const report = reportOf({ faithfulness: [word(3, 5), word(7)] }, seed);
    const { words, oracleWords, by } = report.faithfulness ?? {};
    expect([words, oracleWords]).toEqual([2, 1]);
    expect(Object.keys(by ?? {})).toEqual(['attention', 'random', 'centre', 'edges']);
    const insertion = curves.filter((curve) => curve.endsWith('insertion'));
    for (const curve of insertion) {
      expect(by?.attention.areas[curve]).toBe(5);
      expect(by?.attention.normalised?.[curve]).toBe(0.5);
      expect(by?.random.normalised?.[curve]).toBe(0);
    }
    const gap = insertion.length / 2;
    expect(by?.attention.gap.mean).toBe(5 * gap);
    expect(by?.attention.above.random.difference).toBe(4 * gap);
    expect(by?.attention.above.edges.difference).toBe(3 * gap);
    const text = formatReport(report);
    expect(text).toMatch(/^Deletion and insertion: 2 words; .* over 1 words\)$/m);
    expect(text).toMatch(/^attention .*5\.00 \(0\.50\)/m);
  });

  it('of sanity and invented words has a row a stage and a row a score', () => {
    const share = { sum: 1, count: 2 };
    const judged = [
      { isInvented: true, logprob: -3, dependence: 0, prior: -4 },
      { isInvented: false, logprob: -1, dependence: 2, prior: -4 },
    ];
    const report = reportOf(
      {
        sanity: new Map([['language head', new Map([['attention' as const, [share, share]]])]]),
        invented: [judged, judged],
      },
      seed,
    );
    expect(report.sanity?.['language head'].attention.mean).toBe(0.5);
    expect(report.invented).toMatchObject({ words: 4, invented: 2, dependence: { mean: 1 } });
    const text = formatReport(report);
    expect(text).toMatch(/^language head +0\.50$/m);
    expect(text).toContain('Invented words: 2 of 4');
    expect(text).toMatch(/^dependence less probability +0\.000 +0\.000 to 0\.000$/m);
    expect(text.endsWith('\n')).toBe(true);
  });

  it('of nothing is empty', () => {
    expect(reportOf({}, seed)).toEqual({});
    expect(formatReport({})).toBe('\n');
  });
});
