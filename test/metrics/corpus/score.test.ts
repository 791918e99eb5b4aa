/** Strings scored: by the reference programs' values, like the files, and what is refused. */
import { describe, expect, it } from 'vitest';
import { loadMeteorData } from '../../../src/data/text/meteor-data.ts';
import { scoreCorpus, scoreSystems } from '../../../src/metrics/corpus/score.ts';
import { scoreRunner } from '../../../src/score/threads.ts';
import { type Item, metricFixture } from '../../data/caption-files.ts';

const { items, corpus } = metricFixture<{
  items: (Item & { coco: Record<string, number> })[];
  corpus: { coco: Record<string, number> };
}>('edge_dev.json');
const candidates = items.map(({ candidate }) => candidate);
const references = items.map((item) => item.references);
const meteorData = loadMeteorData;

describe('scoreCorpus', () => {
  it('gives the reference programs’ scores, of the corpus and of each image', async () => {
    const { scores, images } = await scoreCorpus(candidates, references, {
      meteorData,
      perImage: true,
    });
    for (const name of ['Bleu_1', 'Bleu_4', 'ROUGE_L', 'CIDEr']) {
      expect(scores[name], name).toBeCloseTo(corpus.coco[name], 9);
      for (const [i, { coco }] of items.entries())
        expect(images?.[i][name], `${name} of ${items[i].id}`).toBeCloseTo(coco[name], 9);
    }
    expect(scores.METEOR).toBeCloseTo(corpus.coco.METEOR_exact_stem_synonym, 9);
    expect(Object.keys(images?.[0] ?? {})).not.toContain('vocabulary');
    expect(scores.vocabulary).toBeGreaterThan(100);
  });

  it('shows the scores that were asked for, and intervals where resamples were', async () => {
    const options = { metrics: 'cider,Bleu_4', bootstrap: 50, seed: 3 };
    const { scores, intervals, images } = await scoreCorpus(candidates, references, options);
    expect(Object.keys(scores)).toEqual(['Bleu_4', 'CIDEr', 'CIDEr_plain']);
    expect(images).toBeUndefined();
    expect(intervals?.CIDEr.low).toBeLessThan(scores.CIDEr);
    expect(intervals?.CIDEr.high).toBeGreaterThan(scores.CIDEr);
    const again = await scoreCorpus(candidates, references, options);
    expect(again.intervals).toEqual(intervals);
  });

  it('gives the same bits on threads', async () => {
    const options = { meteorData, perImage: true, bootstrap: 10 };
    const here = await scoreCorpus(candidates, references, options);
    const runner = () => scoreRunner(candidates.length, 2);
    expect(await scoreCorpus(candidates, references, { ...options, runner })).toEqual(here);
  });

  it('refuses what does not go together, before it opens a runner', async () => {
    const runner = () => {
      throw new Error('opened');
    };
    const score = (texts: string[], lists: string[][], metrics = 'bleu') =>
      scoreCorpus(texts, lists, { metrics, runner });
    await expect(score(['a'], [['a'], ['b']])).rejects.toThrow('1 captions for 2 images');
    await expect(score(['a', 'b'], [['a'], []])).rejects.toThrow('references[1] is empty');
    await expect(score([], [])).rejects.toThrow('nothing to score');
    await expect(score(['a'], [['a']], 'spice')).rejects.toThrow('no metric "spice"');
    await expect(scoreCorpus(['a'], [['a']])).rejects.toThrow('METEOR needs WordNet');
  });

  it('stops when it is told to', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const run = scoreCorpus(candidates, references, {
      metrics: 'bleu',
      bootstrap: 100_000,
      signal: controller.signal,
      onProgress: (step) => step.startsWith('bootstrap') && controller.abort(reason),
    });
    await expect(run).rejects.toBe(reason);
  });
});

describe('scoreSystems', () => {
  it('gives the differences to the first system', async () => {
    const worse = candidates.map(() => 'a dog');
    const [first, second] = await scoreSystems([candidates, worse], references, {
      metrics: 'bleu,cider',
      bootstrap: 100,
    });
    expect(first.differences).toBeUndefined();
    const { CIDEr } = second.differences ?? {};
    expect(CIDEr.difference).toBeCloseTo(second.scores.CIDEr - first.scores.CIDEr, 9);
    expect(CIDEr.high).toBeLessThan(0);
    expect(CIDEr.pValue).toBeCloseTo(1 / 101, 9);
  });
});
