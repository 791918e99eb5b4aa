/** Deletion, insertion and sanity on the tiny model: orders that must be better are, and shuffled models differ. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../../src/base/random.ts';
import { Captioner } from '../../../src/caption/captioner.ts';
import {
  area,
  areasOf,
  baselineMaps,
  edgeMap,
} from '../../../src/explain/evaluate/faithfulness.ts';
import {
  fittedScores,
  judgeWords,
  reportInvented,
} from '../../../src/explain/evaluate/invented.ts';
import {
  agreement,
  mapsOf,
  shuffledModel,
  stagesOf,
} from '../../../src/explain/evaluate/sanity.ts';
import { isContentWord, sceneOf } from '../../../src/explain/evaluate/scenes.ts';
import { explainedModel } from '../../../src/explain/threads/explainer.ts';
import { tiny } from '../../caption/models.ts';

let captioner: Captioner;
beforeAll(async () => {
  captioner = await Captioner.load(tiny, { threads: 1 });
});
afterAll(() => captioner[Symbol.dispose]());

const picture = join(tiny, 'images/owl-1.png');
const idsOf = (caption: string): number[] => [
  captioner.config.text_config.bos_token_id,
  ...captioner.tokenizer.encode(caption, { specialTokens: false }),
];

describe('deletion and insertion', () => {
  it('takes the mean height of a curve', () => {
    expect(area([1, 1, 1])).toBe(1);
    expect(area([0, 1])).toBe(0.5);
    expect(area([4, 0, 0, 0])).toBeCloseTo(2 / 3, 12);
  });

  it('finds the order by effect better than its reverse, and the oracle at least about as good', async () => {
    const ids = idsOf('a brown owl stares');
    const image = await captioner.prepare(picture);
    const scene = sceneOf(captioner, image, ids, { seed: 1, signal: undefined });
    const { occlusion } = (await import('../../../src/explain/methods/methods.ts')).methods;
    const { values, side } = await occlusion.maps(scene);
    const reverse = values[2].map((value) => -value);
    const maps = new Map([
      ['occlusion', values[2]],
      ['reverse', reverse],
      ...baselineMaps(scene, side, 1),
    ]);
    const areas = await areasOf(scene, [2], maps, { oracle: true });
    expect([...areas.keys()].sort()).toEqual([
      'centre',
      'edges',
      'occlusion',
      'oracle',
      'random',
      'reverse',
    ]);
    const gap = (name: string): number => {
      const found = areas.get(name);
      return found ? found['mean insertion'] - found['mean deletion'] : Number.NaN;
    };
    expect(gap('occlusion')).toBeGreaterThan(gap('reverse'));
    for (const name of ['random', 'centre', 'edges', 'reverse'])
      expect(gap('oracle')).toBeGreaterThan(gap(name));
  });

  it('knows where edges are', () => {
    const pixels = new Float32Array(3 * 64);
    for (let i = 0; i < pixels.length; i++) pixels[i] = i % 8 >= 6 ? 1 : 0;
    const edges = edgeMap(pixels, 8, 2);
    expect(edges[1]).toBeGreaterThan(0);
    expect(edges[0]).toBe(0);
  });
});

describe('sanity', () => {
  it('a model is one with itself, and not with its shuffled weights', async () => {
    const image = await captioner.prepare(picture);
    const ids = idsOf('a brown owl stares');
    const names = ['gradient-attention'] as const;
    const agree = async (model: ReturnType<typeof explainedModel>): Promise<number> => {
      const of = { captioner, image, ids, names, seed: 1 };
      const found = agreement(names, await mapsOf(of), await mapsOf(of, model));
      const { sum, count } = found.get('gradient-attention') ?? { sum: 0, count: 0 };
      expect(count).toBe(3);
      return sum / count;
    };
    expect(await agree(explainedModel(captioner))).toBeCloseTo(1, 9);
    const stages = stagesOf(captioner);
    expect(stages.map(({ name }) => name)).toEqual([
      'language head',
      'and decoder layer 1',
      'and decoder layer 0',
      'and everything else',
    ]);
    using other = shuffledModel(captioner, stages[3].shuffles, 1);
    expect(await agree(other)).toBeLessThan(0.95);
  });
});

describe('invented words', () => {
  it('are content words whose stem no reference has', () => {
    const word = (text: string, dependence: number) => ({
      ...{ text, dependence, logprob: -1, prior: -2 },
    });
    const words = [word('the', 0), word('dogs', 2), word('frisbee', 0.1), word('running', 1)];
    const judged = judgeWords(words, ['A dog runs.', 'one animal']);
    expect(judged.map(({ isInvented }) => isInvented)).toEqual([false, true, false]);
    const report = reportInvented([judged, judged], 1);
    expect(report).toMatchObject({ words: 6, invented: 2 });
    expect(report.dependence.mean).toBe(1);
    expect(report.probability.mean).toBe(0.5);
    expect(report.gain.mean).toBe(0.5);
    expect(isContentWord({ text: 'two' })).toBe(false);
  });

  it('are told by a fit that has not seen the picture', () => {
    // An invented word is likelier by language alone; the two other probabilities say nothing.
    const random = createRandom(1);
    const word = (isInvented: boolean) => ({
      ...{ isInvented, logprob: -random.next(), dependence: random.next() },
      prior: isInvented ? -1 - random.next() : -3 - random.next(),
    });
    const images = Array.from({ length: 20 }, () => [word(true), word(false)]);
    const { probability, fitted, fittedDifference } = reportInvented(images, 1);
    expect(fitted.mean).toBe(1);
    expect(fittedDifference.low).toBeGreaterThan(0);
    expect(fittedDifference.mean).toBeCloseTo(1 - probability.mean, 10);
    // Whoever turns the truth of one picture's words changes no score of its own.
    const turned = images.map((words, i) =>
      i === 3 ? words.map((w) => ({ ...w, isInvented: !w.isInvented })) : words,
    );
    expect(fittedScores(turned)[3]).toEqual(fittedScores(images)[3]);
    expect(fittedScores(turned)[4]).not.toEqual(fittedScores(images)[4]);
  });
});
