/** What a report says that its scores depend on. */
import { describe, expect, it } from 'vitest';
import { selectMetrics } from '../../src/metrics/selection.ts';
import { settingsOf } from '../../src/score/settings.ts';

describe('settingsOf', () => {
  it('says what concerns the metrics that were measured, and nothing else', () => {
    expect(settingsOf({ selection: selectMetrics('bleu'), referenceCounts: [3, 1, 5] })).toEqual({
      references_per_image: { least: 1, most: 5 },
      tokenizer: {
        candidates: 'PTB, lower case, without punctuation',
        references: 'PTB, lower case, without punctuation',
      },
    });
    const all = settingsOf({
      selection: selectMetrics('meteor,cider,diversity'),
      referenceCounts: [2, 2],
      tokenized: { candidates: false, references: true },
      training: 'train.json',
      bootstrap: 10,
    });
    expect(all).toMatchObject({
      tokenizer: { references: 'none, the text is tokenized' },
      METEOR: { modules: 'exact, stem, synonym', paraphrase_table: null },
      CIDEr: { document_frequencies: 'references', documents: 2 },
      training_captions: 'train.json',
      bootstrap: { resamples: 10, confidence: 0.95, seed: 0 },
    });
  });

  it('names the files that scores were made with', () => {
    const { METEOR, CIDEr } = settingsOf({
      selection: selectMetrics('meteor,cider'),
      referenceCounts: [1],
      paraphrases: 'p.gz',
      frequencies: 'df.json',
    });
    expect(METEOR).toMatchObject({ modules: 'exact, stem, synonym, paraphrase' });
    expect(METEOR).toMatchObject({ paraphrase_table: 'p.gz' });
    expect(CIDEr).toEqual({ document_frequencies: 'df.json' });
  });
});
