/** The page of a run. */
import { describe, expect, it } from 'vitest';
import { parseMetrics } from '../../src/pages/training/data.ts';
import { reportPage } from '../../src/pages/training/page.ts';

const config = {
  train: { epochs: 2, bestBy: 'CIDEr-D', patience: null, prompt: '<b>a picture of</b>' },
};

function lines(upTo: number): string {
  const rows = Array.from({ length: 2 }, (_, i) => [
    {
      kind: 'step',
      step: 10 * (i + 1),
      totalSteps: 20,
      epoch: i + 1,
      loss: 3 - i,
      terms: { base: 3 - i },
      learningRate: 1e-3,
      gradientNorm: 1,
      imagesPerSecond: 50,
      waiting: 0.01,
    },
    {
      kind: 'validation',
      step: 10 * (i + 1),
      epoch: i + 1,
      losses: { base: 2.5 - i },
      metrics: { 'CIDEr-D': 0.5 - 0.1 * i },
      best: i === 0,
      seconds: 4,
      samples: [
        { file: 'a.jpg', caption: i === 0 ? 'a <script>alert(1)</script> & more' : 'a cat' },
      ],
    },
  ]);
  return rows
    .flat()
    .slice(0, upTo)
    .map((row) => `${JSON.stringify(row)}\n`)
    .join('');
}

describe('the page of a run', () => {
  it('says where the run stands and which model is the best', () => {
    const page = (upTo: number) => reportPage('run', { config, ...parseMetrics(lines(upTo)) });
    expect(page(4)).toContain('<dd>Finished</dd>');
    expect(page(4)).toMatch(/<dt>Best CIDEr-D<\/dt><dd>0\.50*, epoch 1<\/dd>/);
    expect(page(4)).toContain('<dd>20 of 20</dd>');
    expect(page(2)).not.toContain('Finished');
    expect(page(2)).toContain('<dd>10 of 20</dd>');
    expect(page(3)).toContain('<dd>Last validation</dd>');
  });

  it('keeps texts apart from markup', () => {
    const html = reportPage('<i>run</i>', { config, ...parseMetrics(lines(4)) });
    expect(html).toContain('a &lt;script&gt;alert(1)&lt;/script&gt; &amp; more');
    expect(html).toContain('&lt;b&gt;a picture of&lt;/b&gt;');
    expect(html).toContain('&lt;i&gt;run&lt;/i&gt;');
    expect(html).not.toMatch(/<script>alert|<b>a picture|<i>run/);
  });

  it('leaves a cut line aside and counts lines that make no sense', () => {
    const cut = lines(3).slice(0, -20);
    expect(parseMetrics(cut)).toMatchObject({ unreadable: 0, steps: [{ step: 10 }] });
    expect(parseMetrics(`{"kind": "step"}\n${lines(4)}`).unreadable).toBe(1);
  });
});
