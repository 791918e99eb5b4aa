/** `refcap caption`: pictures in, captions out. */
import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { UsageError } from '../base/errors.ts';
import { bundledModel, type Captioner } from '../caption/captioner.ts';
import { captionOptions, type GenerationFlags } from '../caption/command-options.ts';
import { countFinished, type Results } from '../caption/finished.ts';
import {
  type CaptionOutputFormat,
  captionOutputFormats,
  formatEndings,
} from '../caption/output/formats.ts';
import { onlyNumbered } from '../caption/output/numbered.ts';
import { type CaptionSink, fileSink, standardSink } from '../caption/output/output.ts';
import { sidecarSink } from '../caption/output/sidecar.ts';
import { skippingDescribed } from '../caption/output/skipping.ts';
import { captionRun, type Outcome, type RunCounts } from '../caption/run.ts';
import { countInputs, type InputOptions, listInputs } from '../caption/sources/inputs.ts';
import { describePassedOver } from '../data/images/formats.ts';
import { loadCaptioner } from './options/captioner.ts';
import { openConcepts } from './options/concepts.ts';
import { decodeOptions } from './options/decode.ts';
import { baseOption, verboseOption } from './options/hub.ts';
import { checkLengths } from './options/lengths.ts';
import {
  checkMetadataFlags,
  embedOption,
  existingOption,
  keepTimesOption,
  type MetadataFlags,
  metadataSink,
  sidecarNamesOption,
  skipCaptionedOption,
} from './options/metadata.ts';
import { checkOutputFile, formatOfOutput } from './options/output-file.ts';
import {
  checkStyleFlags,
  drawOptions,
  type StyleFlags,
  styleOptions,
  withStyle,
} from './options/style.ts';
import { noRepeatNgram, number, positive, probability, repeated, whole } from './options/values.ts';
import { interruptible } from './terminal/interrupt.ts';
import { ProgressLine } from './terminal/progress.ts';

interface GivenFlags extends GenerationFlags, MetadataFlags, StyleFlags {
  base?: string;
  model: string;
  revision?: string;
  offline?: true;
  device?: string;
  threads?: number;
  workers?: number;
  imageSize?: number;
  quantize?: 'int8';
  keepRefiner?: true;
  members?: number;
  concepts?: string;
  batchSize: number;
  format?: CaptionOutputFormat;
  output?: string;
  recursive?: true;
  imageColumn?: string;
  shards?: string[];
  task?: number;
  tasks?: number;
  allowUrl?: true;
  allowSvg?: true;
  maxPixels?: number;
  maxBytes?: number;
  resume?: true;
  overwrite?: true;
  minConfidence?: number;
  failFast?: true;
  keepGoing?: true;
  quiet?: true;
}

/** The format settled, which may be the output's own. */
interface Flags extends GivenFlags {
  format: CaptionOutputFormat;
}

const help = `
Inputs: image files, folders, patterns ('photos/**/*.jpg'), - for a list on the standard input
(a path or address a line, or find -print0), http(s) addresses with --allow-url (private networks are
refused). JPEG, PNG, WebP, AVIF, GIF, TIFF and BMP are read.
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

function stopping(text: string): boolean | 'never' {
  if (text === 'never') return text;
  if (text === 'true' || text === 'false') return text === 'true';
  throw new InvalidArgumentError("must be 'true', 'false' or 'never'.");
}

export const command = new Command('caption')
  .summary('caption pictures')
  .description('Caption pictures: one line for each, its path and its caption.')
  .argument('[inputs...]', 'image files, folders, patterns, shards, addresses, or - for a list')
  .option('-m, --model <model>', 'model folder or file, bundled model, or hub id', bundledModel)
  .option('--revision <name>', 'branch, tag or commit of a hub model')
  .option('--offline', 'use only models that are here already')
  .addOption(baseOption())
  .addOption(verboseOption())
  .option('--device <name>', "where to compute: 'cpu', 'webgpu', ... (default: cpu)")
  .option('--threads <n>', 'processor threads of each worker (default: all cores)', positive)
  .option(
    '--workers <n>',
    'batches at a time, each in a thread (default: 1; 0, as for few pictures: none)',
    whole,
  )
  .option('--image-size <pixels>', "side of the model's input, when not its own", positive)
  .addOption(new Option('--quantize <kind>', 'faster, less exact products').choices(['int8']))
  .option('--keep-refiner', 'keep the training-only layers saved beside the model')
  .option('--members <n>', 'of a model with several members, how many write together', positive)
  .option(
    '--concepts <file>',
    'names that may appear, a line each, or scores of names for each picture (of models with concepts)',
  )
  .option('--batch-size <n>', 'pictures at a time', positive, 4)
  .option('--beams <n>', 'beams of beam search (1: greedy)', positive)
  .option('--min-length <n>', 'fewest tokens', whole)
  .option('--max-length <n>', 'most tokens', positive)
  .option('--min-new-tokens <n>', 'fewest tokens after the prompt', whole)
  .option('--max-new-tokens <n>', 'most tokens after the prompt', positive)
  .option('--length-penalty <x>', 'beam scores are divided by length to this power', number)
  .option('--repetition-penalty <x>', 'above 1: words written before become less likely', number)
  .addOption(noRepeatNgram())
  .option('--early-stopping <when>', "end of beam search: 'true', 'false' or 'never'", stopping)
  .option('--sample', 'draw words by chance')
  .option('--top-p <p>', 'draw from the words whose probabilities reach p', number)
  .option('--top-k <n>', 'draw from the n best words', whole)
  .option('--temperature <t>', 'draw from probabilities to the power 1/t', number)
  .option('--seed <n>', 'seed of drawing (default: 0)', whole)
  .option('--num-captions <n>', 'captions of each picture', positive)
  .option('--prompt <text>', 'what every caption begins with')
  .option('--ban <words>', 'a word or phrase that must not be written; may be repeated', repeated)
  .option('--words', "also give each word's log-probability and visual dependence (json, jsonl)")
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
  .option('--image-column <name>', "the pictures' column in Parquet tables, if it is not told")
  .option('--allow-url', 'fetch http(s) addresses')
  .option('--allow-svg', 'draw SVG files')
  .option('--max-pixels <n>', 'largest picture, in pixels', positive)
  .option('--max-bytes <n>', 'largest file, in bytes', positive)
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

async function run(inputs: string[], given: GivenFlags): Promise<void> {
  if (given.shards !== undefined) return runOverShards(inputs, given);
  const { task, tasks } = given;
  if (task !== undefined || tasks !== undefined)
    throw new UsageError(`--${task === undefined ? 'tasks' : 'task'} needs --shards.`);
  if (inputs.length === 0)
    throw new UsageError('name the pictures to caption, or shards of them with --shards.');
  const flags = { ...given, format: formatOf(given) };
  checkFlags(flags);
  await checkOutput(flags);
  const canResume = flags.output !== undefined || isBeside(flags.format);
  await interruptible(
    async (signal) => {
      if (flags.resume && (await isFinished(inputs, flags, signal))) return;
      const { counts, doubts, failures, passedOver } = await captionInputs(inputs, flags, signal);
      for (const doubt of doubtLines(counts, doubts, flags)) console.error(`refcap: ${doubt}`);
      const note = describePassedOver(passedOver);
      if (note !== undefined) console.error(`refcap: ${note}`);
      for (const failure of failures) console.error(`refcap: ${failure}`);
      const more = counts.failed - failures.length;
      if (more > 0) console.error(`refcap: and ${more} more`);
      if (counts.failed > 0) process.exitCode = 3;
    },
    canResume ? '. Run again with --resume to go on.' : '.',
  );
}

async function runOverShards(inputs: readonly string[], flags: GivenFlags): Promise<void> {
  if (inputs.length > 0)
    throw new UsageError(`--shards and other inputs (${inputs[0]}) exclude each other.`);
  checkLengths(flags);
  checkStyleFlags(flags, 'jsonl', false);
  const { runShards } = await import('./caption-shards.ts');
  await interruptible(async (signal) => {
    if (await runShards(flags, signal)) process.exitCode = 3;
  }, '. Run the same again to go on: shards that are done stay.');
}

/** Whether results go to each picture's side, or into it. */
function isBeside(format: CaptionOutputFormat): format is 'sidecar' | 'xmp' {
  return format === 'sidecar' || format === 'xmp';
}

function formatOf({ output, format }: GivenFlags): CaptionOutputFormat {
  // COCO's results are JSON, too.
  if (format !== undefined && (isBeside(format) || format === 'coco')) return format;
  return formatOfOutput(output, format, formatEndings) ?? 'text';
}

function checkFlags(flags: Flags): void {
  const { resume, overwrite, output, format } = flags;
  if (resume && overwrite) throw new UsageError('--resume and --overwrite exclude each other.');
  checkMetadataFlags(flags, format);
  checkStyleFlags(flags, format, (resume ?? overwrite) !== undefined);
  if (isBeside(format)) {
    if (output)
      throw new UsageError(`--format ${format} writes beside the pictures: leave out --output.`);
    if (overwrite && format === 'xmp')
      throw new UsageError(
        '--format xmp changes what is there: --existing overwrite, not --overwrite.',
      );
  } else if ((resume || overwrite) && !output)
    throw new UsageError(
      `--${resume ? 'resume' : 'overwrite'} needs --output (or --format sidecar).`,
    );
  checkLengths(flags);
}

/** Before the model is looked for, which may mean a download. */
async function checkOutput({ output, resume, overwrite }: Flags): Promise<void> {
  if (output !== undefined)
    await checkOutputFile(
      output,
      resume ?? overwrite ?? false,
      `${output} exists; use --resume to go on with it or --overwrite to replace it.`,
    );
}

/** Whether nothing is left of a run that is to be resumed, which is then said. */
async function isFinished(
  inputs: readonly string[],
  flags: Flags,
  signal: AbortSignal,
): Promise<boolean> {
  const { output, format, numCaptions, quiet } = flags;
  // A list can be read once.
  if (inputs.includes('-')) return false;
  let results: Results = { kind: 'sidecars' };
  if (format !== 'sidecar') {
    if (output === undefined || format === 'xmp') return false;
    results = { kind: 'file', path: output, format };
  }
  const pictures = listInputs(inputs, inputOptionsOf(flags, signal));
  const count = await countFinished(pictures, results, numCaptions);
  if (count === undefined) return false;
  if (!quiet) console.error(`0 captioned, ${count} skipped: nothing was left to do`);
  return true;
}

function inputOptionsOf(flags: Flags, signal: AbortSignal): InputOptions {
  return {
    recursive: flags.recursive ?? false,
    allowUrl: flags.allowUrl ?? false,
    allowSvg: flags.allowSvg ?? false,
    ...(flags.imageColumn !== undefined && { columns: { image: flags.imageColumn } }),
    signal,
  };
}

/** Doubtful captions, and failures, that are kept to be listed. */
const mostListed = 1000;

async function captionInputs(
  inputs: readonly string[],
  flags: Flags,
  signal: AbortSignal,
): Promise<{ counts: RunCounts; doubts: string[]; failures: string[]; passedOver: string[] }> {
  const inputOptions = inputOptionsOf(flags, signal);
  const workers = flags.workers ?? (await suitableWorkers(inputs, inputOptions));
  const concepts = flags.concepts === undefined ? undefined : await openConcepts(flags.concepts);
  using captioner = await loadCaptioner({ ...flags, workers, conceptFile: concepts?.file }, signal);
  concepts?.check(captioner);
  const options = {
    ...captionOptions(flags, captioner.defaults),
    ...(flags.words && { dependence: true }),
    decode: decodeOptions(flags),
  };
  captioner.check(options);
  checkConfidence(captioner, flags);
  const draws = drawOptions(flags, options);
  if (draws) captioner.check(draws);
  const opened = withStyle(await openSink(flags, options.num_return_sequences ?? 1), flags);
  const sink = flags.skipCaptioned ? skippingDescribed(opened) : opened;
  const progress = new ProgressLine();
  if (!flags.quiet)
    countInputs(inputs, inputOptions).then(
      (total) => {
        progress.total = total;
      },
      () => undefined,
    );
  const doubts: string[] = [];
  const failures: string[] = [];
  const passedOver: string[] = [];
  const onDone = (outcome: Outcome): void => {
    if (outcome.kind === 'passedOver') {
      passedOver.push(outcome.name);
      return;
    }
    if (!flags.quiet) progress.advance(outcome.kind === 'skipped');
    if (outcome.kind === 'doubtful' && doubts.length < mostListed)
      doubts.push(`  ${outcome.name}\t${outcome.confidence.toFixed(2)}\t${outcome.caption}`);
    if (outcome.kind === 'failed' && failures.length < mostListed)
      failures.push(outcome.error.message);
  };
  const { batchSize, failFast = false, minConfidence } = flags;
  try {
    const counts = await captionRun(captioner, listInputs(inputs, inputOptions), sink, {
      options,
      batchSize,
      failFast,
      ...(draws && { draws }),
      ...(minConfidence !== undefined && { minConfidence }),
      ...(concepts?.scoresOf && { conceptsOf: concepts.scoresOf }),
      signal,
      onDone,
    });
    progress.clear();
    if (!flags.quiet) console.error(summary(counts, passedOver.length, progress.seconds));
    return { counts, doubts, failures, passedOver };
  } finally {
    progress.clear();
    await sink.finish();
  }
}

/** @throws UsageError where --min-confidence is asked of a model that was not calibrated */
function checkConfidence({ confidence }: Captioner, { minConfidence, model }: Flags): void {
  if (minConfidence !== undefined && !confidence)
    throw new UsageError(
      `--min-confidence: ${model} has no confidence; refcap calibrate gives it one, from pictures with captions.`,
    );
}

/** The pictures that were left out, as they came. */
function doubtLines(
  { doubtful }: RunCounts,
  listed: readonly string[],
  { minConfidence }: Flags,
): string[] {
  if (doubtful === 0) return [];
  const more = doubtful - listed.length;
  const what = doubtful === 1 ? '1 doubtful picture' : `${doubtful} doubtful pictures`;
  return [
    `${what}, below a confidence of ${minConfidence}, left out:`,
    ...listed,
    ...(more > 0 ? [`and ${more} more`] : []),
  ];
}

/** Up to this many pictures a worker's start costs more than progress and Ctrl-C gain. */
const fewPictures = 32;

async function suitableWorkers(inputs: readonly string[], options: InputOptions): Promise<number> {
  if (inputs.includes('-')) return 1;
  let count = 0;
  for await (const _ of listInputs(inputs, options)) if (++count > fewPictures) return 1;
  return 0;
}

async function openSink(flags: Flags, candidates: number): Promise<CaptionSink> {
  const { format, output, resume = false, overwrite = false, batchSize } = flags;
  if (format === 'xmp') return metadataSink(flags, flags);
  if (format === 'sidecar')
    return sidecarSink({ resume, overwrite, candidates, batchSize }, flags.appendToExisting);
  const rows =
    output === undefined
      ? standardSink(format)
      : await fileSink(output, format, { resume, overwrite, candidates, batchSize });
  return format === 'coco' ? onlyNumbered(rows) : rows;
}

function summary(
  { captioned, doubtful, skipped, failed }: RunCounts,
  passedOver: number,
  seconds: number,
): string {
  const parts = [`${captioned} captioned`];
  if (doubtful > 0) parts.push(`${doubtful} doubtful`);
  if (skipped > 0) parts.push(`${skipped} skipped`);
  if (failed > 0) parts.push(`${failed} failed`);
  if (passedOver > 0) parts.push(`${passedOver} passed over`);
  const worked = captioned + doubtful;
  const rate = worked > 1 ? `, ${(worked / seconds).toFixed(1)} a second` : '';
  return `${parts.join(', ')} in ${seconds.toFixed(1)} s${rate}`;
}
