/** `refcap score`: captions against references. */
import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { UsageError } from '../base/errors.ts';
import { writeFileAtomic } from '../base/files.ts';
import { captionFormats } from '../data/captions/formats.ts';
import {
  defaultMetrics,
  type MetricName,
  metricNames,
  metricRows,
  type Resource,
  scoreHeading,
} from '../metrics/registry.ts';
import { metricsOption } from '../score/metrics-option.ts';
import type { ScoreFilesOptions } from '../score/options.ts';
import { formatReports, reportFormats } from '../score/report.ts';
import { checkOutputFile } from './options/output-file.ts';
import { interruptible } from './terminal/interrupt.ts';

interface Flags {
  references: string[];
  metrics: string;
  format: (typeof reportFormats)[number];
  output?: string;
  perImage?: string;
  bootstrap: number;
  confidence: number;
  seed: number;
  meteorParaphrases?: string;
  documentFrequencies?: string;
  saveDocumentFrequencies?: string;
  trainingCaptions?: string;
  split?: string;
  images?: string;
  allowMissing?: true;
  candidatesFormat?: ScoreFilesOptions['candidatesFormat'];
  referencesFormat?: ScoreFilesOptions['referencesFormat'];
  tokenized?: true;
  tokenizedCandidates?: true;
  tokenizedReferences?: true;
  workers?: number;
}

const help = `
Metrics (* by default):
${metricNames.map(metricHelp).join('\n')}

Formats are recognised by content:
  candidates   COCO results JSON, {"image": "caption"}, JSONL, CSV, TSV, text (a caption a line)
  references   COCO annotations JSON, {"image": ["caption", ...]}, Karpathy's dataset_*.json,
               Flickr8k.token.txt, Kaggle's captions.txt, JSONL, CSV, TSV, text (line n belongs to image n)
Images are matched by id or file name; captions without ids by their order.

Examples:
  refcap score results.json --references captions_val2014.json
  refcap score ours.jsonl theirs.jsonl --references dataset_flickr8k.json --split test --bootstrap 1000
  refcap score captions.txt --references references.csv --metrics bleu,cider --format json`;

export const command = new Command('score')
  .summary('score captions against references: BLEU, METEOR, ROUGE, CIDEr, diversity')
  .description(
    'Score captions against references, equal to the reference programs. Several candidate files are compared side by side; the first is the baseline.',
  )
  .argument('<candidates...>', 'caption files, one a system (- is the standard input)')
  .requiredOption(
    '-r, --references <file>',
    'file with the references; repeat it for files that complement each other',
    (path: string, before: string[] | undefined) => [...(before ?? []), path],
  )
  .option(
    '-m, --metrics <list>',
    `metrics or scores, separated by commas: ${metricNames.join(', ')}, all`,
    defaultMetrics,
  )
  .addOption(
    new Option('-f, --format <format>', 'format of the report')
      .choices(reportFormats)
      .default('table'),
  )
  .option('-o, --output <file>', 'write the report to a file instead of the standard output')
  .option('--per-image <file>', 'write the scores of each image to a .jsonl or .csv file')
  .option(
    '--bootstrap <n>',
    'intervals, and for several systems differences with p-values, from n resamples of the images',
    wholeNumber(0),
    0,
  )
  .option('--confidence <share>', 'of the intervals', confidence, 0.95)
  .option('--seed <n>', 'of the resamples', wholeNumber(0), 0)
  .option('--meteor-paraphrases <file>', "METEOR's paraphrase table, such as paraphrase-en.gz")
  .option('--document-frequencies <file>', "CIDEr's document frequencies, saved earlier")
  .option('--save-document-frequencies <file>', 'save those of these references')
  .option('--training-captions <file>', 'captions of the training set, for the share of new ones')
  .option('--split <names>', 'only these splits of the references, such as test or val,test')
  .option('--images <file>', 'only the images that this file lists, one a line')
  .option('--allow-missing', 'score the images that all files have, and say how many were left out')
  .addOption(
    new Option('--candidates-format <format>', 'what the candidates are').choices(captionFormats),
  )
  .addOption(
    new Option('--references-format <format>', 'what the references are').choices(captionFormats),
  )
  .option('--tokenized', 'all captions are tokens already: do not tokenize them')
  .option('--tokenized-candidates', 'the candidates are tokens already')
  .option('--tokenized-references', 'the references are tokens already')
  .option(
    '--workers <n>',
    'threads; 0 for none (default: one a core, at most 8; below 40,000 captions one for METEOR alone)',
    wholeNumber(0),
  )
  .addHelpText('after', help)
  .action(score);

async function score(candidates: string[], flags: Flags): Promise<void> {
  refuseContradictions(candidates, flags);
  for (const path of [flags.output, flags.perImage, flags.saveDocumentFrequencies])
    if (path !== undefined) await checkOutputFile(path, true);
  const { scoreFiles } = await import('../score/files.ts');
  const progress = progressLine();
  await interruptible(async (signal) => {
    // A worker deep in one caption does not hear; nobody should wait for it.
    signal.addEventListener('abort', () => setTimeout(() => process.exit(130), 1000).unref());
    const reports = await scoreFiles({
      ...options(candidates, flags),
      signal,
      onWarning: (message) => {
        progress.clear();
        console.error(`refcap: warning: ${message}`);
      },
      onProgress: progress.show,
    }).finally(() => progress.clear());
    const given: Resource[] = flags.meteorParaphrases === undefined ? [] : ['paraphrases'];
    const text = formatReports(reports, flags.format, (name) => scoreHeading(name, given));
    if (flags.output !== undefined) await writeFileAtomic(flags.output, text);
    else process.stdout.write(text);
  }, '; nothing was written.');
}

function options(candidates: string[], flags: Flags): ScoreFilesOptions {
  return {
    candidates,
    candidatesFormat: flags.candidatesFormat,
    references: flags.references,
    referencesFormat: flags.referencesFormat,
    splits: flags.split?.split(',').map((name) => name.trim()),
    images: flags.images,
    allowMissing: flags.allowMissing,
    metrics: flags.metrics,
    tokenized: {
      candidates: flags.tokenized ?? flags.tokenizedCandidates ?? false,
      references: flags.tokenized ?? flags.tokenizedReferences ?? false,
    },
    bootstrap: flags.bootstrap,
    seed: flags.seed,
    confidence: flags.confidence,
    paraphrases: flags.meteorParaphrases,
    frequencies: flags.documentFrequencies,
    saveFrequencies: flags.saveDocumentFrequencies,
    training: flags.trainingCaptions,
    perImage: flags.perImage,
    workers: flags.workers,
  };
}

function refuseContradictions(candidates: string[], flags: Flags): void {
  if (flags.documentFrequencies !== undefined && flags.saveDocumentFrequencies !== undefined)
    throw new UsageError(
      '--document-frequencies and --save-document-frequencies contradict each other; the second saves those counted here.',
    );
  const { metrics, diversity } = metricsOption(flags.metrics);
  const chosen: MetricName[] = diversity ? [...metrics, 'diversity'] : metrics;
  const given: readonly [option: string, value: string | undefined, resource: Resource][] = [
    ['meteor-paraphrases', flags.meteorParaphrases, 'paraphrases'],
    ['document-frequencies', flags.documentFrequencies, 'frequencies'],
    ['save-document-frequencies', flags.saveDocumentFrequencies, 'frequencies'],
    ['training-captions', flags.trainingCaptions, 'training'],
  ];
  for (const [option, value, resource] of given) {
    const takers = metricNames.filter((name) => metricRows[name].takes.includes(resource));
    if (value !== undefined && !takers.some((name) => chosen.includes(name)))
      throw new UsageError(`--${option} is for ${takers.join(', ')}, which --metrics leaves out.`);
  }
  if ([...candidates, ...flags.references].filter((path) => path === '-').length > 1)
    throw new UsageError('the standard input (-) can be only one of the files.');
}

/** A line of the help: name, scores, and what it is. */
function metricHelp(name: MetricName): string {
  const { scores, summary, isDefault } = metricRows[name];
  const shown = scores.length > 4 ? `${scores[0]} to ${scores.at(-1)}` : scores.join(', ');
  return `  ${`${isDefault ? '*' : ' '} ${name}`.padEnd(19)}${summary}: ${shown}`;
}

function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < least || text.trim() === '')
      throw new InvalidArgumentError(`It should be a whole number of at least ${least}.`);
    return value;
  };
}

function confidence(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 1))
    throw new InvalidArgumentError('It should be between 0 and 1, such as 0.95.');
  return value;
}

/** One line on a terminal's stderr that says how far the run is, once it takes longer than a second. */
function progressLine(): { show: (step: string, done: number) => void; clear: () => void } {
  if (!process.stderr.isTTY) return { show: () => {}, clear: () => {} };
  const start = performance.now();
  let last = 0;
  let shown = false;
  return {
    show(step, done) {
      const now = performance.now();
      if (now - start < 1000 || now - last < 100) return;
      last = now;
      shown = true;
      process.stderr.write(`\r\x1b[K${step}: ${Math.floor(done * 100)}%`);
    },
    clear() {
      if (shown) process.stderr.write('\r\x1b[K');
      shown = false;
    },
  };
}
