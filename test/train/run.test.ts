/** Training end to end on a tiny tower and made-up pictures. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openWeights } from '../../src/nn/weights-open.ts';
import { parseTrainConfig } from '../../src/train/config.ts';
import { type RunOptions, trainRun } from '../../src/train/run.ts';
import type { TrainingEvent } from '../../src/train/trainer.ts';
import { writeTinyPictures, writeTinyTower } from './tiny.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refcap-train-'));
  await writeTinyTower(join(folder, 'tower'));
  await writeTinyPictures(join(folder, 'pictures'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const small = {
  batchSize: 4,
  width: 32,
  heads: 4,
  layers: 1,
  minWordCount: 1,
  warmupSteps: 5,
  logEvery: 1,
};

async function train(output: string, settings: object, more: Partial<RunOptions> = {}) {
  const events: TrainingEvent[] = [];
  await trainRun({
    data: join(folder, 'pictures'),
    tower: join(folder, 'tower'),
    output: join(folder, output),
    cache: join(folder, 'features'),
    config: parseTrainConfig({ ...small, ...settings }),
    threads: 1,
    onNote: () => undefined,
    onFeatures: () => undefined,
    onEvent: (event) => events.push(event),
    ...more,
  });
  return events;
}

const losses = (events: TrainingEvent[]) =>
  events.flatMap((e) => (e.kind === 'step' ? [e.loss] : []));

async function weightsOf(model: string): Promise<Buffer> {
  return readFile(join(folder, model, 'model.safetensors'));
}

describe('a training run', () => {
  it('memorises a handful of pictures', async () => {
    const settings = {
      epochs: 160,
      learningRate: 0.01,
      dropout: 0,
      labelSmoothing: 0,
      weightDecay: 0,
    };
    const events = await train('memorise', settings);
    // Two captions a picture: the choice between their first words alone costs log 2 / 5 words.
    const floor = (Math.log(2) * 16) / (8 * (4 + 5));
    expect(losses(events).at(-1)).toBeLessThan(floor + 0.05);
    const validations = events.filter((e) => e.kind === 'validation');
    expect(validations).toHaveLength(160);
    expect((await readdir(join(folder, 'memorise'))).sort()).toEqual([
      'best',
      'config.json',
      'last',
      'metrics.jsonl',
    ]);
    const lines = (await readFile(join(folder, 'memorise/metrics.jsonl'), 'utf8'))
      .trim()
      .split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual(JSON.parse(JSON.stringify(events)));
  });

  it('gives the same weights bit for bit for the same seed, others for another', async () => {
    await train('seed-a', { epochs: 2, dropout: 0.2, seed: 3 });
    await train('seed-b', { epochs: 2, dropout: 0.2, seed: 3 });
    await train('seed-c', { epochs: 2, dropout: 0.2, seed: 4 });
    expect(await weightsOf('seed-a/last')).toEqual(await weightsOf('seed-b/last'));
    expect(await weightsOf('seed-a/last')).not.toEqual(await weightsOf('seed-c/last'));
  });

  it('saves the tower and the decoder as one model', async () => {
    await train('names', { epochs: 1 });
    await using saved = await openWeights(join(folder, 'names/last'));
    await using tower = await openWeights(join(folder, 'tower'));
    for (const name of tower.tensors.keys()) {
      const before = await tower.readFloat32(name);
      const after = await saved.readFloat32(`vision_model.${name}`);
      // f16 keeps 11 bits.
      for (const [i, x] of before.entries())
        expect(Math.abs(after[i] - x)).toBeLessThanOrEqual(Math.abs(x) * 2 ** -11 + 1e-7);
    }
    expect(saved.tensors.has('text_decoder.cls.predictions.bias')).toBe(true);
  });

  it('reuses image features, and computes them again when a picture changes', async () => {
    let computed = 0;
    const onFeatures = (done: number, total: number): void => {
      if (done === total) computed += 1;
    };
    const options = { cache: join(folder, 'fresh'), onFeatures };
    await train('cache-a', { epochs: 1 }, options);
    expect(computed).toBe(2);
    await train('cache-b', { epochs: 1 }, options);
    expect(computed).toBe(2);
    const picture = join(folder, 'pictures/red-circle.png');
    const before = await readFile(picture);
    await writeFile(picture, await readFile(join(folder, 'pictures/blue-circle.png')));
    await train('cache-c', { epochs: 1 }, options);
    await writeFile(picture, before);
    expect(computed).toBe(3);
  });

  it('skips steps without a finite loss and stops after a set number, keeping the last model', async () => {
    const events: TrainingEvent[] = [];
    const settings = {
      epochs: 40,
      learningRate: 1e30,
      warmupSteps: 0,
      maxSkippedSteps: 4,
      schedule: 'constant',
    };
    const run = train('explode', settings, { onEvent: (event) => events.push(event) });
    await expect(run).rejects.toThrow(
      '4 steps in a row had no finite loss or gradient; lower learningRate (1e+30)',
    );
    expect(events.filter((e) => e.kind === 'skipped').length).toBeGreaterThanOrEqual(4);
  });

  it('names a picture that cannot be read, and a folder that holds a run', async () => {
    const picture = join(folder, 'pictures/red-circle.png');
    const before = await readFile(picture);
    await writeFile(picture, before.subarray(0, 60));
    await expect(train('broken', { epochs: 1 })).rejects.toThrow('red-circle.png');
    await writeFile(picture, before);
    await train('twice', { epochs: 1 });
    await expect(train('twice', { epochs: 1 })).rejects.toThrow('there is a run already');
  });

  it('stops between steps when asked to', async () => {
    const stop = new AbortController();
    const run = train(
      'stopped',
      { epochs: 3 },
      {
        signal: stop.signal,
        onEvent: (event) => event.kind === 'step' && event.step === 3 && stop.abort(),
      },
    );
    await expect(run).rejects.toThrow('abort');
  });

  it('refuses settings that do not fit, naming them', () => {
    expect(() => parseTrainConfig({ width: 30, heads: 8 })).toThrow('heads must divide width');
    expect(() => parseTrainConfig({ dropout: 1.5 })).toThrow('dropout');
    expect(() => parseTrainConfig({ droput: 0.1 })).toThrow('droput');
  });
});
