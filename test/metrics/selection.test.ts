/** Which scores a list of metrics means. */
import { describe, expect, it } from 'vitest';
import { selectMetrics } from '../../src/metrics/selection.ts';

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
    expect(single.metrics).toEqual(['bleu', 'meteor', 'cider']);
    expect(single.diversity).toBe(false);
    expect(selectMetrics('all').order.length).toBeGreaterThan(25);
    expect(selectMetrics('vocabulary')).toMatchObject({ metrics: [], diversity: true });
  });

  it('names what it does not know', () => {
    expect(() => selectMetrics('bleu,spice')).toThrow(/no metric "spice"; choose from all, bleu/);
    expect(() => selectMetrics(' , ')).toThrow(/empty/);
  });
});
