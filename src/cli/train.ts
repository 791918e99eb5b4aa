/** `refcap train`: trains or fine-tunes a captioner on pictures with captions. */
import { Command, Option } from '@commander-js/extra-typings';
import { InputError, UsageError } from '../base/errors.ts';
import { calibrateModel } from '../evaluate/calibrate/calibrate.ts';
import { hasConfidence } from '../model/checkpoint/confidence.ts';
import { type PresetName, presetNames } from '../train/config/config.ts';
import { applySetting, mergeSettings, readConfigFile } from '../train/config/file.ts';
import { type RunOptions, trainRun } from '../train/loop/run.ts';
import type { TrainingEvent } from '../train/loop/trainer.ts';
import { type Recipe, readRecipe, type Stage } from '../train/recipe/recipe.ts';
import { trainMembers, trainStages } from '../train/recipe/stages.ts';
import {
  captionColumnOption,
  captionsOption,
  type DatasetFlags,
  imageColumnOption,
  imagesOption,
  readingOf,
} from './options/dataset.ts';
import { baseOption, hubOptions, verboseOption } from './options/hub.ts';
import { deviceOption, threadsOption } from './options/model.ts';
import { number, repeated } from './options/values.ts';
import { interruptible } from './terminal/interrupt.ts';
import { eventPrinter, progressLine } from './terminal/training-lines.ts';

interface Flags extends DatasetFlags {
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

const examples = `
The run's folder holds config.json, metrics.jsonl, report.html (curves and sample captions),
checkpoints/, best/ and last/; the last two open with 'refcap caption --model'. Stop a run with Ctrl-C
and go on with --resume: the result is the same.

Examples:
  refcap train --data photos --tower efficientnet-lite0 --output run
  refcap train --data photos --model Salesforce/blip-image-captioning-base --output run --set lora.rank=8 --batch-size 4
  refcap train --data photos --tower efficientnet-lite0 --output run --config settings.yaml --resume
  refcap train --data photos --model run/best --stage scst --output run-scst

Every setting of docs/training.md can be given in the --config file or as --set NAME=VALUE.
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted with the state saved.`;

export const command = new Command('train')
  .summary('train or fine-tune a captioner')
  .description(
    'Train a captioner on pictures with captions: a BLIP checkpoint further, or a fresh decoder over a pretrained vision tower.',
  )
  .requiredOption('--data <source>', 'pictures with captions: a folder or a caption file')
  .addOption(imagesOption())
  .addOption(imageColumnOption())
  .addOption(captionColumnOption())
  .addOption(captionsOption())
  .option('--no-dev', 'train without a dev split: training pictures are measured instead')
  .requiredOption('-o, --output <folder>', 'where the run goes')
  .addOption(
    new Option(
      '-m, --model <model>',
      'captioner to train further: folder, file, bundled name or hub id',
    ).conflicts(['tower', 'layers', 'width', 'heads']),
  )
  .option('--tower <folder>', 'pretrained vision tower for a fresh decoder')
  .addOption(
    new Option('--preset <name>', 'settings to start from (default: refcap)').choices(presetNames),
  )
  .option('--config <file>', 'settings from a YAML or JSON file')
  .option(
    '--set <name=value>',
    'one more setting, such as refinement.layers=2; may be repeated',
    repeated,
  )
  .addOption(
    new Option('--stage <stage>', 'what is learned from (default: cross-entropy)').choices([
      'cross-entropy',
      'scst',
    ]),
  )
  .option('--seed <n>', 'seed of weights, order, dropout and views (default: 1)', number)
  .option('--epochs <n>', 'passes over the training captions (default: 8)', number)
  .option('--max-steps <n>', 'end after so many steps', number)
  .option('--batch-size <n>', 'images a step (default: 32)', number)
  .option('--micro-batch <n>', 'images computed at once', number)
  .option('--memory-limit <GiB>', 'choose micro-batches that fit this memory', number)
  .option('--learning-rate <x>', 'peak learning rate', number)
  .option('--dropout <rate>', 'dropout of the decoder (default: 0.15)', number)
  .option('--layers <n>', 'layers of a fresh decoder (default: 2)', number)
  .option('--width <n>', 'width of a fresh decoder (default: 256)', number)
  .option('--heads <n>', 'attention heads of a fresh decoder (default: 8)', number)
  .option(
    '--vision-blocks <n>',
    "blocks of the tower that are trained too, from its end, or 'all' (default: 0)",
    blocks,
  )
  .option(
    '--views <n>',
    'stored versions of each picture, all but one augmented (default: 1)',
    number,
  )
  .option('--ema <decay>', 'keep a moving average of the weights (default: 0, none)', number)
  .option(
    '--weight-reviewed <n>',
    'times an epoch shows pictures with reviewed captions (default: 1)',
    number,
  )
  .option('--prompt <text>', 'what every caption begins with')
  .option('--checkpoint-every <steps>', 'steps between checkpoints (default: 500)', number)
  .option('--keep-checkpoints <n>', 'checkpoints kept (default: 2)', number)
  .option('--cache <folder>', 'where image features are kept (default: OUTPUT/features)')
  .option('--resume', 'go on with the run in the output folder')
  .option('--allow-changes', 'go on although settings differ from the run so far')
  .addOption(threadsOption())
  .addOption(deviceOption())
  .addOption(baseOption())
  .addOption(verboseOption())
  .addHelpText('after', examples)
  .action(run);

function blocks(text: string): number | 'all' {
  return text === 'all' ? text : number(text);
}

async function run(flags: Flags & Record<string, unknown>): Promise<void> {
  const { data, output, cache, threads, device, memoryLimit } = flags;
  const { config, stages = [], members } = await recipeOf(flags);
  let print = eventPrinter(config?.epochs ?? 0);
  await interruptible(async (signal) => {
    const options = {
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
    if (config) await trainRun({ ...options, config });
    else if (members) await trainMembers({ ...options, members });
    else await trainStages({ ...options, stages });
    const { moreData = [] } = config ?? (members ? members[0] : stages).at(-1)?.config ?? {};
    if (flags.dev)
      await calibrateTrained(
        `${output}/best`,
        [data, ...moreData.map((more) => more.data)],
        options,
      );
    console.log(`${output}/best`);
  }, '; the state is saved. Run again with --resume to go on.');
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

function startOf({ model, tower }: Flags): { model: string } | { tower: string } {
  if (model !== undefined) return { model };
  if (tower !== undefined) return { tower };
  throw new UsageError(
    'give --model (a captioner to train further) or --tower (a vision tower for a fresh decoder).',
  );
}

/** The preset, under the file (and its stages), under --set, under the flags. */
async function recipeOf(flags: Flags & Record<string, unknown>): Promise<Recipe> {
  const file = flags.config === undefined ? {} : await readConfigFile(flags.config);
  const given = Object.fromEntries(
    settingNames.flatMap((name) => (flags[name] === undefined ? [] : [[name, flags[name]]])),
  );
  return readRecipe(file, flags.preset, (settings) =>
    mergeSettings((flags.set ?? []).reduce(applySetting, settings), given),
  );
}
