/** A corpus of strings, as UTF-8. */
import { describe, expect, it } from 'vitest';
import { corpusOf } from '../../../src/metrics/corpus/corpus.ts';

describe('corpusOf', () => {
  it('gives each caption by system and image', () => {
    const corpus = corpusOf(
      [
        ['a', 'é'],
        ['c', 'd'],
      ],
      [['x'], ['y', 'z']],
    );
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    expect([corpus.systems, corpus.images]).toEqual([2, 2]);
    expect(text(corpus.candidate(0, 1))).toBe('é');
    expect(text(corpus.candidate(1, 0))).toBe('c');
    expect(corpus.references(1).map(text)).toEqual(['y', 'z']);
    expect([corpus.referenceCount(0), corpus.referenceCount(1)]).toEqual([1, 2]);
  });
});
