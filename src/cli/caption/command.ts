/** `refcap caption`: pictures in, captions out. */
import { Option } from '@commander-js/extra-typings';
import { captionOutputFormats } from '../../caption/output/formats.ts';
import { captioningCommand } from '../options/captioning.ts';
import {
  embedOption,
  existingOption,
  keepTimesOption,
  sidecarNamesOption,
  skipCaptionedOption,
} from '../options/metadata.ts';
import { styleOptions } from '../options/style.ts';
import { positive, probability, repeated, whole } from '../options/values.ts';
import { interruptible } from '../terminal/interrupt.ts';
import {
  checkCaptionFlags,
  checkInputs,
  checkOutput,
  checkShardFlags,
  formatOf,
  type GivenCaptionFlags,
} from './flags.ts';

const help = `
Inputs: image files, folders, patterns ('photos/**/*.jpg'), - for a list on the standard input
(a path or address a line, or find -print0), http(s) addresses with --allow-url (private networks are
refused). JPEG, PNG, WebP, AVIF, HEIC, GIF, TIFF and BMP are read.
Shards: tars of WebDataset or img2dataset ('x-{000000..000123}.tar', 'x-*.tar'), zips, Hugging Face's .parquet;
rows then also have the sample's key and the shard (json, jsonl).

With --shards NAMES --output FOLDER each shard's captions are a file of their own (NAME.jsonl), there as a whole or
not at all, and NAME._SUCCESS behind it. What is done is not done again, so the same command may run on many machines:
--task T --tasks N, which a Slurm array or an Indexed Job of Kubernetes says by itself (docs/scale.md).

Options of generation that are not given come from the model's generation_config.json, then
transformers' defaults: greedy, at most 20 new tokens. Lengths count the first token and the prompt.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done but some pictures failed, 130 interrupted.

Examples:
  refcap caption photo.jpg
  refcap caption photos --recursive --format jsonl --output captions.jsonl
  refcap caption photos --recursive --format jsonl --output captions.jsonl --resume
  refcap caption photos --recursive --embed
  refcap caption photo.jpg --beams 3 --num-captions 3 --format json --words
  refcap caption --shards 'shards/x-{000000..000123}.tar' --output captions --task 0 --tasks 4
  find . -name '*.png' | refcap caption - --model Salesforce/blip-image-captioning-base`;

export const command = captioningCommand('caption')
  .summary('caption pictures')
  .description('Caption pictures: one line for each, its path and its caption.')
  .argument('[inputs...]', 'image files, folders, patterns, shards, addresses, or - for a list')
  .option(
    '--concepts <file>',
    'names that may appear, a line each, or scores of names for each picture (of models with concepts)',
  )
  .option(
    '--min-confidence <p>',
    'leave captions of less confidence, 0 to 1, out of the output and list them at the end',
    probability,
  )
  .addOption(
    new Option(
      '-f, --format <format>',
      "how results are written (default: what the output's name says, else text)",
    ).choices(captionOutputFormats),
  )
  .option('-o, --output <file>', 'write results to a file instead of the standard output')
  .addOption(
    new Option('--shards <names>', 'caption shards into a folder (--output), each for itself')
      .argParser(repeated)
      .conflicts(['format', 'resume', 'overwrite', 'recursive', 'failFast', 'keepGoing'])
      .conflicts(['allowUrl', 'skipCaptioned', 'appendToExisting', 'existing', 'embed'])
      .conflicts(['minConfidence', 'concepts']),
  )
  .option('--task <n>', "which part of the shards, from 0 (default: the engine's variables)", whole)
  .option('--tasks <n>', 'in how many parts the shards are dealt out', positive)
  .addOption(existingOption())
  .addOption(sidecarNamesOption())
  .addOption(embedOption())
  .addOption(keepTimesOption())
  .addOption(skipCaptionedOption())
  .option('-r, --recursive', 'also look into the folders of folders')
  .option('--allow-url', 'fetch http(s) addresses')
  .option('--resume', 'skip what the output already holds')
  .option('--overwrite', 'replace the output')
  .addOption(
    new Option('--fail-fast', 'stop at the first picture that fails').conflicts('keepGoing'),
  )
  .option('--keep-going', 'go on when pictures fail and list them at the end (the default)')
  .option('-q, --quiet', 'no progress and no summary')
  .addHelpText('after', help)
  .action(run);

for (const option of styleOptions()) command.addOption(option);

async function run(inputs: string[], given: GivenCaptionFlags): Promise<void> {
  if (given.shards !== undefined) {
    checkShardFlags(inputs, given);
    await captionShardsOf(given);
    return;
  }
  checkInputs(inputs, given);
  const flags = { ...given, format: formatOf(given) };
  checkCaptionFlags(flags);
  await checkOutput(flags);
  const { runCaption } = await import('./run.ts');
  await runCaption(inputs, flags);
}

async function captionShardsOf(flags: GivenCaptionFlags): Promise<void> {
  const { runShards } = await import('./shards.ts');
  await interruptible(async (signal) => {
    if (await runShards(flags, signal)) process.exitCode = 3;
  }, '. Run the same again to go on: shards that are done stay.');
}
