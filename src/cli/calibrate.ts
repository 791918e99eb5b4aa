/** `refcap calibrate`: fits a model's confidence to pictures with captions by people. */
import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { writeFileAtomic } from '../base/files.ts';
import { alignedLines } from '../base/table.ts';
import type { ConfidenceConfig } from '../confidence/config.ts';
import { type SplitName, splitNames } from '../data/datasets/dataset.ts';
import { calibrateModel } from '../evaluate/calibrate/calibrate.ts';
import { type ReliabilitySeries, reliabilityDiagram } from '../pages/reliability.ts';
import {
  captionColumnOption,
  captionsOption,
  type DatasetFlags,
  imageColumnOption,
  imagesOption,
  readingOf,
} from './options/dataset.ts';
import { verboseOption } from './options/hub.ts';
import { deviceOption, membersOption, threadsOption } from './options/model.ts';
import { checkOutputFile } from './options/output-file.ts';
import { positive, repeated, whole } from './options/values.ts';
import { interruptible } from './terminal/interrupt.ts';
import { ProgressLine } from './terminal/progress.ts';

interface Flags extends DatasetFlags {
  data: string[];
  split: SplitName;
  plot?: string;
  limit?: number;
  folds: number;
  seed: number;
  members?: number;
  device?: string;
  threads?: number;
  batchSize: number;
  format: 'table' | 'json';
}

const help = `
Confidence is the probability that people who see the picture speak of the caption's main noun. It is fitted to all
sources together and written into the model's config.json, as confidence_config; captions then carry it, and
--min-confidence works. Take pictures that the model was not trained on: the dev split, as here by default.

The errors that are printed are cross-fitted: each picture is judged by a map that was fitted to the others.

Examples:
  refcap calibrate run/best --data flickr8k
  refcap calibrate run/best --data flickr8k --data photos --plot reliability.svg`;

export const command = new Command('calibrate')
  .summary("fit a model's confidence to pictures with captions")
  .description("Fit a model's confidence to pictures with captions, and say how true it is.")
  .argument('<model>', 'folder or weight file, or bundled model')
  .addOption(
    new Option(
      '--data <source>',
      'pictures with captions: a folder or a caption file; may be repeated',
    )
      .argParser(repeated)
      .makeOptionMandatory(),
  )
  .addOption(imagesOption())
  .addOption(imageColumnOption())
  .addOption(captionColumnOption())
  .addOption(captionsOption())
  .addOption(
    new Option('--split <name>', 'what it is fitted to').choices(splitNames).default('dev'),
  )
  .option('--plot <file>', 'also draw how true it is, as an SVG file')
  .option('--limit <n>', 'take the first so many pictures of each source alone', positive)
  .option('--folds <n>', 'parts of the pictures, each judged by a fit to the others', folds, 10)
  .option('--seed <n>', 'seed of the parts and the intervals', whole, 1)
  .addOption(membersOption())
  .addOption(verboseOption())
  .option('--batch-size <n>', 'pictures at a time', positive, 4)
  .addOption(deviceOption())
  .addOption(threadsOption())
  .addOption(new Option('-f, --format <format>').choices(['table', 'json']).default('table'))
  .addHelpText('after', help)
  .action(run);

function folds(text: string): number {
  const count = whole(text);
  if (count < 2)
    throw new InvalidArgumentError('must be at least 2: each part is judged by the others.');
  return count;
}

async function run(model: string, flags: Flags): Promise<void> {
  const { data, split, plot, limit, seed, members, device, threads, batchSize } = flags;
  if (plot !== undefined) await checkOutputFile(plot, true);
  const progress = new ProgressLine();
  const work = async (signal: AbortSignal): Promise<void> => {
    const config = await calibrateModel({
      model,
      data,
      reading: readingOf(flags),
      split,
      ...(limit !== undefined && { limit }),
      folds: flags.folds,
      seed,
      batchSize,
      captioner: {
        ...(device !== undefined && { device }),
        ...(threads !== undefined && { threads }),
        ...(members !== undefined && { members }),
        // Progress and Ctrl-C go on while the model works.
        workers: 1,
      },
      signal,
      onNote: (note) => console.error(`refcap: ${note}`),
      onCaptioned: (done, total) => progress.reach(done, total),
    }).finally(() => progress.clear());
    const title = `How often captions of ${model} are right, by their confidence`;
    if (plot !== undefined) await writeFileAtomic(plot, reliabilityDiagram(title, series(config)));
    process.stdout.write(
      flags.format === 'json' ? `${JSON.stringify(config, null, 2)}\n` : table(config),
    );
    console.error(`refcap: the confidence is written into the config.json of ${model}`);
  };
  await interruptible(work, '; nothing was written.');
}

/** All pictures, and each source where there are several. */
function series({ reliability }: ConfidenceConfig): ReliabilitySeries[] {
  if (!reliability) return [];
  const { all, sources } = reliability;
  const named = sources.map(({ name, ...own }) => ({ name, reliability: own }));
  return named.length === 1 ? named : [{ name: 'all', reliability: all }, ...named];
}

function table(config: ConfidenceConfig): string {
  const all = series(config);
  const sources = all.map(({ name, reliability: { images, right, error, low, high, chance } }) => [
    name,
    String(images),
    right.toFixed(3),
    error.toFixed(3),
    `${low.toFixed(3)} to ${high.toFixed(3)}`,
    chance.toFixed(3),
  ]);
  const bins = all[0].reliability.bins.map(({ confidence, right, images }) => [
    confidence.toFixed(3),
    right.toFixed(3),
    String(images),
  ]);
  const heads = ['source', 'pictures', 'right', 'calibration error', '95 % interval', 'by chance'];
  const lines = [
    ...alignedLines([heads, ...sources], () => false),
    '',
    ...alignedLines([['confidence', 'right', 'pictures'], ...bins], () => false),
  ];
  return `${lines.join('\n')}\n`;
}
