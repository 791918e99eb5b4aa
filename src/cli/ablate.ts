/** `refcap ablate`: what each training-only layer brings, over several seeds, as a table. */
import { Command, Option } from '@commander-js/extra-typings';
import { ablate } from '../ablate/ablate.ts';
import { type AblationFormat, ablationFormats, formatAblation } from '../ablate/format.ts';
import { type AblationFlags, type AblationRequest, resolveAblation } from '../ablate/settings.ts';
import { UsageError } from '../base/errors.ts';
import { splitNames } from '../data/datasets/dataset.ts';
import { applySetting, readConfigFile, type Settings } from '../train/config/file.ts';
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
import { ProgressLine } from './terminal/progress.ts';
import { eventPrinter, progressLine } from './terminal/training-lines.ts';

interface Flags extends AblationFlags, DatasetFlags {
  base?: string;
  config?: string;
  set?: string[];
  threads?: number;
  device?: string;
  memoryLimit?: number;
  bootstrap: number;
  bootstrapSeed: number;
  speedImages: number;
  speedRounds: number;
  format: AblationFormat;
}

const examples = `
Without variants of its own in the file, the variants are plain (no layers), refinement, alignment, paper
(both, the published objective), refcap-own and refcap (both, refcap's objective, without and with sibling
captions), all under the same settings. The output folder holds ablation.json, ablation.md and the runs.
The same command goes on after an interruption; with more seeds it adds them.

Examples:
  refcap ablate --config ablation.yaml --seeds 3
  refcap ablate --data photos --tower efficientnet-lite0 --output ablation --set epochs=10
  refcap ablate --config ablation.yaml --variants plain,refcap --format markdown

docs/ablation.md says what the file may hold. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.`;

const list = (text: string): string[] =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

export const command = new Command('ablate')
  .summary('measure what the training-only layers bring')
  .description(
    'Train with and without the training-only layers for several seeds, evaluate each model, and compare them with intervals.',
  )
  .option('--config <file>', 'settings of the ablation and of training, YAML or JSON')
  .option('--seeds <n>', 'seeds 1 to n (default: 3)', number)
  .option('--data <source>', 'pictures with captions: a folder or a caption file')
  .addOption(imagesOption())
  .addOption(imageColumnOption())
  .addOption(captionColumnOption())
  .addOption(captionsOption())
  .addOption(new Option('-m, --model <model>', 'captioner to train further').conflicts('tower'))
  .option('--tower <folder>', 'pretrained vision tower for a fresh decoder')
  .option('-o, --output <folder>', 'where runs and tables go')
  .option('--variants <names>', 'run these variants alone, such as plain,refcap', list)
  .option('--baseline <name>', 'what the others are compared with (default: plain)')
  .option('--set <name=value>', 'one more setting of training; may be repeated', repeated)
  .addOption(new Option('--split <name>', 'what is captioned (default: dev)').choices(splitNames))
  .option('--cache <folder>', 'where image features are kept (default: OUTPUT/features)')
  .option('--memory-limit <GiB>', 'choose micro-batches that fit this memory', number)
  .option('--bootstrap <n>', 'resamples of intervals and p-values; 0: none', number, 1000)
  .option('--bootstrap-seed <n>', 'seed of the resamples', number, 1)
  .option('--speed-images <n>', 'pictures that latency is measured with; 0: none', number, 100)
  .option('--speed-rounds <n>', 'measurements of each model', number, 3)
  .addOption(threadsOption())
  .addOption(deviceOption())
  .addOption(baseOption())
  .addOption(verboseOption())
  .addOption(new Option('-f, --format <format>').choices(ablationFormats).default('table'))
  .addHelpText('after', examples)
  .action(run);

async function run(flags: Flags): Promise<void> {
  for (const [name, value, least] of [
    ['--bootstrap', flags.bootstrap, 0],
    ['--bootstrap-seed', flags.bootstrapSeed, 0],
    ['--speed-images', flags.speedImages, 0],
    ['--speed-rounds', flags.speedRounds, 1],
  ] as const)
    if (!Number.isInteger(value) || value < least)
      throw new UsageError(`${name} must be a whole number of at least ${least}.`);
  const request = await requestOf(flags);
  await interruptible(async (signal) => {
    const ablation = await ablate(optionsOf(request, flags, signal));
    process.stdout.write(formatAblation(ablation, flags.format));
    console.error(`refcap: written to ${request.output}/ablation.json and ablation.md`);
  }, '; the state is saved. Run the same command again to go on.');
}

async function requestOf(flags: Flags): Promise<AblationRequest> {
  let file: Settings = flags.config === undefined ? {} : await readConfigFile(flags.config);
  for (const text of flags.set ?? []) file = applySetting(file, text);
  const { data, tower, model, output, split, seeds, cache, baseline, variants } = flags;
  const given = { data, tower, model, output, split, seeds, cache, baseline, variants };
  const request = resolveAblation(
    file,
    Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  );
  return { ...request, reading: readingOf(flags) };
}

function optionsOf(
  request: AblationRequest,
  { threads, device, memoryLimit, ...flags }: Flags,
  signal: AbortSignal,
): Parameters<typeof ablate>[0] {
  let printer: ReturnType<typeof eventPrinter> | undefined;
  let captioned: ProgressLine | undefined;
  const told = new Set<string>();
  return {
    request,
    ...(threads !== undefined && { threads }),
    ...(device !== undefined && { device }),
    ...(memoryLimit !== undefined && { memoryLimit: memoryLimit * 2 ** 30 }),
    bootstrap: flags.bootstrap,
    bootstrapSeed: flags.bootstrapSeed,
    ...(flags.speedImages > 0 && {
      speed: { images: flags.speedImages, rounds: flags.speedRounds },
    }),
    signal,
    hub: hubOptions(flags, signal),
    onRun: ({ variant, seed, number: place, total }) => {
      printer = undefined;
      console.error(`refcap: run ${place} of ${total}: ${variant}, seed ${seed}`);
    },
    onNote: (note) => {
      // What every run says of the same data is told once.
      if (!told.has(note)) console.error(`refcap: ${note}`);
      told.add(note);
    },
    onFeatures: progressLine('image features'),
    onEvent: (event, { epochs }) => {
      printer ??= eventPrinter(epochs);
      printer(event);
    },
    onCaptioned: (done, total) => {
      captioned ??= new ProgressLine();
      captioned.reach(done, total);
      if (done < total) return;
      captioned.clear();
      captioned = undefined;
    },
  };
}
