/** `refcap evaluate`: a model's captions, scores and speed on a split of a dataset. */

import { Command, Option } from '@commander-js/extra-typings';
import { alignedLines } from '../base/table.ts';
import { type GenerationFlags, givenOptions } from '../caption/command-options.ts';
import type { Reliability } from '../confidence/config.ts';
import { type SplitName, splitNames } from '../data/datasets/dataset.ts';
import { type Evaluation, evaluateModel } from '../evaluate/evaluate.ts';
import { scoreHeading } from '../metrics/registry.ts';
import {
  captionColumnOption,
  captionsOption,
  type DatasetFlags,
  imageColumnOption,
  imagesOption,
  readingOf,
} from './options/dataset.ts';
import { baseOption, hubOptions, verboseOption } from './options/hub.ts';
import { checkLengths } from './options/lengths.ts';
import { deviceOption, membersOption, quantizeOption, threadsOption } from './options/model.ts';
import { frameCount, noRepeatNgram, number, positive, whole } from './options/values.ts';
import { interruptible } from './terminal/interrupt.ts';
import { ProgressLine } from './terminal/progress.ts';

interface Flags extends DatasetFlags, Omit<GenerationFlags, 'seed'> {
  base?: string;
  data: string;
  split: SplitName;
  output?: string;
  overwrite?: true;
  keepRefiner?: true;
  members?: number;
  quantize?: 'int8';
  device?: string;
  threads?: number;
  batchSize: number;
  frames: number;
  limit?: number;
  bootstrap: number;
  seed: number;
  format: 'table' | 'json';
}

const examples = `
The run's folder holds results.json (scores with intervals, a second protocol, settings, speed) and
captions.jsonl (each picture's caption, references and scores).

Example:
  refcap evaluate run/best --data flickr8k --split dev --beams 3 --output run/dev`;

export const command = new Command('evaluate')
  .summary('measure a model on a dataset')
  .description("Caption a split's pictures, score them with all metrics, and measure the speed.")
  .argument('<model>', 'folder or file, bundled model, or hub id')
  .requiredOption('--data <source>', 'pictures or clips with captions: a folder or a caption file')
  .addOption(imagesOption())
  .addOption(imageColumnOption())
  .addOption(captionColumnOption())
  .addOption(captionsOption())
  .addOption(new Option('--split <name>', 'what is measured').choices(splitNames).default('dev'))
  .option('-o, --output <folder>', "the run's folder (default: evaluation-SPLIT)")
  .option('--overwrite', 'replace an evaluation that is there')
  .option('--beams <n>', "beams (default: the model's own)", positive)
  .option('--min-length <n>', 'fewest tokens', whole)
  .option('--max-length <n>', 'most tokens', positive)
  .option('--length-penalty <x>', 'beam scores are divided by length to this power', number)
  .option('--repetition-penalty <x>', 'above 1: words written before become less likely', number)
  .addOption(noRepeatNgram())
  .option('--prompt <text>', 'what every caption begins with')
  .option('--keep-refiner', 'keep the training-only layers saved beside the model')
  .addOption(membersOption())
  .addOption(baseOption())
  .addOption(verboseOption())
  .addOption(quantizeOption())
  .option('--batch-size <n>', 'pictures at a time', positive, 4)
  .option('--frames <n>', "frames that a clip is captioned from, or 'middle'", frameCount, 8)
  .option('--limit <n>', 'measure the first so many pictures alone', positive)
  .option('--bootstrap <n>', 'resamples of the intervals; 0: none', whole, 1000)
  .option('--seed <n>', 'seed of the resamples', whole, 1)
  .addOption(deviceOption())
  .addOption(threadsOption())
  .addOption(new Option('-f, --format <format>').choices(['table', 'json']).default('table'))
  .addHelpText('after', examples)
  .action(run);

async function run(model: string, flags: Flags): Promise<void> {
  checkLengths(flags);
  const { data, split, output = `evaluation-${split}`, device, threads, quantize, limit } = flags;
  const progress = new ProgressLine();
  const work = async (signal: AbortSignal): Promise<void> => {
    const evaluation = await evaluateModel({
      model,
      data,
      reading: readingOf(flags),
      split,
      output,
      overwrite: flags.overwrite ?? false,
      captioner: {
        ...(device !== undefined && { device }),
        ...(threads !== undefined && { threads }),
        ...(quantize !== undefined && { quantize }),
        ...(flags.keepRefiner && { keepRefiner: true }),
        ...(flags.members !== undefined && { members: flags.members }),
        // Progress and Ctrl-C go on while the model works.
        workers: 1,
        hub: hubOptions(flags, signal),
      },
      // The seed is that of the resamples.
      decoding: givenOptions({ ...flags, seed: undefined }),
      batchSize: flags.batchSize,
      frames: flags.frames,
      ...(limit !== undefined && { limit }),
      bootstrap: flags.bootstrap,
      seed: flags.seed,
      signal,
      onNote: (note) => console.error(`refcap: ${note}`),
      onCaptioned: (done, total) => progress.reach(done, total),
    }).finally(() => progress.clear());
    process.stdout.write(
      flags.format === 'json' ? `${JSON.stringify(evaluation, null, 2)}\n` : table(evaluation),
    );
    console.error(`refcap: written to ${output}`);
  };
  await interruptible(work, '; nothing was written.');
}

function table(evaluation: Evaluation): string {
  const { metrics, intervals, singleReference, throughput, data, confidence } = evaluation;
  const rows = Object.entries(metrics).map(([name, value]) => {
    const { low, high } = intervals[name] ?? {};
    const interval = low === undefined || high === undefined ? '' : `${show(low)} to ${show(high)}`;
    const single = singleReference[name];
    return [scoreHeading(name), show(value), interval, single === undefined ? '' : show(single)];
  });
  const { imagesPerSecond, peakMiB } = throughput;
  return [
    ...alignedLines(
      [['metric', 'score', '95 % interval', 'single references'], ...rows],
      () => false,
    ).map((line) => `${line}\n`),
    '\n',
    ...(confidence ? [`${truthOf(confidence)}\n`] : []),
    `${data.images} images of ${data.split}, ${imagesPerSecond.toFixed(1)} a second, peak memory ${peakMiB.toFixed(0)} MiB\n`,
  ].join('');
}

function truthOf({ right, error, low, high, chance }: Reliability): string {
  return `main noun right in ${(100 * right).toFixed(1)} %; calibration error of the confidence ${error.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)}; ${chance.toFixed(3)} by chance)`;
}

function show(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(1) : value.toFixed(4);
}
