/** The reliability diagram: its marks stand where the figures say. */
import { describe, expect, it } from 'vitest';
import { reliabilityDiagram, wilson } from '../../src/pages/reliability.ts';

const reliability = {
  ...{ images: 200, right: 0.5, error: 0.04, low: 0.03, high: 0.09, chance: 0.035 },
  bins: [
    { confidence: 0.25, right: 0.2, images: 100 },
    { confidence: 0.75, right: 0.8, images: 100 },
  ],
};

describe('reliabilityDiagram', () => {
  const svg = reliabilityDiagram('of <m>', [
    { name: 'all', reliability },
    { name: 'a & b', reliability: { ...reliability, bins: reliability.bins.slice(0, 1) } },
  ]);

  it('has a dot for each bin of each series', () => {
    const dots = [
      ...svg.matchAll(/<circle class="c(\d)" cx="([\d.]+)" cy="([\d.]+)" r="[\d.]+"><title>/g),
    ];
    expect(dots.map(([, series]) => series)).toEqual(['0', '0', '1']);
    const [low, high] = dots.map(([, , x, y]) => [Number(x), Number(y)]);
    // A quarter and three quarters of the width are half of it apart, .6 of the height likewise.
    const [, width] = /M([\d.]+ [\d.]+)L([\d.]+) /.exec(svg) ?? [];
    expect(width).toBeDefined();
    expect(high[0] - low[0]).toBeCloseTo(170, 6);
    expect(low[1] - high[1]).toBeCloseTo(204, 6);
  });

  it('keeps texts apart from markup, and says all in words', () => {
    expect(svg).toContain('of &lt;m&gt;');
    expect(svg).toContain('a &amp; b: 200 pictures, calibration error 0.040');
    expect(svg).toContain('0.25 0.20, 0.75 0.80');
    expect(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"')).toBe(true);
  });
});

describe('wilson', () => {
  // From statsmodels' proportion_confint(8, 10, method='wilson'), and (0, 10).
  it.each([
    [0.8, 10, 0.4901625, 0.9433178],
    [0, 10, 0, 0.2775328],
  ])('is the interval of %d in %d', (right, images, low, high) => {
    const found = wilson({ right, images });
    expect(found.low).toBeCloseTo(low, 5);
    expect(found.high).toBeCloseTo(high, 5);
  });
});
