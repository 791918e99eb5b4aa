/** The option of the command. */
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/base/errors.ts';
import { selectMetrics } from '../../src/metrics/selection.ts';
import { metricsOption } from '../../src/score/metrics-option.ts';

describe('metricsOption', () => {
  it('is a selection, or wrong usage that names the option', () => {
    expect(metricsOption('bleu')).toEqual(selectMetrics('bleu'));
    expect(() => metricsOption('spice')).toThrow(UsageError);
    expect(() => metricsOption('spice')).toThrow(/^--metrics: there is no metric "spice"/);
  });
});
