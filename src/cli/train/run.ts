/** The work of `refcap train`: settings of a run from the flags, and the run. */

import { InputError, UsageError } from '../../base/errors.ts';
import type { DatasetOptions } from '../../data/datasets/read.ts';
import { calibrateModel } from '../../evaluate/calibrate/calibrate.ts';
import { hasConfidence } from '../../model/checkpoint/confidence.ts';
import type { TrainConfig } from '../../train/config/config.ts';
import { applySetting, mergeSettings, readConfigFile } from '../../train/config/file.ts';
import type { PresetName } from '../../train/config/names.ts';
import type { WireDtype } from '../../train/distributed/names.ts';
import { type RunOptions, trainRun } from '../../train/loop/run.ts';
import type { TrainingEvent } from '../../train/loop/trainer.ts';
import { type Recipe, readRecipe, type Stage } from '../../train/recipe/recipe.ts';
import { trainMembers, trainStages } from '../../train/recipe/stages.ts';
import { type DatasetFlags, readingOf } from '../options/dataset.ts';
import { hubOptions } from '../options/hub.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { eventPrinter, progressLine, stepsPrinter } from '../terminal/training-lines.ts';

export interface TrainFlags extends DatasetFlags {
  base?: string;
  data: string;
  dev: boolean;
  output: string;
  tower?: string;
  model?: string;
  preset?: PresetName;
  config?: string;
  set?: string[];
  cache?: string;
  resume?: true;
  allowChanges?: true;
  memoryLimit?: number;
  plan?: true;
  stream?: true;
  distributed?: 'mpi';
  wire?: WireDtype;
  threads?: number;
  device?: string;
}

/** Flags that are settings of the run, under the settings' own names. */
const settingNames = [
  'seed',
  'epochs',
  'maxSteps',
  'batchSize',
  'microBatch',
  'learningRate',
  'dropout',
  'layers',
  'width',
  'heads',
  'views',
  'ema',
  'prompt',
  'stage',
  'visionBlocks',
  'checkpointEvery',
  'keepCheckpoints',
  'weightReviewed',
] as const;

/** @throws InputError where settings, data or the output folder cannot be used */
export async function runTrain(flags: TrainFlags & Record<string, unknown>): Promise<void> {
  const { data, output, cache, threads, device, memoryLimit } = flags;
  const recipe = await recipeOf(flags);
  const { config, stages = [], members } = recipe;
  checkDistributed(flags);
  let print = eventPrinter(config?.epochs ?? 0);
  await interruptible(
    async (signal) => {
      const job = flags.distributed ? await joinJob(flags.wire, signal) : undefined;
      const options = {
        ...(job && { peers: job.peers }),
        data,
        reading: readingOf(flags),
        withoutDev: !flags.dev,
        start: startOf(flags),
        output,
        resume: flags.resume ?? false,
        allowChanges: flags.allowChanges ?? false,
        ...(cache !== undefined && { cache }),
        ...(threads !== undefined && { threads }),
        ...(device !== undefined && { device }),
        ...(memoryLimit !== undefined && { memoryLimit: memoryLimit * 2 ** 30 }),
        hub: hubOptions(flags, signal),
        signal,
        onNote: (note: string) => console.error(`refcap: ${note}`),
        onFeatures: progressLine('image features'),
        onEvent: (event: TrainingEvent) => print(event),
        onStage: (stage: Stage): void => {
          print = eventPrinter(stage.config.epochs);
        },
      };
      if (flags.plan) {
        await (await import('./plan.ts')).printPlan(
          { ...options, onEvent: stepsPrinter() },
          recipe,
          flags.wire,
        );
        return;
      }
      if (config) await trainRun({ ...options, config });
      else if (members) await trainMembers({ ...options, members });
      else await trainStages({ ...options, stages });
      job?.finish();
      if (job && job.peers.rank > 0) return;
      const last = config ?? (members ? members[0] : stages).at(-1)?.config;
      const { moreData = [], stream } = last ?? {};
      if (flags.dev)
        await calibrateTrained(`${output}/best`, [data, ...moreData.map((more) => more.data)], {
          ...options,
          // Of the others not even the captions are read.
          ...(stream && { reading: await devShardsOf(data, stream, options.reading) }),
        });
      console.log(`${output}/best`);
    },
    flags.plan ? '.' : '; the state is saved. Run again with --resume to go on.',
  );
}

/** What cannot be done together is told before anything is joined. */
function checkDistributed({ distributed, plan, wire }: TrainFlags): void {
  if (!distributed && !plan && wire !== undefined)
    throw new UsageError(
      '--wire is of gradients between processes: give --distributed (or --plan) too.',
    );
}

/** The other processes of the job. One that fails ends them all: they would wait for it. */
async function joinJob(wire: WireDtype | undefined, signal: AbortSignal) {
  const { openMpi } = await import('../../train/distributed/mpi.ts');
  const { peersOver } = await import('../../train/distributed/collectives.ts');
  const mpi = await openMpi(signal);
  let isDone = false;
  process.once('exit', (code) => {
    // What went wrong has been said by now.
    if (!isDone) mpi.abort(code || 1);
  });
  return {
    peers: peersOver(mpi, wire),
    finish: () => {
      isDone = true;
      mpi.finish();
    },
  };
}

async function devShardsOf(
  data: string,
  stream: NonNullable<TrainConfig['stream']>,
  reading: RunOptions['reading'],
): Promise<DatasetOptions> {
  const { findStream } = await import('../../train/stream/shards.ts');
  return { ...reading, shards: (await findStream(data, stream)).dev };
}

/** Gives the model that a run leaves its confidence, unless it has one: then nothing was trained since. */
async function calibrateTrained(
  model: string,
  data: readonly string[],
  options: Pick<RunOptions, 'reading' | 'threads' | 'device' | 'onNote'> & { signal: AbortSignal },
): Promise<void> {
  const { reading, threads, device, signal, onNote } = options;
  try {
    if (await hasConfidence(model)) return;
    onNote('calibrating the confidence on the dev images');
    const { reliability } = await calibrateModel({
      ...{ model, data, split: 'dev', batchSize: 8, signal },
      ...(reading && { reading }),
      captioner: {
        ...(threads !== undefined && { threads }),
        ...(device !== undefined && { device }),
        workers: 1,
      },
      onNote: () => undefined,
      onCaptioned: progressLine('captions'),
    });
    if (reliability) onNote(`calibration error ${reliability.all.error.toFixed(3)}.`);
  } catch (error) {
    // The model is there all the same.
    if (!(error instanceof InputError)) throw error;
    onNote(`no confidence: ${error.message}`);
  }
}

function startOf({ model, tower }: TrainFlags): { model: string } | { tower: string } {
  if (model !== undefined) return { model };
  if (tower !== undefined) return { tower };
  throw new UsageError(
    'give --model (a captioner to train further) or --tower (a vision tower for a fresh decoder).',
  );
}

/** The preset, under the file (and its stages), under --set, under the flags. */
async function recipeOf(flags: TrainFlags & Record<string, unknown>): Promise<Recipe> {
  const file = flags.config === undefined ? {} : await readConfigFile(flags.config);
  const given = Object.fromEntries(
    settingNames.flatMap((name) => (flags[name] === undefined ? [] : [[name, flags[name]]])),
  );
  if (flags.stream) given.stream = {};
  return readRecipe(file, flags.preset, (settings) =>
    mergeSettings((flags.set ?? []).reduce(applySetting, settings), given),
  );
}
