/** A corpus' statistics: equal to the fixtures, the same to the bit on any number of workers. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Corpus } from '../../../src/metrics/corpus/corpus.ts';
import {
  type CorpusStatistics,
  type CountOptions,
  countCorpus,
} from '../../../src/metrics/corpus/statistics.ts';
import { imageMetricNames } from '../../../src/metrics/registry.ts';
import { readParaphrases } from '../../../src/score/paraphrases.ts';
import { scoreRunner } from '../../../src/score/threads.ts';
import { type Item, metricFixture } from '../../data/caption-files.ts';
import { fixtures } from '../../paths.ts';

interface Fixture {
  items: Item[];
  corpus: { coco: Record<string, number>; nltk_meteor: { ptb_tokens: number } };
}

const encoder = new TextEncoder();
const everything: CountOptions = {
  metrics: imageMetricNames,
  diversity: true,
  tokenized: { candidates: false, references: false },
  keepTables: true,
  keepFrequencies: true,
};

function corpusOf(items: readonly Item[], systems = 1): Corpus {
  return {
    images: items.length,
    systems,
    // Further systems write the captions of the neighbours.
    candidate: (system, image) => encoder.encode(items[(image + system) % items.length].candidate),
    referenceCount: (image) => items[image].references.length,
    references: (image) => items[image].references.map((text) => encoder.encode(text)),
  };
}

async function count(
  corpus: Corpus,
  options: CountOptions,
  workers = 0,
): Promise<CorpusStatistics> {
  return countCorpus(corpus, options, await scoreRunner(0, workers));
}

async function scoresOf(items: readonly Item[], options: Partial<CountOptions> = {}) {
  const { layout, systems } = await count(corpusOf(items), { ...everything, ...options }, 0);
  return Object.fromEntries(layout.names.map((name, i) => [name, systems[0].scores[i]]));
}

const edge = metricFixture<Fixture>('edge_dev.json');
const coco = metricFixture<Fixture>('coco_fakecap1000.json');
/** Captions whose tokens depend on the next caption; more than two chunks of images. */
const stream = metricFixture<Fixture>('caption_stream.json');

describe('countCorpus', () => {
  it('gives the reference programs’ corpus scores of awkward captions', async () => {
    const scores = await scoresOf(edge.items);
    const { CIDEr_plain_noClip_noLen, METEOR_exact_stem_synonym, ...rest } = edge.corpus.coco;
    const expected: Record<string, number> = {
      ...rest,
      CIDEr_plain: CIDEr_plain_noClip_noLen,
      METEOR: METEOR_exact_stem_synonym,
    };
    for (const name of [
      'Bleu_1',
      'Bleu_2',
      'Bleu_3',
      'Bleu_4',
      'METEOR',
      'ROUGE_L',
      'CIDEr',
      'CIDEr_plain',
    ] as const)
      expect(Math.abs(scores[name] - expected[name]), name).toBeLessThan(1e-9);
    expect(scores.NLTK_METEOR).toBeCloseTo(edge.corpus.nltk_meteor.ptb_tokens, 9);
    const paraphrases = await readParaphrases(`${fixtures}metrics/synthetic-paraphrase-en.gz`);
    const { METEOR } = await scoresOf(edge.items, { metrics: ['meteor'], paraphrases });
    expect(METEOR).toBeCloseTo(edge.corpus.coco.METEOR_with_synthetic_paraphrase_table, 9);
    expect(METEOR).not.toBe(scores.METEOR);
  });

  it('does not change by a bit with the number of workers', async () => {
    const items = [...stream.items, ...coco.items.slice(0, 300), ...edge.items];
    const runs = [];
    for (const workers of [0, 1, 3])
      runs.push(await count(corpusOf(items, 2), everything, workers));
    const [alone, ...threaded] = runs;
    for (const run of threaded) {
      expect(run.systems.map(({ scores }) => scores)).toEqual(
        alone.systems.map(({ scores }) => scores),
      );
      expect(run.systems.map(({ diversity }) => diversity)).toEqual(
        alone.systems.map(({ diversity }) => diversity),
      );
      run.systems.forEach(({ table }, s) => {
        // As bytes: -0 is not 0 here, and a last bit counts.
        const bytes = (values: Float64Array = new Float64Array()) =>
          Buffer.from(new Float64Array(values).buffer);
        expect(bytes(table?.values).equals(bytes(alone.systems[s].table?.values))).toBe(true);
        expect(table?.values.length).toBeGreaterThan(items.length * 50);
      });
      expect(JSON.stringify(run.frequencies)).toBe(JSON.stringify(alone.frequencies));
    }
  });

  it('gives the COCO evaluation’s scores of captions that depend on each other’s order', async () => {
    const { CIDEr, METEOR_exact_stem_synonym, Bleu_4, ROUGE_L } = stream.corpus.coco;
    const expected: Record<string, number> = {
      ...{ CIDEr, Bleu_4, ROUGE_L },
      METEOR: METEOR_exact_stem_synonym,
    };
    const scores = await scoresOf(stream.items);
    const reversed = await scoresOf([...stream.items].reverse());
    for (const [name, score] of Object.entries(expected)) {
      expect(Math.abs(scores[name] - score), name).toBeLessThan(1e-9);
      expect(Math.abs(reversed[name] - score), name).toBeGreaterThan(1e-6);
    }
  });

  it('does not depend on the order of images where it gets tokens', async () => {
    const items = [...edge.items, ...coco.items.slice(0, 100)];
    const tokenized = { candidates: true, references: true };
    const expected = await scoresOf(items, { tokenized });
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(items, { minLength: items.length }),
        async (shuffled) => {
          const scores = await scoresOf(shuffled, { tokenized });
          for (const [name, score] of Object.entries(expected))
            expect(Math.abs(scores[name] - score), name).toBeLessThan(1e-12 * Math.max(1, score));
        },
      ),
      { numRuns: 5 },
    );
  });

  it('gives a candidate equal to its only reference the highest score', async () => {
    const caption = fc
      .array(fc.constantFrom('a', 'dog', 'runs', 'on', 'the', 'green', 'field', 'two'), {
        minLength: 4,
        maxLength: 12,
      })
      .map((words) => words.join(' '));
    const most: Record<string, number> = { CIDEr: 10, CIDEr_plain: 10, sacreBLEU: 100 };
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(caption, { minLength: 2, maxLength: 6 }),
        async (captions) => {
          // Words of its own let each image have n-grams of weight for CIDEr.
          const items = captions.map((text, i) => {
            const own = `${text} thing${i}a thing${i}b thing${i}c thing${i}d`;
            return { id: i, candidate: own, references: [own] };
          });
          const scores = await scoresOf(items);
          for (const [name, score] of Object.entries(scores)) {
            // NLTK's penalty takes something off any caption; the others reach the top.
            if (name === 'NLTK_METEOR') expect(score).toBeGreaterThan(0.99);
            else expect(Math.abs(score - (most[name] ?? 1)), name).toBeLessThan(1e-6);
          }
        },
      ),
      { numRuns: 10 },
    );
  });

  it('takes document frequencies from elsewhere, and the same ones give the same score', async () => {
    const corpus = corpusOf(coco.items);
    const own = await count(corpus, { ...everything, metrics: ['cider'] }, 0);
    const again = await count(
      corpus,
      {
        ...everything,
        metrics: ['cider'],
        frequencies: own.frequencies,
      },
      2,
    );
    expect(again.systems[0].scores).toEqual(own.systems[0].scores);
    expect(own.systems[0].scores[0]).toBeCloseTo(coco.corpus.coco.CIDEr, 1);
    const few = await count(corpusOf(coco.items.slice(0, 10)), {
      ...everything,
      metrics: ['cider'],
      frequencies: own.frequencies,
    });
    const alone = await count(corpusOf(coco.items.slice(0, 10)), {
      ...everything,
      metrics: ['cider'],
    });
    expect(few.systems[0].scores[0]).not.toBeCloseTo(alone.systems[0].scores[0], 3);
  });

  it('leaves tokens alone that are tokens already', async () => {
    const references = { candidates: false, references: true };
    const scores = await scoresOf(coco.items, { tokenized: references });
    for (const name of ['Bleu_4', 'ROUGE_L', 'CIDEr'] as const)
      expect(Math.abs(scores[name] - coco.corpus.coco[name]), name).toBeLessThan(1e-9);
  });

  it('counts the captions that the training set lacks', async () => {
    const items = edge.items.filter(({ candidate }) => candidate.trim() !== '');
    const run = async (training: string[]) => {
      const { systems } = await count(corpusOf(items), {
        ...everything,
        metrics: [],
        training,
      });
      return systems[0].diversity?.novel;
    };
    expect(await run(items.map(({ candidate }) => candidate.toUpperCase()))).toBe(0);
    expect(await run(['nothing like it'])).toBe(1);
  });

  it('passes on what goes wrong in a worker', async () => {
    const corpus = { ...corpusOf(edge.items), candidate: () => new Uint8Array([0xff]) };
    // Bytes that are no text are no fault of the workers: they decode to U+FFFD.
    await expect(count(corpus, everything, 1)).resolves.toBeDefined();
    // What is no table of paraphrases is found out where it is used: in the worker.
    const broken = { ...everything, metrics: ['meteor' as const], paraphrases: {} as never };
    const failure = await count(corpusOf(edge.items), broken, 1).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(String(failure)).toMatch(/is not a function|undefined|iterable/);
    expect((failure as Error).stack).toMatch(/worker|paraphrases|meteor/);
  });
});
