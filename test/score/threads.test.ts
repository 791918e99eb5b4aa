/** Where captions are scored. */
import { describe, expect, it } from 'vitest';
import { chunksOf } from '../../src/metrics/corpus/chunks.ts';
import { corpusOf } from '../../src/metrics/corpus/corpus.ts';
import { countCorpus } from '../../src/metrics/corpus/statistics.ts';
import { countCaptions, scoreRunner } from '../../src/score/threads.ts';
import { type Item, metricFixture } from '../data/caption-files.ts';

describe('countCaptions', () => {
  it('counts the references, and a caption an image and system', () => {
    expect(countCaptions(2, [['a'], ['b', 'c', 'd']])).toBe(8);
    expect(countCaptions(1, [])).toBe(0);
  });
});

describe('scoreRunner', () => {
  it('counts the same however many captions there are', async () => {
    const { items } = metricFixture<{ items: Item[] }>('coco_fakecap1000.json');
    const few = items.slice(0, 300);
    const counted = async (captions: number, workers?: number) =>
      (
        await countCorpus(
          corpusOf(
            [few.map(({ candidate }) => candidate), few.map(({ references }) => references[0])],
            few.map(({ references }) => references.slice(1)),
          ),
          {
            metrics: ['meteor', 'bleu', 'cider', 'rouge', 'nltk-meteor'],
            diversity: true,
            tokenized: { candidates: false, references: false },
            keepTables: true,
            keepFrequencies: false,
          },
          await scoreRunner(captions, workers),
        )
      ).systems;
    // Two threads for small corpora, as many as there are cores for large ones.
    const alone = await counted(0, 0);
    expect(await counted(3_000)).toEqual(alone);
    expect(await counted(50_000)).toEqual(alone);
  });

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
      for await (const { rows } of runner.map(chunks, () => [])) results.push([...(await rows)[0]]);
      // Lengths of candidate and closest reference, n-grams guessed, n-grams found.
      expect(results).toEqual([[2, 2, 2, 1, 0, 0, 2, 1, 0, 0]]);
    } finally {
      await runner.close();
    }
  });
});
