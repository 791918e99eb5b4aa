/** CIDEr-D as a reward equals the metric, for captions of all kinds. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCider, createCiderReward } from '../../src/metrics/cider.ts';
import { DocumentFrequencies } from '../../src/metrics/document-frequencies.ts';

const sentence = fc
  .array(fc.constantFrom('a', 'dog', 'runs', 'on', 'the', 'beach', 'grass'), { maxLength: 9 })
  .map((words) => words.join(' '));
const images = fc.array(fc.array(sentence, { minLength: 1, maxLength: 5 }), {
  minLength: 2,
  maxLength: 6,
});

describe('CIDEr-D as a reward', () => {
  it('equals CIDEr-D of the metric', () => {
    fc.assert(
      fc.property(images, fc.array(sentence, { minLength: 1, maxLength: 6 }), (corpus, drawn) => {
        const frequencies = new DocumentFrequencies();
        for (const references of corpus) frequencies.add(references);
        const metric = createCider(frequencies);
        const reward = createCiderReward(frequencies);
        const out = new Float64Array(metric.width);
        for (const references of corpus) {
          const prepared = reward.prepare(references);
          // Words that no document has count too: they lengthen the candidate's vector.
          for (const candidate of [...drawn, `${drawn[0]} zebra dog zebra`, references[0]]) {
            const tokenized = { candidate, references };
            metric.statistics({ candidate, references, tokenized }, out, 0);
            expect(reward.score(candidate, prepared)).toBeCloseTo(out[0], 12);
          }
        }
      }),
    );
  });

  it('refuses references that were not counted', () => {
    const frequencies = new DocumentFrequencies();
    frequencies.add(['a dog']);
    expect(() => createCiderReward(frequencies).prepare(['a cat'])).toThrow("'a cat' is not among");
  });
});
