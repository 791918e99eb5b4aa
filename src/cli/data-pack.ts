/** `refcap data pack`: a dataset into shards. */

import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { alignedLines } from '../base/table.ts';
import { splitNames } from '../data/datasets/dataset.ts';
import { type PackFormat, packFormats } from '../data/pack/formats.ts';
import type { PackManifest } from '../data/pack/manifest.ts';
import {
  captionColumnOption,
  captionsOption,
  type DatasetFlags,
  imageColumnOption,
  imagesOption,
  readingOf,
} from './options/dataset.ts';
import { interruptible } from './terminal/interrupt.ts';
import { ProgressLine } from './terminal/progress.ts';

interface Flags extends DatasetFlags {
  format: PackFormat;
  shardSize: number;
}

const help = `
The folder holds train-000000.tar (or .parquet), dev-... and test-..., and manifest.json: counts by split, and each
shard's size and SHA-256. The same dataset gives the same bytes. Pictures go in as they are, without being decoded. The
same command goes on with a pack that was stopped. Parquet tables are made in memory, a shard at a time.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done but some pictures could not be read, 130 interrupted.

Example:
  refcap data pack flickr8k shards --shard-size 100MB`;

const units: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9 };

/** 256MB and the like; powers of ten. */
export function byteSize(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmg]?)b?$/i.exec(text.trim()) ?? [];
  const size = Math.round(Number(number) * units[unit.toLowerCase()]);
  if (!(size >= 1)) throw new InvalidArgumentError('write it as 256MB, 1GB or a number of bytes.');
  return size;
}

export const packCommand = new Command('pack')
  .summary('write a dataset as shards')
  .description('Write a dataset as shards: pictures and captions together, many in a file.')
  .argument('<source>', 'a folder, a caption file, or shards')
  .argument('<output>', 'the folder of the shards')
  .addOption(
    new Option('--format <format>', 'tars for WebDataset, or tables for Hugging Face')
      .choices(packFormats)
      .default('webdataset' as const),
  )
  .option('--shard-size <size>', 'bytes of pictures that end a shard', byteSize, byteSize('256MB'))
  .addOption(imagesOption())
  .addOption(imageColumnOption())
  .addOption(captionColumnOption())
  .addOption(captionsOption())
  .addHelpText('after', help)
  .exitOverride()
  .showHelpAfterError('(run with --help for the options)')
  .action(run);

async function run(source: string, output: string, flags: Flags): Promise<void> {
  const { packDataset } = await import('../data/pack/pack.ts');
  const progress = new ProgressLine();
  await interruptible(async (signal) => {
    const { manifest, failures } = await packDataset(source, output, {
      reading: readingOf(flags),
      format: flags.format,
      shardBytes: flags.shardSize,
      signal,
      onImage: () => progress.advance(),
      onNote: (note) => console.error(`refcap: ${note}`),
    }).finally(() => progress.clear());
    process.stdout.write(table(manifest));
    for (const failure of failures) console.error(`refcap: left out: ${failure}`);
    if (failures.length > 0) process.exitCode = 3;
  }, '. Run the same again to go on.');
}

function table({ splits }: PackManifest): string {
  const rows = [
    ['split', 'shards', 'images', 'captions', 'bytes'],
    ...splitNames.map((split) => {
      const { shards, images, captions, bytes } = splits[split];
      return [split, ...[shards, images, captions, bytes].map((n) => n.toLocaleString('en'))];
    }),
  ];
  return `${alignedLines(rows).join('\n')}\n`;
}
