/** Training runs of a tiny decoder over the tiny tower and pictures, in a folder that goes with the tests. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { parseTrainConfig } from '../../src/train/config/config.ts';
import { type RunOptions, trainRun } from '../../src/train/loop/run.ts';
import type { TrainingEvent } from '../../src/train/loop/trainer.ts';
import { writeTinyPictures, writeTinyTower } from './tiny.ts';

const small = {
  batchSize: 4,
  width: 32,
  heads: 4,
  layers: 1,
  minWordCount: 1,
  logEvery: 1,
  learningRate: 1e-3,
  dtype: 'f32',
  epochs: 2,
};

export interface TinyRuns {
  /** A path in the folder. */
  at(...names: string[]): string;
  /** Trains into the folder of this name. @returns what the run told */
  train(output: string, settings: object, more?: Partial<RunOptions>): Promise<TrainingEvent[]>;
  /** Stops a run after this step, and lets it go on to its end. */
  trainInTwo(output: string, settings: object, step: number): Promise<void>;
  /** The bytes of a saved model's weights. */
  weights(run: string, model?: 'best' | 'last'): Promise<Buffer>;
  json(path: string): Promise<Record<string, unknown>>;
}

/** A folder with the tiny tower and pictures, for the tests of a file or a group. @returns paths in it */
export function tinyFolder(): TinyRuns['at'] {
  let folder = '';
  const at = (...names: string[]) => join(folder, ...names);
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'refcap-runs-'));
    await writeTinyTower(at('tower'));
    await writeTinyPictures(at('pictures'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return at;
}

/** Call once in a file of tests. @param defaults under each run's settings */
export function tinyRuns(defaults: object = small): TinyRuns {
  const at = tinyFolder();
  const train: TinyRuns['train'] = async (output, settings, more = {}) => {
    const events: TrainingEvent[] = [];
    await trainRun({
      data: at('pictures'),
      start: { tower: at('tower') },
      output: at(output),
      cache: at('features'),
      config: parseTrainConfig({ ...defaults, ...settings }),
      threads: 1,
      onNote: () => undefined,
      onFeatures: () => undefined,
      onEvent: (event) => events.push(event),
      ...more,
    });
    return events;
  };
  return {
    at,
    train,
    async trainInTwo(output, settings, step) {
      const stop = new AbortController();
      const stopped = train(output, settings, {
        signal: stop.signal,
        onEvent: (event) => {
          if (event.kind === 'step' && event.step === step) stop.abort(new Error('enough'));
        },
      });
      await expect(stopped).rejects.toThrow('enough');
      await train(output, settings, { resume: true });
    },
    weights: (run, model = 'last') => readFile(at(run, model, 'model.safetensors')),
    json: async (path) => JSON.parse(await readFile(at(path), 'utf8')),
  };
}
