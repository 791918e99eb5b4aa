/** WordNet's detachment rules: base forms as its documentation (morphy(7WN)) has them. */
import { describe, expect, it } from 'vitest';
import { detached, detachmentRules } from '../../../src/metrics/words/detachment.ts';

const [nouns, verbs, adjectives, adverbs] = detachmentRules;

describe('detached', () => {
  it('gives what a word may be a form of, in the order of the rules', () => {
    expect(detached('churches', nouns)).toEqual(['churche', 'church']);
    expect(detached('wolves', nouns)).toEqual(['wolve', 'wolf']);
    expect(detached('women', nouns)).toEqual(['woman']);
    expect(detached('berries', nouns)).toEqual(['berrie', 'berry']);
    expect(detached('makes', verbs)).toEqual(['make', 'make', 'mak']);
    expect(detached('running', verbs)).toEqual(['runne', 'runn']);
    expect(detached('finest', adjectives)).toEqual(['fin', 'fine']);
    expect(detached('dog', nouns)).toEqual([]);
    expect(adverbs).toEqual([]);
  });
});
