/** What is printed, in the four formats. */
import { describe, expect, it } from 'vitest';
import { formatReports, type SystemReport } from '../../src/score/report.ts';

const first: SystemReport = {
  system: 'a.json',
  n: 3,
  metrics: { Bleu_4: 0.25, vocabulary: 12 },
  intervals: { Bleu_4: { low: 0.2, high: 0.3 } },
  settings: { references: 'r.json' },
};
const second: SystemReport = {
  ...first,
  system: 'b|"1",.json',
  metrics: { Bleu_4: 0.2, vocabulary: 9 },
  comparison: {
    baseline: 'a.json',
    differences: { Bleu_4: { difference: -0.05, low: -0.1, high: 0.01, p_value: 0.0625 } },
  },
};
const plain = (name: string): string => name;

describe('formatReports', () => {
  it('prints a table', () => {
    expect(formatReports([first], 'table', (name) => `${name}*`)).toMatchInlineSnapshot(`
      "metric       score (n = 3)          interval
      Bleu_4*             0.2500  0.2000 to 0.3000
      vocabulary*             12
      "
    `);
    expect(formatReports([first, second], 'table', plain)).toMatch(
      /Bleu_4 .* -0\.0500 {2}-0\.1000 to 0\.0100 {2}0\.0625\n/,
    );
  });

  it('prints Markdown', () => {
    const lines = formatReports([first, second], 'markdown', plain).split('\n');
    expect(lines[0]).toContain('| b\\|"1",.json (n = 3) |');
    expect(lines[1]).toBe('| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |');
    expect(lines[3]).toBe('| vocabulary | 12 |  | 9 |  |  |  |  |');
  });

  it('prints CSV', () => {
    const lines = formatReports([first, second], 'csv', plain).trimEnd().split('\n');
    expect(lines[1]).toBe('a.json,3,Bleu_4,0.25,0.2,0.3,,,,');
    expect(lines[3]).toBe('"b|""1"",.json",3,Bleu_4,0.2,0.2,0.3,-0.05,-0.1,0.01,0.0625');
  });

  it('prints one JSON object for one system, an array for several', () => {
    const { system: _, ...rest } = first;
    expect(JSON.parse(formatReports([first], 'json', plain))).toEqual(rest);
    expect(JSON.parse(formatReports([first, second], 'json', plain))).toEqual([first, second]);
  });
});
