/** What is printed, in the four formats; and which scores a list of metrics means. */
import { describe, expect, it } from 'vitest';
import { UnusualCounter } from '../../src/metrics/corpus/unusual.ts';
import { perImageFormat, perImageLines } from '../../src/score/per-image.ts';
import { formatReports, type SystemReport } from '../../src/score/report.ts';
import { selectMetrics } from '../../src/score/selection.ts';

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

describe('perImageLines', () => {
  const images = [{ image: '1', system: 's', caption: 'a "dog", running', scores: [0.5] }];

  it('writes JSON lines and CSV', () => {
    expect([...perImageLines('jsonl', ['Bleu_1'], images)].join('')).toBe(
      '{"image_id":"1","system":"s","caption":"a \\"dog\\", running","Bleu_1":0.5}\n',
    );
    expect([...perImageLines('csv', ['Bleu_1'], images)].join('')).toBe(
      'image_id,system,caption,Bleu_1\n1,s,"a ""dog"", running",0.5\n',
    );
  });

  it('knows the format by the ending', async () => {
    expect(await perImageFormat('x/Y.CSV')).toBe('csv');
    expect(await perImageFormat('/dev/stdout')).toBe('jsonl');
    for (const name of ['scores.txt', 'scores'])
      await expect(perImageFormat(name)).rejects.toThrow(/\.jsonl or \.csv/);
  });
});

describe('selectMetrics', () => {
  it('takes families and single scores, in the order of printing', () => {
    expect(selectMetrics('cider,bleu').order).toEqual([
      'Bleu_1',
      'Bleu_2',
      'Bleu_3',
      'Bleu_4',
      'CIDEr',
      'CIDEr_plain',
    ]);
    const single = selectMetrics('meteor, CIDEr,bleu_4');
    expect(single.order).toEqual(['Bleu_4', 'METEOR', 'CIDEr']);
    expect(single.families).toEqual(['bleu', 'meteor', 'cider']);
    expect(single.diversity).toBe(false);
    expect(selectMetrics('all').order.length).toBeGreaterThan(25);
    expect(selectMetrics('vocabulary')).toMatchObject({ families: [], diversity: true });
  });

  it('names what it does not know', () => {
    expect(() => selectMetrics('bleu,spice')).toThrow(/no metric "spice"; choose from all, bleu/);
    expect(() => selectMetrics(' , ')).toThrow(/empty/);
  });
});

describe('UnusualCounter', () => {
  it('counts over chunks and names the first', () => {
    const counter = new UnusualCounter();
    for (const texts of [['a', 'b'], ['', 'c\u0007', ' ', 'tab\t is fine'], ['x'.repeat(10_000)]])
      counter.add(UnusualCounter.of(texts), texts.length);
    expect(counter.warnings('f.json', (position) => `image ${position}`)).toEqual([
      'f.json: 2 captions are empty (first: image 2); scored as they stand.',
      'f.json: 1 caption holds control characters (first: image 3); scored as it stands.',
      'f.json: 1 caption is very long (first: image 6); scored as it stands.',
    ]);
  });
});
