/** Recipes: stages read from settings, and trained one after the other on a tiny tower. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Captioner } from '../../src/blip/captioner.ts';
import { presets } from '../../src/train/config.ts';
import { mergeSettings, type Settings } from '../../src/train/config-file.ts';
import { readRecipe, type Stage } from '../../src/train/recipe.ts';
import { trainRun } from '../../src/train/run.ts';
import { type RecipeOptions, trainStages } from '../../src/train/stages.ts';
import { writeTinyPictures, writeTinyTower } from './tiny.ts';

const asIs = (settings: Settings): Settings => settings;

const stagesOf = (file: Settings): readonly Stage[] => {
  const { stages } = readRecipe(file, undefined, asIs);
  if (!stages) throw new Error('no stages');
  return stages;
};

describe('readRecipe', () => {
  it('lays the stage over the file over its preset, and what is asked for over all', () => {
    const file = {
      preset: 'plain',
      epochs: 3,
      dropout: 0.3,
      stages: [
        { name: 'one', dropout: 0.1 },
        { name: 'two', preset: 'refcap', from: 'last' },
      ],
    };
    const over = (settings: Settings) => mergeSettings(settings, { seed: 7 });
    const { stages } = readRecipe(file, undefined, over);
    const shown = stages?.map(({ name, from, config }) => [
      name,
      from,
      config.epochs,
      config.dropout,
      config.seed,
      config.distillationWeight,
    ]);
    expect(shown).toEqual([
      ['one', 'best', 3, 0.1, 7, 1],
      ['two', 'last', 3, 0.3, 7, presets.refcap.distillationWeight],
    ]);
  });

  it('reads a file without stages as one run', () => {
    const { config, stages } = readRecipe({ epochs: 2 }, 'plain', asIs);
    expect([config?.epochs, config?.refinement, stages]).toEqual([2, null, undefined]);
  });

  it.each([
    [{ stages: [] }, 'stages: '],
    [{ stages: [{ epochs: 1 }] }, 'stages.0.name: '],
    [{ stages: [{ name: 'a/b' }] }, 'stages.0.name: letters, digits and hyphens'],
    [{ stages: [{ name: 'a' }, { name: 'a' }] }, 'two have the name a'],
    [{ stages: [{ name: 'a', epoch: 1 }] }, 'stage a: there is no setting epoch'],
    [{ stages: [{ name: 'a' }, { name: 'b', width: 64 }] }, 'stage b: width is 64 here and 256'],
    [{ preset: 'best', stages: [{ name: 'a' }] }, "stage a: preset: there is no 'best'"],
  ])('refuses %j', (file, message) => {
    expect(() => readRecipe(file, undefined, asIs)).toThrow(message);
  });
});

describe('a recipe', { timeout: 60_000 }, () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'refcap-stages-'));
    await writeTinyTower(join(folder, 'tower'));
    await writeTinyPictures(join(folder, 'pictures'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const settings = {
    preset: 'plain',
    batchSize: 4,
    width: 32,
    heads: 4,
    layers: 1,
    minWordCount: 1,
    savedBeams: 1,
    dtype: 'f32',
    stages: [
      { name: 'decoder', epochs: 2, learningRate: 1e-3 },
      { name: 'tower', from: 'last', epochs: 2, visionBlocks: 'all', learningRate: 1e-4 },
      { name: 'reward', stage: 'scst', epochs: 2 },
    ],
  };

  async function train(output: string, file: Settings, more: Partial<RecipeOptions> = {}) {
    const notes: string[] = [];
    await trainStages({
      data: join(folder, 'pictures'),
      start: { tower: join(folder, 'tower') },
      output: join(folder, output),
      stages: stagesOf(file),
      threads: 1,
      onNote: (note) => notes.push(note),
      onFeatures: () => undefined,
      onEvent: () => undefined,
      onStage: () => undefined,
      ...more,
    });
    return notes;
  }

  const weightsOf = (model: string) => readFile(join(folder, model, 'model.safetensors'));

  it('equals its stages run by hand, and leaves the best model of the last', async () => {
    await train('whole', settings);
    const starts = [
      { tower: join(folder, 'tower') },
      { model: join(folder, 'hand-1/last') },
      { model: join(folder, 'hand-2/best') },
    ];
    for (const [i, { config }] of stagesOf(settings).entries())
      await trainRun({
        data: join(folder, 'pictures'),
        start: starts[i],
        output: join(folder, `hand-${i + 1}`),
        config,
        threads: 1,
        onNote: () => undefined,
        onFeatures: () => undefined,
        onEvent: () => undefined,
      });
    expect(await weightsOf('whole/best')).toEqual(await weightsOf('hand-3/best'));
    expect(await weightsOf('whole/2-tower/last')).toEqual(await weightsOf('hand-2/last'));
    using captioner = await Captioner.load(join(folder, 'whole/best'));
    const { caption } = await captioner.caption(join(folder, 'pictures/red-circle.png'));
    expect(caption).not.toBe('');
  });

  it('goes on after an interruption in a later stage to the same bits', async () => {
    const stop = new AbortController();
    let stage = '';
    const interrupted = train('parts', settings, {
      signal: stop.signal,
      onStage: ({ name }) => {
        stage = name;
      },
      onEvent: (event) => {
        if (stage === 'tower' && event.kind === 'step' && event.step === 1) stop.abort();
      },
    });
    await expect(interrupted).rejects.toThrow('abort');
    expect(await readdir(join(folder, 'parts'))).not.toContain('best');
    // As if the first sitting had taken seven minutes: they count when the stage is done.
    const path = join(folder, 'parts/stages.json');
    const record = JSON.parse(await readFile(path, 'utf8'));
    expect(record.stages[1]).toMatchObject({ minutes: null, interrupted: expect.any(Number) });
    record.stages[1].interrupted = 7;
    await writeFile(path, JSON.stringify(record));
    const notes = await train('parts', settings, { resume: true });
    expect(notes).toContain('stage 1 of 3, decoder: done before.');
    expect(notes).not.toContain('stage 2 of 3, tower: done before.');
    expect(await weightsOf('parts/best')).toEqual(await weightsOf('whole/best'));
    const { stages } = JSON.parse(await readFile(path, 'utf8'));
    expect(stages[0].minutes).toBeLessThan(7);
    expect(stages[1].minutes).toBeGreaterThanOrEqual(7);
  });

  it('refuses to go on after a finished stage with other settings, and a folder that is taken', async () => {
    const other = { ...settings, dropout: 0.3 };
    await expect(train('whole', other, { resume: true })).rejects.toThrow(
      /decoder\.dropout: 0\.15 before, 0\.3 now/,
    );
    await expect(train('whole', settings)).rejects.toThrow('there is a run already');
  });
});
