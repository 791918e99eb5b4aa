/** The evidence of captions, and the confidence that a map makes of it. */
import { describe, expect, it } from 'vitest';
import {
  confidenceFrom,
  EvidenceReader,
  featuresOf,
  type NounEvidence,
} from '../../src/confidence/evidence.ts';
import { loadMeteorData } from '../../src/data/text/meteor-data.ts';

const reader = new EvidenceReader(loadMeteorData());
const words = (caption: string, logprob = Math.log(0.8)) =>
  caption.split(' ').map((text) => ({ text, logprob }));

describe('EvidenceReader', () => {
  it('finds the noun and how likely it was', () => {
    const said = words('a White Dog runs');
    said[2] = { text: 'Dog', logprob: Math.log(0.25) };
    const { mainNoun, noun, caption, concept } = reader.read(said, -0.3, undefined);
    expect(mainNoun).toBe('dog');
    expect(noun).toBeCloseTo(Math.log(1 / 3), 12);
    expect([caption, concept]).toEqual([-0.3, undefined]);
  });

  it('looks the noun up among the concepts, by its last word, number and synonyms', () => {
    const concepts = [
      { name: 'hot dog', probability: 0.5 },
      { name: 'dog', probability: 0.2 },
      { name: 'sofa', probability: 0.75 },
      { name: 'grass', probability: 0.99 },
    ];
    const conceptOf = (caption: string) => reader.read(words(caption), -0.3, concepts).concept;
    expect(conceptOf('two dogs')).toBe(0.5);
    expect(conceptOf('a couch')).toBe(0.75);
    expect(conceptOf('a cat')).toBe(0);
    expect(conceptOf('in the of')).toBe(0);
  });

  it('has bounds, so that no word decides alone', () => {
    const sure = reader.read(words('a dog', 0), 0, [{ name: 'dog', probability: 1 }]);
    const unsure = reader.read(words('a dog', -100), -50, [{ name: 'dog', probability: 0 }]);
    for (const { noun, concept = Number.NaN } of [sure, unsure]) {
      expect(Math.abs(noun)).toBeLessThan(7);
      expect(Math.abs(concept)).toBeLessThanOrEqual(1);
    }
  });
});

describe('confidenceFrom', () => {
  const config = { weights: { noun: 0.5, caption: 2 }, shift: 1 };
  const evidence: NounEvidence = { mainNoun: 'dog', noun: 1, caption: -0.5, concept: undefined };

  it('is the map of the evidence', () => {
    expect(confidenceFrom(config, evidence)).toBeCloseTo(1 / (1 + Math.exp(-0.5)), 12);
    const withConcept = { ...config, weights: { ...config.weights, conceptProbability: 0.25 } };
    expect(confidenceFrom(withConcept, { ...evidence, concept: 1 })).toBeCloseTo(
      1 / (1 + Math.exp(-0.75)),
      12,
    );
  });

  it('is 0 for a caption that names nothing', () => {
    expect(confidenceFrom(config, { ...evidence, mainNoun: undefined })).toBe(0);
  });

  it('weighs concepts where there are some', () => {
    expect(featuresOf(evidence)).toEqual([1, -0.5]);
    expect(featuresOf({ ...evidence, concept: 0.3 })).toEqual([1, -0.5, 0.3]);
  });
});
