/** Where captions are scored. */
import { describe, expect, it } from 'vitest';
import { chunksOf } from '../../src/metrics/corpus/chunks.ts';
import { corpusOf } from '../../src/metrics/corpus/corpus.ts';
import { countCaptions, scoreRunner } from '../../src/score/threads.ts';

describe('countCaptions', () => {
  it('counts the references, and a caption an image and system', () => {
    expect(countCaptions(2, [['a'], ['b', 'c', 'd']])).toBe(8);
    expect(countCaptions(1, [])).toBe(0);
  });
});

describe('scoreRunner', () => {
  it.each([0, 1])('counts BLEU with %i threads', async (workers) => {
    const runner = await scoreRunner(1, workers);
    const chunks = chunksOf(corpusOf([['a dog']], [['a dog', 'a big cat']]));
    try {
      await runner.setUp({
        metrics: ['bleu'],
        tokenized: { candidates: true, references: true },
        returnTokens: false,
      });
      const results: number[][] = [];
      for await (const { rows } of runner.map(chunks, () => [])) results.push([...rows[0]]);
      // Lengths of candidate and closest reference, n-grams guessed, n-grams found.
      expect(results).toEqual([[2, 2, 2, 1, 0, 0, 2, 1, 0, 0]]);
    } finally {
      await runner.close();
    }
  });
});
