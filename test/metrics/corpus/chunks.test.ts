/** A corpus in tasks. */
import { describe, expect, it } from 'vitest';
import { chunkSize, chunksOf } from '../../../src/metrics/corpus/chunks.ts';
import { corpusOf } from '../../../src/metrics/corpus/corpus.ts';
import { unpackTexts } from '../../../src/metrics/corpus/packed-texts.ts';

describe('chunksOf', () => {
  const images = 2 * chunkSize + 3;
  const places = Array.from({ length: images }, (_, i) => i);
  const systems = ['a', 'b'].map((name) => places.map((i) => `${name}${i} T.`));
  const references = places.map((i) => Array.from({ length: 1 + (i % 3) }, (_, k) => `r${i} ${k}`));
  const chunks = [...chunksOf(corpusOf(systems, references))];

  it('gives every caption once, in order', () => {
    expect(chunks.map(({ first }) => first.length - 1)).toEqual([chunkSize, chunkSize, 3]);
    expect(chunks.flatMap((chunk) => unpackTexts(chunk.references))).toEqual(references.flat());
    for (const [s, captions] of systems.entries())
      expect(chunks.flatMap((chunk) => unpackTexts(chunk.candidates[s]))).toEqual(captions);
  });

  it('says which references are an image’s', () => {
    const lists = chunks.flatMap(({ references: packed, first }) => {
      const texts = unpackTexts(packed);
      return [...first.subarray(1)].map((end, i) => texts.slice(first[i], end));
    });
    expect(lists).toEqual(references);
  });

  it('says what stands behind each chunk, of its own kind', () => {
    const [one, , last] = chunks.map(({ around }) => around);
    expect(one?.candidates.map(({ behind }) => behind)).toEqual([
      `\na${chunkSize} T.\n`,
      `\nb${chunkSize} T.\n`,
    ]);
    expect(one?.references.behind).toBe(`\nr${chunkSize} 0\n`);
    expect(last?.references.behind).toBe('');
  });
});
