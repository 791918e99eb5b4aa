/** Confidence fitted to captions whose truth is known. */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { confidenceSchema } from '../../src/confidence/config.ts';
import { confidenceFrom, type NounEvidence } from '../../src/confidence/evidence.ts';
import { fitConfidence, type JudgedNoun } from '../../src/confidence/fit.ts';

const truth = { weights: { noun: 0.6, caption: 3, conceptProbability: 2 }, shift: 1 };

function captions(count: number): JudgedNoun[] {
  const random = createRandom(9);
  return Array.from({ length: count }, (_, i) => {
    const evidence: NounEvidence = {
      mainNoun: 'dog',
      noun: 2 * random.normal(),
      caption: -random.next(),
      concept: random.next(),
    };
    const right = random.next() < confidenceFrom(truth, evidence);
    return { evidence, right, source: i % 4 === 0 ? 'few' : 'many' };
  });
}

describe('fitConfidence', () => {
  const examples = captions(2000);
  const config = fitConfidence(examples);

  it('says what is true, on pictures that it has not seen', () => {
    const { all } = config.reliability ?? {};
    expect(all?.error).toBeLessThan(0.04);
    for (const { evidence } of captions(200))
      expect(
        Math.abs(confidenceFrom(config, evidence) - confidenceFrom(truth, evidence)),
      ).toBeLessThan(0.05);
  });

  it('tells of each source', () => {
    const { sources = [], all } = config.reliability ?? {};
    expect(sources.map(({ name, images }) => [name, images])).toEqual([
      ['few', 500],
      ['many', 1500],
    ]);
    expect(all?.images).toBe(2000);
  });

  it('fits what config.json holds, and is the same again', () => {
    expect(confidenceSchema.parse(JSON.parse(JSON.stringify(config)))).toEqual(config);
    expect(fitConfidence(examples)).toEqual(config);
  });

  it('of noise is not flattered: each picture is judged by a map that has not seen it', () => {
    const random = createRandom(2);
    const noise = captions(60).map((each) => ({ ...each, right: random.next() < 0.5 }));
    const { reliability } = fitConfidence(noise, { folds: 5 });
    expect(reliability?.all.error).toBeGreaterThan(0.05);
  });

  it('leaves captions without a noun aside', () => {
    const silent = { ...examples[0], evidence: { ...examples[0].evidence, mainNoun: undefined } };
    const some = examples.slice(0, 200);
    expect(fitConfidence([silent, ...some])).toEqual(fitConfidence(some));
    expect(() => fitConfidence([silent])).toThrow('no caption has a noun');
  });

  it('has no weight for concepts where the model has none', () => {
    const plain = examples.slice(0, 200).map((each) => ({
      ...each,
      evidence: { ...each.evidence, concept: undefined },
    }));
    expect(fitConfidence(plain).weights).not.toHaveProperty('concept');
  });
});
