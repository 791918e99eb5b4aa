/** The arithmetic of a plan. */
import { expect, test } from 'vitest';
import { parseTrainConfig } from '../../../src/train/config/config.ts';
import { estimateStage, secondsOfAll } from '../../../src/train/plan/estimate.ts';
import type { RehearsedStage } from '../../../src/train/plan/rehearse.ts';

const stage = (more: object = {}, runs = 1): RehearsedStage => ({
  runs,
  rehearsal: {
    whole: {
      config: parseTrainConfig({ batchSize: 10, epochs: 3, views: 2, keepCheckpoints: 2, ...more }),
      images: { train: 95, dev: 20 },
      captions: 475,
      units: 95,
      trainedValues: 1e6,
    },
    stepSeconds: [1, 2, 3],
    features: { seconds: 0.1, bytes: 1000 },
    validationSeconds: 7,
    checkpointBytes: 12e6,
    modelBytes: 2e6,
    peakBytes: 1e9,
  },
});

test('a run: features of all views, steps of all epochs, a validation each', () => {
  expect(estimateStage(stage())).toEqual({
    stepsPerEpoch: 10,
    epochs: 3,
    steps: 30,
    secondsPerStep: 2,
    seconds: { features: 21, steps: 60, validations: 21, all: 102 },
    bytes: { features: 210_000, checkpoints: 24e6, models: 4e6, all: 28_210_000 },
  });
});

test('steps that are cut off, and runs of several seeds', () => {
  const found = estimateStage(stage({ maxSteps: 12 }, 2));
  expect(found).toMatchObject({ steps: 12, epochs: 2 });
  expect(found.seconds).toEqual({ features: 42, steps: 48, validations: 28, all: 118 });
});

test('a stream leaves out what is less than a step, and its ranks compute their own features', () => {
  const { rehearsal } = stage();
  const streamed = (shards: number, more: object = {}): RehearsedStage => {
    const whole = { ...stage(more).rehearsal.whole, shards };
    return { runs: 1, rehearsal: { ...rehearsal, whole } };
  };
  expect(estimateStage(streamed(4))).toMatchObject({ stepsPerEpoch: 9, steps: 27 });
  const alone = estimateStage(streamed(4)).seconds.features;
  expect(alone).toBeCloseTo((95 * 2 + 20) * 0.1);
  expect(estimateStage(streamed(4), 4).seconds.features).toBeCloseTo((95 / 2 + 20) * 0.1);
  // Too few shards, or pictures, for so many.
  expect(secondsOfAll([streamed(4)], 4)).toBeGreaterThan(0);
  expect(secondsOfAll([streamed(4)], 8)).toBe(Number.POSITIVE_INFINITY);
  expect(secondsOfAll([streamed(64, { maxSteps: 3 })], 16)).toBe(Number.POSITIVE_INFINITY);
});

test('more machines make fewer steps, each with an exchange; the first alone does the rest', () => {
  const exchange = { width: 4, meeting: 0.5, work: 1e-8, bandwidth: 1e6, latency: 0 };
  const found = estimateStage(stage(), 2, exchange);
  // Two machines: each sends half of the values twice.
  expect(found.secondsPerStep).toBeCloseTo(2 + 0.5 + 1e6 * 1e-8 + 4);
  expect(found.steps).toBe(15);
  expect(found.seconds.features).toBe(21);
  expect(found.seconds.validations).toBe(21);
  expect(secondsOfAll([stage(), stage()], 2, exchange)).toBeCloseTo(2 * found.seconds.all);
});
