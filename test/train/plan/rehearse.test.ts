/** What a plan says of a run, against the run itself. */
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { packDataset } from '../../../src/data/pack/pack.ts';
import { parseTrainConfig } from '../../../src/train/config/config.ts';
import { estimateStage } from '../../../src/train/plan/estimate.ts';
import { rehearse } from '../../../src/train/plan/rehearse.ts';
import { tinyRuns } from '../tiny-runs.ts';

const settings = { batchSize: 3, width: 32, heads: 4, layers: 1, minWordCount: 1, dtype: 'f32' };
const { at, train } = tinyRuns({ ...settings, logEvery: 1 });

const options = () => ({
  data: at('pictures'),
  start: { tower: at('tower') },
  output: at('planned'),
  threads: 1,
  onNote: () => undefined,
  onFeatures: () => undefined,
  onEvent: () => undefined,
});
const stage = (more: object) => ({
  config: parseTrainConfig({ ...settings, ...more }),
  from: 'best' as const,
  runs: 1,
  isFirst: true,
});

async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name !== 'decoded.txt');
  const sizes = await Promise.all(files.map((file) => stat(join(file.parentPath, file.name))));
  return sizes.reduce((sum, { size }) => sum + size, 0);
}

test('steps, weights and disk are those of the run itself', async () => {
  const more = { epochs: 7, views: 2, captionsPerImage: 1, keepCheckpoints: 2 };
  const [{ runs, rehearsal }] = await rehearse(options(), [stage(more)]);
  // Nothing of the rehearsal is left.
  expect((await readdir(at())).filter((name) => name.startsWith('planned'))).toEqual([]);

  const events = await train('run', more, { cache: at('own-features') });
  const steps = events.filter((event) => event.kind === 'step');
  const found = estimateStage({ runs, rehearsal });
  expect(found.steps).toBe(steps.length);
  expect(found.epochs).toBe(7);
  expect(found.stepsPerEpoch).toBe(steps.filter(({ epoch }) => epoch === 1).length);
  expect(rehearsal.whole.images).toEqual({ train: 8, dev: 2 });
  expect(rehearsal.whole.captions).toBe(16);
  const weights = await stat(at('run', 'last', 'model.safetensors'));
  // All but the tower's are trained, and saved as f32.
  expect(rehearsal.whole.trainedValues * 4).toBeLessThan(weights.size);
  expect(rehearsal.whole.trainedValues * 4).toBeGreaterThan(0.9 * weights.size - 10_000);

  const close = (estimated: number, real: number) =>
    expect(Math.abs(estimated / real - 1)).toBeLessThan(0.02);
  close(found.bytes.features, await bytesIn(at('own-features')));
  close(found.bytes.checkpoints, await bytesIn(at('run', 'checkpoints')));
  close(
    found.bytes.models,
    (await bytesIn(at('run', 'best'))) + (await bytesIn(at('run', 'last'))),
  );
  expect(found.seconds.all).toBeGreaterThan(0);
  expect(rehearsal.peakBytes).toBeGreaterThan(5e7);
});

describe('a stream', () => {
  const more = { epochs: 5, keepCheckpoints: 1, minWordCount: 1, refinement: null };
  const planned = async (settings: object) => {
    const notes: string[] = [];
    const given = { ...options(), ...streamOptions(), onNote: (note: string) => notes.push(note) };
    const [found] = await rehearse(given, [stage({ ...more, ...settings })]);
    return { ...found, notes };
  };
  const streamOptions = () => ({ data: at('shards'), start: { model: at('base', 'last') } });

  beforeAll(async () => {
    await train('base', { epochs: 1 });
    // No shard has the very pictures of the dev split, whose features would be its own.
    await packDataset(at('pictures'), at('shards'), { format: 'webdataset', shardBytes: 8000 });
  });

  it.each([
    { name: 'cached', settings: { views: 2, stream: { buffer: 3 } } },
    { name: 'computed', settings: { stream: { buffer: 3, features: 'computed' } } },
  ])('has the steps, shards and disk of the run itself: $name', async ({ name, settings }) => {
    const { runs, rehearsal } = await planned(settings);
    const cache = at(`${name}-features`);
    const events = await train(name, { ...more, ...settings }, { ...streamOptions(), cache });
    const steps = events.filter((event) => event.kind === 'step');
    const found = estimateStage({ runs, rehearsal });
    expect(found.steps).toBe(steps.length);
    expect(found.stepsPerEpoch).toBe(2);
    expect(rehearsal.whole).toMatchObject({
      images: { train: 8, dev: 2 },
      ...{ captions: 16, isGuess: false },
      shards: (await readdir(at('shards'))).filter((file) => file.startsWith('train-')).length,
    });
    const close = (estimated: number, real: number) =>
      expect(Math.abs(estimated / Math.max(1, real) - 1)).toBeLessThan(0.02);
    if (name === 'cached') close(found.bytes.features, await bytesIn(cache));
    else expect(rehearsal.features?.bytes ?? 0).toBeLessThan(found.bytes.all);
    close(found.bytes.checkpoints, await bytesIn(at(name, 'checkpoints')));
    expect((await readdir(at())).filter((file) => file.startsWith('planned'))).toEqual([]);
  });

  it('reckons captions where nobody counts them, and says of what is not known how to set it', async () => {
    await rm(at('shards', 'manifest.json'));
    await expect(planned({ stream: {} })).rejects.toThrow(
      /how many pictures an epoch has is not known, .* give --set stream\.epochImages=N\.$/,
    );
    const { rehearsal } = await planned({ stream: { epochImages: 50 } });
    expect(rehearsal.whole).toMatchObject({ captions: 100, isGuess: true, units: 50 });
  });
});

test('a recipe is rehearsed stage by stage, each from the model before', {
  timeout: 120_000,
}, async () => {
  const scst = { stage: 'scst', epochs: 2, validationBeams: 1, views: 3 };
  const stages = [
    { ...stage({ epochs: 3, views: 3 }), name: 'decoder' },
    { ...stage(scst), name: 'reward', isFirst: false, from: 'last' as const, runs: 2 },
  ];
  const rehearsed = await rehearse(options(), stages);
  expect(rehearsed.map(({ name, runs }) => [name, runs])).toEqual([
    ['decoder', 1],
    ['reward', 2],
  ]);
  const [decoder, reward] = rehearsed.map((one) => estimateStage(one));
  // Features are there when the second stage begins.
  expect(decoder.seconds.features).toBeGreaterThan(0);
  expect(reward.seconds.features).toBe(0);
  expect(reward.seconds.steps).toBeCloseTo(2 * reward.steps * reward.secondsPerStep);
});

test('a setting that does not fit stops the rehearsal, and its folder goes', async () => {
  const wrong = { ...options(), start: { tower: at('nowhere') } };
  await expect(rehearse(wrong, [stage({})])).rejects.toThrow(/nowhere/);
  expect((await readdir(at())).filter((name) => name.startsWith('planned'))).toEqual([]);
  expect(existsSync(at('planned'))).toBe(false);
});

test('metrics say how many pictures were captioned, and how long that took', async () => {
  await train('told', { epochs: 1, validationImages: 1, samplePictures: 0 });
  const lines = (await readFile(at('told', 'metrics.jsonl'), 'utf8')).trim().split('\n');
  const { captioning, seconds } = lines
    .map((line) => JSON.parse(line))
    .find(({ kind }) => kind === 'validation');
  expect(captioning.images).toBe(1);
  expect(captioning.seconds).toBeGreaterThan(0);
  expect(captioning.seconds).toBeLessThan(seconds);
});
