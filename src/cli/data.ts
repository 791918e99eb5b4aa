/** `refcap data`: what is in a dataset and what is wrong with it, and a dataset as shards. */
import { Command, Option } from '@commander-js/extra-typings';
import { InputError, UsageError } from '../base/errors.ts';
import { alignedLines } from '../base/table.ts';
import { splitNames } from '../data/datasets/dataset.ts';
import type { DatasetReport, SplitFigures } from '../data/datasets/inspect.ts';
import { type DatasetFormat, datasetFormats } from '../data/datasets/sources.ts';
import { packCommand } from './data-pack.ts';
import {
  captionColumnOption,
  captionsOption,
  type DatasetFlags,
  imageColumnOption,
  imagesOption,
  readingOf,
} from './options/dataset.ts';
import { number } from './options/values.ts';
import { interruptible } from './terminal/interrupt.ts';
import { ProgressLine } from './terminal/progress.ts';

interface Flags extends DatasetFlags {
  format?: DatasetFormat;
  outputFormat: 'table' | 'json';
  maxWords: number;
  seed: number;
}

const help = `
Sources: a folder as Flickr8k, Flickr30k or COCO unpack it, one with Karpathy's dataset_*.json, with
captions.txt, metadata.jsonl or a .csv or .tsv table (file, caption and perhaps split), with a file for each
split (train.json, val.json, test.json) or a folder for each split (train/metadata.jsonl ...), or one whose
images have text files (.txt, .caption) of the same name beside them; or a caption file itself; or shards
('x-{000000..000123}.tar', 'x-*.tar', a .zip, .parquet tables) or a folder of them. With --captions xmp the
pictures' metadata (XMP beside or in them, IPTC) are the captions. A path or file name decides which image is
meant, before any number beside it. Links to folders are followed.

Exit code 0 whatever is wrong with parts of the data, 1 when nothing of it can be used.`;

export const command = new Command('data')
  .summary('look through a dataset of pictures with captions, or pack it into shards')
  .description('Look through a dataset of pictures with captions, or pack it into shards.')
  .addCommand(packCommand);

command
  .command('inspect')
  .summary('figures of a dataset, and every problem with it')
  .description(
    'Count images, captions and words, decode every image, and list every problem: missing and unreadable files, images without captions, duplicates (within splits and across them), empty and overlong captions.',
  )
  .argument('<source>', 'a folder, a caption file, or shards')
  .addOption(
    new Option('--format <format>', 'how the captions are kept (default: recognised)').choices(
      datasetFormats,
    ),
  )
  .addOption(imagesOption())
  .addOption(imageColumnOption())
  .addOption(captionColumnOption())
  .addOption(captionsOption().conflicts('format'))
  .addOption(
    new Option('--output-format <format>', 'a table, or all there is to say as JSON')
      .choices(['table', 'json'])
      .default('table'),
  )
  .option('--max-words <n>', 'longest caption in words; training cuts longer ones', number, 22)
  .option('--seed <n>', 'of the splits, where the source has none', number, 0)
  .addHelpText('after', help)
  .exitOverride()
  .showHelpAfterError('(run with --help for the options)')
  .action(inspect);

async function inspect(source: string, flags: Flags): Promise<void> {
  const { maxWords, seed } = flags;
  if (!Number.isSafeInteger(maxWords) || maxWords < 1)
    throw new UsageError('--max-words should be a whole number of at least 1.');
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new UsageError('--seed should be a whole number of at least 0.');
  const { inspectDataset } = await import('../data/datasets/inspect.ts');
  const progress = new ProgressLine();
  await interruptible(async (signal) => {
    const report = await inspectDataset(source, {
      maxWords,
      shares: { seed },
      ...(flags.format !== undefined && { format: flags.format }),
      ...readingOf(flags),
      signal,
      onProgress: (_, total) => {
        progress.total = total;
        progress.advance();
      },
    }).finally(() => progress.clear());
    if (report.splits.all.images === 0)
      throw new InputError(
        `${source}: none of its images can be decoded; the first: ${report.problems.find(({ kind }) => kind === 'unreadable images')?.cases[0]}`,
      );
    process.stdout.write(
      flags.outputFormat === 'json'
        ? `${JSON.stringify(report, null, 2)}\n`
        : table(report, (flags.captions ?? flags.format) === 'xmp'),
    );
  }, '.');
}

const examples = 3;

function table(report: DatasetReport, isOfMetadata: boolean): string {
  const { length } = report.shards;
  const inShards = `in ${whole(length)} ${length === 1 ? 'shard' : 'shards'}`;
  const beside = isOfMetadata ? "the images' metadata" : 'text files beside the images';
  const ofImages = length > 0 ? inShards : beside;
  const lines = [
    `captions  ${report.captionFiles.join(', ') || ofImages}`,
    `images    ${report.imageFolder}`,
    `splits    ${{ lists: 'from split lists', captions: 'as the captions say', seed: 'none: dealt out by a seed' }[report.splitsFrom]}`,
    '',
    ...alignedLines(splitRows(report)),
    '',
    ...alignedLines(lengthRows(report)),
    '',
    `Training captions: ${whole(report.vocabulary.uses)} words, ${whole(report.vocabulary.words)} different, ${whole(report.vocabulary.once)} of them used once.`,
    `Captions that several images share: ${whole(report.sharedCaptions)}.`,
    '',
    ...alignedLines(coverageRows(report)),
    '',
  ];
  lines.push(...report.notes.map((note) => `Note: ${note}`));
  if (report.notes.length > 0) lines.push('');
  if (report.problems.length === 0) lines.push('No problems.');
  else lines.push('Problems', ...problemLines(report));
  return `${lines.join('\n')}\n`;
}

function splitRows({ splits }: DatasetReport): string[][] {
  const row = (name: string, figures: SplitFigures): string[] => {
    const { least, mean, most } = figures.captionsPerImage;
    return [
      name,
      whole(figures.images),
      whole(figures.missing),
      whole(figures.unreadable),
      whole(figures.captions),
      least === most ? `${least}` : `${least} to ${most}, mean ${mean.toFixed(1)}`,
    ];
  };
  return [
    ['split', 'images', 'missing', 'unreadable', 'captions', 'captions an image'],
    ...splitNames.map((name) => row(name, splits[name])),
    row('all', splits.all),
  ];
}

function lengthRows({ captionWords: { mean, percentiles } }: DatasetReport): string[][] {
  const names: Record<number, string> = { 0: 'least', 50: 'median', 100: 'most' };
  const entries = Object.entries(percentiles);
  return [
    ['', 'mean', ...entries.map(([p]) => names[Number(p)] ?? `${p}%`)],
    ['words a caption', mean.toFixed(2), ...entries.map(([, words]) => whole(words))],
  ];
}

function coverageRows({ vocabulary }: DatasetReport): string[][] {
  return [
    ['words used at least', 'there are', 'of all uses in train', 'in dev'],
    ...vocabulary.coverage.map(({ minCount, words, train, dev }) => [
      `${minCount} times`,
      whole(words),
      percent(train),
      dev === undefined ? '-' : percent(dev),
    ]),
  ];
}

function problemLines({ problems, maxWords }: DatasetReport): string[] {
  const width = Math.max(...problems.map(({ count }) => whole(count).length));
  return problems.flatMap(({ kind, count, cases }) => {
    const title = kind === 'captions over the length limit' ? `${kind} of ${maxWords} words` : kind;
    const shown = cases.slice(0, examples).map((text) => `${' '.repeat(width + 4)}${text}`);
    if (count > examples) shown.push(`${' '.repeat(width + 4)}...`);
    return [`  ${whole(count).padStart(width)}  ${title}`, ...shown];
  });
}

function whole(value: number): string {
  return value.toLocaleString('en');
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)}%`;
}
