/** A few steps of a run, in a folder that goes with them, from which the whole run is reckoned. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { describeWriteError, isThere } from '../../base/files.ts';
import { filesBelow } from '../../base/folders.ts';
import { listCheckpoints } from '../checkpoint/checkpoint.ts';
import type { TrainConfig } from '../config/config.ts';
import type { RunData } from '../loop/data.ts';
import type { RunOptions, WholeRun } from '../loop/options.ts';
import { trainRun } from '../loop/run.ts';
import type { TrainingEvent } from '../loop/trainer.ts';
import { everyFew } from '../loop/validation.ts';
import type { Stage } from '../recipe/recipe.ts';

type ValidationEvent = Extract<TrainingEvent, { kind: 'validation' }>;

/** What a short run took. */
export interface Rehearsal {
  readonly whole: WholeRun;
  /** Seconds of each step but the first, which is slower. */
  readonly stepSeconds: readonly number[];
  /** Of one view of one image, where features are computed before. */
  readonly features?: { readonly seconds: number; readonly bytes: number };
  /** Seconds of a validation of all that the whole run validates. */
  readonly validationSeconds: number;
  readonly checkpointBytes: number;
  readonly modelBytes: number;
  /** The most memory that this process had so far. */
  readonly peakBytes: number;
}

/** A stage of what is planned; a single run is one stage without a name. */
export interface RehearsedStage {
  readonly name?: string;
  /** How often it is trained. */
  readonly runs: number;
  readonly rehearsal: Rehearsal;
}

export type StageToRehearse = Pick<Stage, 'config' | 'from' | 'runs'> & {
  readonly name?: string;
  /** Whether it starts as the whole recipe does, not from the stage before. */
  readonly isFirst: boolean;
};

/** Steps of a rehearsal; the first is not measured. */
const steps = 4;
/** Dev images that are measured. */
const measured = 48;
/** Images that features and concepts are made from at least. */
const fewestImages = 128;

/**
 * Trains a few steps of each stage, each going on with the model of the one before, in a folder beside the output that
 * is removed at the end; nothing else is written.
 * @throws as `trainRun`
 */
export async function rehearse(
  options: Omit<RunOptions, 'config'>,
  stages: readonly StageToRehearse[],
): Promise<RehearsedStage[]> {
  const folder = await temporaryBeside(options.output);
  try {
    const rehearsed: RehearsedStage[] = [];
    let last = '';
    for (const [place, { name, config, from, runs, isFirst }] of stages.entries()) {
      const output = join(folder, `${place + 1}`);
      const start = isFirst ? options.start : { model: join(last, from) };
      last = output;
      const cache = join(folder, 'features');
      const rehearsal = await rehearseOne({ ...options, start, output, cache, config });
      rehearsed.push({ runs, rehearsal, ...(name !== undefined && { name }) });
    }
    return rehearsed;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** In the nearest folder that is there, so that it is on the output's disk and nothing is left. */
async function temporaryBeside(output: string): Promise<string> {
  let beside = resolve(output);
  let parent = dirname(beside);
  while (parent !== dirname(parent) && !existsSync(parent)) {
    beside = parent;
    parent = dirname(parent);
  }
  return mkdtemp(`${beside}.plan-`).catch((error: unknown) => {
    throw describeWriteError(beside, error);
  });
}

async function rehearseOne(options: RunOptions & { cache: string }): Promise<Rehearsal> {
  const { config, output, cache } = options;
  const found: { whole?: WholeRun; validation?: ValidationEvent } = {};
  const stepSeconds: number[] = [];
  const features: FeatureCall[] = [];
  const before = await bytesIn(cache);
  await trainRun({
    ...options,
    config: shortened(config),
    short: {
      onWhole: (whole) => {
        const { microBatch } = whole.config;
        found.whole = { ...whole, config: { ...config, microBatch } };
      },
      show: (data) => shownOf(data, config),
      trainImages: trainImagesOf(config),
    },
    onFeatures: (done, total) => {
      features.push({ done, total, time: performance.now() });
      options.onFeatures(done, total);
    },
    onEvent: (event) => {
      // Batches at the end of an epoch are smaller.
      if (event.kind === 'step') stepSeconds.push(config.batchSize / event.imagesPerSecond);
      if (event.kind === 'validation') found.validation = event;
      options.onEvent(event);
    },
  });
  const { whole, validation } = found;
  if (!whole || !validation) throw new TypeError('a run did not say what it is');
  const [newest] = await listCheckpoints(output);
  const made = featureCost(features, (await bytesIn(cache)) - before);
  return {
    whole,
    stepSeconds: stepSeconds.length > 1 ? stepSeconds.slice(1) : stepSeconds,
    ...(made && { features: made }),
    validationSeconds: validationSeconds(validation, whole),
    checkpointBytes: await bytesIn(newest.path),
    modelBytes: await bytesIn(join(output, 'best')),
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
}

/** The same run of a few steps, whose validations caption the same share of images. */
function shortened(config: TrainConfig): TrainConfig {
  return { ...config, epochs: steps, maxSteps: steps, patience: null, checkpointEvery: steps };
}

/** Images spread evenly over those of each split. */
function shownOf({ train, dev }: RunData, config: TrainConfig): RunData {
  return { train: spread(train, trainImagesOf(config)), dev: spread(dev, measured) };
}

function trainImagesOf({ batchSize }: TrainConfig): number {
  return Math.max(steps * batchSize, fewestImages);
}

function spread<T>(list: readonly T[], wanted: number): T[] {
  return everyFew(list.length, wanted).map((place) => list[place]);
}

/** Seconds of a validation of all dev images, and of the captions of those that are to be captioned. */
function validationSeconds(
  { seconds, captioning }: ValidationEvent,
  { config: { validationImages, samplePictures }, images: { dev } }: WholeRun,
): number {
  const losses = (seconds - captioning.seconds) * (dev / Math.min(dev, measured));
  const captioned = Math.min(dev, Math.max(validationImages ?? dev, samplePictures));
  return losses + captioned * (captioning.seconds / Math.max(1, captioning.images));
}

/** So many of a number of features were computed, at a time in milliseconds. */
interface FeatureCall {
  readonly done: number;
  readonly total: number;
  readonly time: number;
}

/** The first call comes after the first images, which take longer. */
function featureCost(calls: readonly FeatureCall[], bytes: number): Rehearsal['features'] {
  let [images, seconds, views] = [0, 0, 0];
  for (const [i, { done, time }] of calls.entries()) {
    const last = calls[i - 1];
    // The count of a split, or of a shard of a stream, begins anew.
    const isNext = last !== undefined && done > last.done && last.done < last.total;
    if (isNext) {
      images += done - last.done;
      seconds += (time - last.time) / 1000;
    }
    views += isNext ? done - last.done : done;
  }
  if (views === 0) return undefined;
  return { seconds: images === 0 ? 0 : seconds / images, bytes: bytes / views };
}

async function bytesIn(folder: string): Promise<number> {
  const files = (await isThere(folder)) ? await filesBelow(folder) : [];
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
