/** Runs of models with concepts: what is shown, kept, saved and gone on with. */
import { readFile, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { createRandom } from '../../../src/base/random.ts';
import { loadModel } from '../../../src/model/checkpoint/pretrained.ts';
import { openTower } from '../../../src/model/checkpoint/tower.ts';
import { openWeights } from '../../../src/weights/open.ts';
import { writeSafetensors } from '../../../src/weights/safetensors/write.ts';
import { fromFloat32, type WeightTensor } from '../../../src/weights/weight.ts';
import { tinyRuns } from '../tiny-runs.ts';

// Fitting takes seconds, and a busy machine ten times as long.
vi.setConfig({ testTimeout: 240_000 });

const runs = tinyRuns();

const concepts = { classTokens: 2, wordTokens: 3, words: 6, minNameCount: 2, folds: 2 };

/** Gives the tiny tower a classifier of three classes. */
beforeAll(async () => {
  const path = runs.at('tower', 'model.safetensors');
  const weights = new Map<string, WeightTensor>();
  {
    await using source = await openWeights(path);
    for (const [name, { shape }] of source.tensors)
      weights.set(name, fromFloat32(Float32Array.from(await source.readFloat32(name)), [...shape]));
  }
  const random = createRandom(2);
  const values = Float32Array.from({ length: 3 * 24 }, () => random.normal());
  weights.set('classifier.weight', fromFloat32(values, [3, 24]));
  weights.set('classifier.bias', fromFloat32(new Float32Array(3), [3]));
  await writeSafetensors(path, weights);
  const config = JSON.parse(await readFile(runs.at('tower', 'config.json'), 'utf8'));
  const classes = [['oblong', 'square'], ['disc', 'circle'], ['nothing that people say']];
  await writeFile(runs.at('tower', 'config.json'), JSON.stringify({ ...config, classes }));
  await writeFile(
    runs.at('texts.jsonl'),
    ['a red circle', 'a green square', 'the circle is blue']
      .map((text) => `${JSON.stringify({ captions: [text, `${text} again`] })}\n`)
      .join(''),
  );
});

const texts = () => ({ files: [runs.at('texts.jsonl')], batchSize: 4 });

describe('a run with concepts', () => {
  it('names the classes as people do and saves what scores them', async () => {
    await runs.train('fresh', { concepts, texts: texts(), views: 2 });
    await using model = await loadModel(runs.at('fresh', 'last'));
    const { concept_config: config } = model.config;
    const idOf = (word: string) => model.tokenizer.encode(word, { specialTokens: false });
    expect(config?.class_names).toEqual([
      idOf('square'),
      idOf('circle'),
      [model.tokenizer.ids.unknown],
    ]);
    expect(config?.words).toHaveLength(6);
    const tower = await openTower(runs.at('tower'));
    const saved = await model.weights.readFloat32('concepts.classes.weight');
    expect(saved).toEqual(tower.classifier?.weight);
    const words = await model.weights.readFloat32('concepts.words.weight');
    expect(words.some((value) => value !== 0)).toBe(true);
  });

  it('tells of the texts beside the pictures, and learns from them', async () => {
    const events = await runs.train('with-texts', { concepts, texts: texts(), epochs: 12 });
    const told = events.flatMap((event) => (event.kind === 'step' ? [event.terms.texts] : []));
    expect(told[0]).toBeGreaterThan(0);
    expect(told.at(-1)).toBeLessThan(0.9 * told[0]);
  });

  it('goes on after a stop to the bits of an uninterrupted run', async () => {
    const settings = { concepts, texts: texts(), views: 2, epochs: 3, checkpointEvery: 1 };
    await runs.train('whole', settings);
    await runs.trainInTwo('parts', settings, 4);
    expect(await runs.weights('parts')).toEqual(await runs.weights('whole'));
  });

  it('trains the tower with what scores concepts, and draws captions for a reward', async () => {
    await runs.train('start', { concepts });
    const from = { start: { model: runs.at('start', 'last') } };
    const events = await runs.train('tower-stage', { visionBlocks: 1, microBatch: 2 }, from);
    const steps = events.flatMap((event) => (event.kind === 'step' ? [event] : []));
    expect(steps[0].terms.scorers).toBeGreaterThan(0);
    await using before = await loadModel(runs.at('start', 'last'));
    await using after = await loadModel(runs.at('tower-stage', 'last'));
    const read = (model: typeof before, name: string) => model.weights.readFloat32(name);
    const moved = 'concepts.classes.weight';
    expect(await read(after, moved)).not.toEqual(await read(before, moved));
    const left = await runs.train('left', { visionBlocks: 1, conceptWeight: 0 }, from);
    expect(left.some((event) => event.kind === 'step' && 'scorers' in event.terms)).toBe(false);
    const rewarded = await runs.train('reward', { stage: 'scst', epochs: 1 }, from);
    expect(rewarded.some((event) => event.kind === 'step' && event.terms.reward >= 0)).toBe(true);
  });

  it('keeps what scores concepts where a model goes on over its frozen tower, unless they are asked for', async () => {
    await runs.train('first', { concepts });
    const from = { start: { model: runs.at('first', 'last') } };
    const notes: string[] = [];
    const onNote = (note: string) => notes.push(note);
    await runs.train('kept', { views: 2 }, { ...from, onNote });
    await runs.train('rewarded', { stage: 'scst', epochs: 1 }, { ...from, onNote });
    expect(notes.join('\n')).not.toContain('fitting concepts');
    await runs.train('anew', { views: 2, concepts }, { ...from, onNote });
    expect(notes.join('\n')).toContain('fitting concepts');
    const scorers = async (run: string) => {
      await using model = await loadModel(runs.at(run, 'last'));
      return await model.weights.readFloat32('concepts.words.weight');
    };
    const before = await scorers('first');
    expect(await scorers('kept')).toEqual(before);
    expect(await scorers('rewarded')).toEqual(before);
    expect(await scorers('anew')).not.toEqual(before);
    expect(await runs.weights('kept')).not.toEqual(await runs.weights('first'));
  });

  it('refuses texts for a model that has no concepts', async () => {
    await expect(runs.train('none', { texts: texts() })).rejects.toThrow(
      'texts: captions without pictures teach a model with concepts alone',
    );
  });
});

describe('several sources', () => {
  it('are shown as often as is asked, and scored apart', async () => {
    const moreData = [{ data: runs.at('pictures'), repeat: 3 }];
    const events = await runs.train('mixed', { moreData, epochs: 1 });
    const steps = events.filter(({ kind }) => kind === 'step');
    // 8 pictures once and 8 three times, 4 a step.
    expect(steps).toHaveLength(8);
    const validation = events.find((event) => event.kind === 'validation');
    if (validation?.kind !== 'validation') throw new Error('no validation');
    expect(Object.keys(validation.bySource ?? {})).toHaveLength(1);
  });
});
