/** Recipes: stages trained one after the other on a tiny tower. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Captioner } from '../../../src/caption/captioner.ts';
import type { Settings } from '../../../src/train/config/file.ts';
import { trainRun } from '../../../src/train/loop/run.ts';
import { readRecipe, type Stage } from '../../../src/train/recipe/recipe.ts';
import { type RecipeOptions, trainMembers, trainStages } from '../../../src/train/recipe/stages.ts';
import { openWeights } from '../../../src/weights/open.ts';
import { tinyFolder } from '../tiny-runs.ts';

const asIs = (settings: Settings): Settings => settings;

const stagesOf = (file: Settings): readonly Stage[] => {
  const { stages } = readRecipe(file, undefined, asIs);
  if (!stages) throw new Error('no stages');
  return stages;
};

describe('a recipe', () => {
  const at = tinyFolder();

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
      data: at('pictures'),
      start: { tower: at('tower') },
      output: at(output),
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

  const weightsOf = (model: string) => readFile(at(model, 'model.safetensors'));

  it('equals its stages run by hand, and leaves the best model of the last', async () => {
    await train('whole', settings);
    const starts = [
      { tower: at('tower') },
      { model: at('hand-1/last') },
      { model: at('hand-2/best') },
    ];
    for (const [i, { config }] of stagesOf(settings).entries())
      await trainRun({
        data: at('pictures'),
        start: starts[i],
        output: at(`hand-${i + 1}`),
        config,
        threads: 1,
        onNote: () => undefined,
        onFeatures: () => undefined,
        onEvent: () => undefined,
      });
    expect(await weightsOf('whole/best')).toEqual(await weightsOf('hand-3/best'));
    expect(await weightsOf('whole/2-tower/last')).toEqual(await weightsOf('hand-2/last'));
    using captioner = await Captioner.load(at('whole/best'));
    const { caption } = await captioner.caption(at('pictures/red-circle.png'));
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
    expect(await readdir(at('parts'))).not.toContain('best');
    // As if the first sitting had taken seven minutes: they count when the stage is done.
    const path = at('parts/stages.json');
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

  it('averages the runs of a stage', async () => {
    const [decoder] = settings.stages;
    const file = {
      ...settings,
      stages: [
        { ...decoder, epochs: 1 },
        { name: 'soup', epochs: 1, runs: 2, learningRate: 1e-3 },
      ],
    };
    await train('soup', file);
    const values = async (model: string) => {
      const { tensors, ...source } = await openWeights(at('soup', model));
      const found = new Map<string, Float32Array>();
      for (const name of tensors.keys()) found.set(name, await source.readFloat32(name));
      await source.close();
      return found;
    };
    const [first, second, mean] = await Promise.all(
      ['2-soup/seed-1/best', '2-soup/seed-2/best', 'best'].map(values),
    );
    expect([...mean.keys()]).toEqual([...first.keys()]);
    let moved = 0;
    for (const [name, data] of mean) {
      const [a, b] = [first.get(name) ?? [], second.get(name) ?? []];
      for (const [i, x] of data.entries()) {
        expect(Math.abs(x - (a[i] + b[i]) / 2)).toBeLessThan(1e-6);
        if (a[i] !== b[i]) moved += 1;
      }
    }
    expect(moved).toBeGreaterThan(100);
    // The second run is the one that its seed alone makes.
    const { config } = stagesOf(file)[1];
    await trainRun({
      data: at('pictures'),
      start: { model: at('soup/1-decoder/best') },
      output: at('soup-hand'),
      config: { ...config, seed: 2 },
      threads: 1,
      onNote: () => undefined,
      onFeatures: () => undefined,
      onEvent: () => undefined,
    });
    expect(await weightsOf('soup-hand/best')).toEqual(await weightsOf('soup/2-soup/seed-2/best'));
    using captioner = await Captioner.load(at('soup/best'));
    expect((await captioner.caption(at('pictures/red-circle.png'))).caption).not.toBe('');
    // Nothing is trained again, and the number of runs may not change.
    await train('soup', file, { resume: true, onEvent: () => expect.unreachable() });
    const other = { ...file, stages: [file.stages[0], { ...file.stages[1], runs: 3 }] };
    await expect(train('soup', other, { resume: true })).rejects.toThrow(
      'soup.runs: 2 before, 3 now',
    );
  });

  it('trains members, and puts them together', async () => {
    const { stages, ...shared } = settings;
    const [decoder] = stages;
    const file = {
      ...shared,
      members: [
        { stages: [{ ...decoder, epochs: 1 }] },
        {
          width: 16,
          seed: 2,
          stages: [
            { ...decoder, epochs: 1 },
            { name: 'more', epochs: 1 },
          ],
        },
      ],
    };
    const { members } = readRecipe(file, undefined, asIs);
    if (!members) throw new Error('no members');
    const options = {
      data: at('pictures'),
      start: { tower: at('tower') },
      output: at('members'),
      members,
      threads: 1,
      onNote: () => undefined,
      onFeatures: () => undefined,
      onStage: () => undefined,
    };
    const stop = new AbortController();
    let steps = 0;
    const interrupted = trainMembers({
      ...options,
      signal: stop.signal,
      onEvent: ({ kind }) => {
        if (kind === 'step') steps += 1;
        if (steps === 2) stop.abort();
      },
    });
    await expect(interrupted).rejects.toThrow('abort');
    expect(await readdir(options.output)).not.toContain('best');
    await trainMembers({ ...options, resume: true, onEvent: () => undefined });
    const model = (name: string) => weightsOf(join('members', name));
    expect(await model('best')).toEqual(await model('member-1/best'));
    expect(await model('best/member-2')).toEqual(await model('member-2/best'));
    using captioner = await Captioner.load(join(options.output, 'best'), { members: 2 });
    expect((await captioner.caption(at('pictures/red-circle.png'))).caption).not.toBe('');
    await expect(trainMembers({ ...options, onEvent: () => undefined })).rejects.toThrow(
      'there is a run already',
    );
  });

  it('refuses to go on after a finished stage with other settings, and a folder that is taken', async () => {
    const other = { ...settings, dropout: 0.3 };
    await expect(train('whole', other, { resume: true })).rejects.toThrow(
      /decoder\.dropout: 0\.15 before, 0\.3 now/,
    );
    const elsewhere = { data: at('other'), start: { tower: at('none') } };
    await expect(train('whole', settings, { resume: true, ...elsewhere })).rejects.toThrow(
      /data: ".*pictures" before, ".*other" now; start\.tower: /,
    );
    await expect(train('whole', settings)).rejects.toThrow('there is a run already');
    // Another kind of run than the folder's.
    await expect(train('hand-1', settings, { resume: true })).rejects.toThrow(
      /hand-1: the folder holds a single run/,
    );
    await expect(train('pictures', settings, { resume: true })).rejects.toThrow(
      /pictures: the folder holds .* and no run to go on with/,
    );
  });
});
