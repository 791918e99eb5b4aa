/** One run of an ablation, from training to its result; what is there already is kept. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isThere, writeFileAtomic } from '../base/files.ts';
import { evaluateModel } from '../evaluate/evaluate.ts';
import type { ResolveOptions } from '../hub/resolve.ts';
import type { TrainConfig } from '../train/config/config.ts';
import { trainRun } from '../train/loop/run.ts';
import type { TrainingEvent } from '../train/loop/trainer.ts';
import { minutesFile, minutesOf, readStart, runResult } from './describe.ts';
import {
  evaluationFolder,
  type RunPlace,
  readResult,
  runPlace,
  startPlace,
  writeResult,
} from './result.ts';
import type { AblationRequest } from './settings.ts';

/** How runs are made, and who is told. */
export interface RunSettings {
  readonly threads?: number;
  readonly device?: string;
  /** Bytes that a training step's values may take. */
  readonly memoryLimit?: number;
  /** Resamples of intervals and p-values, and their seed. */
  readonly bootstrap: number;
  readonly bootstrapSeed: number;
  readonly signal?: AbortSignal;
  /** How a model to train further is found and downloaded. */
  readonly hub?: ResolveOptions;
  onNote(note: string): void;
  onFeatures(done: number, total: number): void;
  onEvent(event: TrainingEvent, config: TrainConfig): void;
  onCaptioned(done: number, total: number): void;
}

/**
 * Trains a variant under one seed and evaluates its best model, as far as that is not done.
 * @returns whether there was something to do
 * @throws what trainRun and evaluateModel throw; the signal's reason when aborted, with the state saved
 */
export async function finishRun(
  request: AblationRequest,
  variant: string,
  seed: number,
  settings: RunSettings,
): Promise<boolean> {
  const place = runPlace(request.output, variant, seed);
  const shared = request.variants.get(variant);
  if (!shared) throw new TypeError(`there is no variant ${variant}`);
  const config = { ...shared, seed };
  const hasLayers = config.refinement !== null || config.alignment !== null;
  let isNew = (await readResult(place)) === undefined;
  if (isNew) await trainVariant(request, place, config, settings);
  for (const isKept of hasLayers ? [false, true] : [false])
    if (await evaluateBest(request, place, isKept, settings)) isNew = true;
  if (isNew) await writeResult(place, await runResult(place, request.split, hasLayers));
  // With its result written a run has nothing left to go on with.
  await rm(join(place.folder, 'checkpoints'), { recursive: true, force: true });
  return isNew;
}

/**
 * Evaluates the model that all runs start from as it is, unless that is done or they start from a tower alone.
 * @throws what evaluateModel throws; the signal's reason when aborted
 */
export async function finishStart(request: AblationRequest, settings: RunSettings): Promise<void> {
  const { start, output, split } = request;
  if (!('model' in start)) return;
  const place = startPlace(output, split);
  const what = `${start.model} as it is`;
  await captionSplit(request, { model: start.model, what, output: place.folder }, settings);
  await writeResult(place, (await readStart(output, split)).result);
}

async function trainVariant(
  { data, reading, start, output, cache, split }: AblationRequest,
  place: RunPlace,
  config: TrainConfig,
  settings: RunSettings,
): Promise<void> {
  const { threads, device, memoryLimit, signal, hub, onNote, onFeatures, onEvent } = settings;
  const { folder } = place;
  // Measured from the first step: the features that variants share are no variant's time.
  let started: number | undefined;
  try {
    await trainRun({
      data,
      ...(reading && { reading }),
      start,
      output: folder,
      config,
      resume: true,
      cache: cache ?? join(output, 'features'),
      ...(threads !== undefined && { threads }),
      ...(device !== undefined && { device }),
      ...(memoryLimit !== undefined && { memoryLimit }),
      ...(signal && { signal }),
      ...(hub && { hub }),
      onNote,
      onFeatures,
      onEvent: (event) => {
        if (event.kind === 'step') started ??= performance.now();
        onEvent(event, config);
      },
    });
  } finally {
    if (started !== undefined) {
      const minutes = (await minutesOf(place)) + (performance.now() - started) / 60000;
      await writeFileAtomic(join(folder, minutesFile), `${JSON.stringify({ minutes })}\n`);
      // An evaluation from before these steps is of another model.
      for (const isKept of [false, true])
        await rm(evaluationFolder(place, split, isKept), { recursive: true, force: true });
    }
  }
}

/** Evaluates a run's best model, unless that is done. @returns whether there was something to do */
function evaluateBest(
  request: AblationRequest,
  place: RunPlace,
  isKept: boolean,
  settings: RunSettings,
): Promise<boolean> {
  const captioned = {
    model: join(place.folder, 'best'),
    what: `${place.variant}, seed ${place.seed}${isKept ? ', layers kept' : ''}`,
    output: evaluationFolder(place, request.split, isKept),
    isKept,
  };
  return captionSplit(request, captioned, settings);
}

interface Captioned {
  readonly model: string;
  /** As it is told. */
  readonly what: string;
  readonly output: string;
  readonly isKept?: boolean;
}

/** Evaluates a model, unless that is done. @returns whether there was something to do */
async function captionSplit(
  { data, reading, split }: AblationRequest,
  { model, what, output, isKept = false }: Captioned,
  settings: RunSettings,
): Promise<boolean> {
  const { threads, device, bootstrap, bootstrapSeed, signal, hub, onNote, onCaptioned } = settings;
  // An evaluation's folder appears whole or not at all.
  if (await isThere(join(output, 'results.json'))) return false;
  onNote(`captioning the ${split} split: ${what}`);
  await evaluateModel({
    model,
    data,
    ...(reading && { reading }),
    split,
    output,
    overwrite: false,
    captioner: {
      ...hub,
      ...(threads !== undefined && { threads }),
      ...(device !== undefined && { device }),
      ...(isKept && { keepRefiner: true }),
    },
    decoding: {},
    batchSize: 16,
    bootstrap,
    seed: bootstrapSeed,
    ...(signal && { signal }),
    onNote,
    onCaptioned,
  });
  return true;
}
