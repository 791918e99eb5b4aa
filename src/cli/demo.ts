/** `refcap demo`: the photos that ship with refcap, captioned: a line each, and a page with pictures. */
import { readFile } from 'node:fs/promises';
import { Command, Option } from '@commander-js/extra-typings';
import { InputError, UsageError } from '../base/errors.ts';
import { writeFileAtomic } from '../base/files.ts';
import { givenOptions } from '../caption/command-options.ts';
import { captionPhotos, describeDecoding } from '../caption/demo.ts';
import type { CaptionOptions } from '../caption/options.ts';
import type { Caption } from '../caption/result.ts';
import { confidenceOf, formatConfidence } from '../confidence/shown.ts';
import { type SamplePhoto, samplePhotos } from '../data/datasets/sample-photos.ts';
import { bundledModel } from '../hub/bundled.ts';
import { type Demo, demoGenerator, demoPage, shownCaption } from '../pages/demo.ts';
import { generatorTag } from '../pages/frame.ts';
import { loadCaptioner } from './options/captioner.ts';
import { baseOption, verboseOption } from './options/hub.ts';
import { membersOption, threadsOption } from './options/model.ts';
import { checkOutputFile } from './options/output-file.ts';
import { positive } from './options/values.ts';
import { interruptible } from './terminal/interrupt.ts';

interface Flags {
  base?: string;
  model: string;
  beams?: number;
  members?: number;
  threads?: number;
  output?: string;
  page: boolean;
  overwrite?: true;
  format: 'table' | 'json';
}

const help = `
Each line has a photo's file, the confidence and the caption. Confidence is how likely people speak of the
caption's main noun; of a model that was not calibrated, the probability that it gave to a token of its caption.
The page is one file with the pictures in it; it opens offline.

Examples:
  refcap demo
  refcap demo --model Salesforce/blip-image-captioning-base --output blip.html`;

export const command = new Command('demo')
  .summary('caption the photos that ship with refcap, and make a page of them')
  .description('Caption the photos that ship with refcap, and make a page with the pictures.')
  .option('-m, --model <model>', 'model folder or file, bundled model, or hub id', bundledModel)
  .option('--beams <n>', "beams of beam search (default: the model's own)", positive)
  .addOption(membersOption())
  .addOption(baseOption())
  .addOption(verboseOption())
  .addOption(threadsOption())
  .option('-o, --output <file>', 'the page (default: refcap-demo.html)')
  .option('--no-page', 'print the captions alone')
  .option('--overwrite', 'replace a file that is not a page of refcap demo')
  .addOption(
    new Option('-f, --format <format>', 'how captions are printed')
      .choices(['table', 'json'])
      .default('table'),
  )
  .addHelpText('after', help)
  .action(run);

/** A photo that has its caption. */
interface Captioned {
  readonly photo: SamplePhoto;
  readonly best: Caption;
}

async function run(flags: Flags): Promise<void> {
  const { output = 'refcap-demo.html', page, overwrite } = flags;
  if (!page && (flags.output !== undefined || overwrite))
    throw new UsageError('--no-page writes no file: leave out --output and --overwrite.');
  if (page) await checkOutputFile(output, async () => overwrite ?? (await isDemoPage(output)));
  await interruptible(
    (signal) => runDemo(flags, page ? output : undefined, signal),
    page ? '; no page was written.' : '.',
  );
}

async function isDemoPage(path: string): Promise<boolean> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.slice(0, 2000).includes(generatorTag(demoGenerator));
}

/** @param output where the page goes, if one is wanted */
async function runDemo(
  flags: Flags,
  output: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const started = performance.now();
  const photos = await samplePhotos();
  const loading = loadCaptioner(flags, signal);
  const { beams, format, model } = flags;
  const options: CaptionOptions = {
    signal,
    ...givenOptions({ beams }),
    // For the page, which shades words by it.
    ...(output !== undefined && { dependence: true }),
  };
  const width = Math.max(...photos.map(({ file }) => file.length));
  const captioned: Captioned[] = [];
  for await (const { photo, result } of captionPhotos(loading, photos, options)) {
    if (result instanceof InputError) {
      console.error(`refcap: ${result.message}`);
      continue;
    }
    const [best] = result.captions;
    captioned.push({ photo, best });
    if (format === 'table') process.stdout.write(line(photo.file.padEnd(width), best));
  }
  using captioner = await loading;
  if (format === 'json') process.stdout.write(`${JSON.stringify(captioned.map(row), null, 2)}\n`);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (output !== undefined) {
    const decoding = describeDecoding({ ...captioner.defaults, ...options });
    const isCalibrated = captioner.confidence !== undefined;
    await writePage(output, { model, decoding, isCalibrated }, captioned);
  }
  const where = output === undefined ? '' : `; with pictures in ${output}`;
  console.error(`refcap: ${captioned.length} photos captioned in ${seconds} s${where}`);
  if (captioned.length < photos.length) process.exitCode = 3;
}

/** The confidence stands before the caption, so that lines are aligned as they come. */
function line(file: string, best: Caption): string {
  return `${file}  ${formatConfidence(confidenceOf(best)).padStart(5)}  ${shownCaption(best.text)}\n`;
}

function row({ photo, best }: Captioned): Record<string, unknown> {
  const { text, mainNoun, logprob, meanLogprob } = best;
  const confidence = confidenceOf(best);
  return { file: photo.file, caption: text, confidence, mainNoun, logprob, meanLogprob };
}

/** Longest side of the pictures in the page: sharp on screens of two pixels a point. */
const pictureSize = 560;

async function writePage(
  output: string,
  about: Omit<Demo, 'photos'>,
  captioned: readonly Captioned[],
): Promise<void> {
  const { thumbnail } = await import('../data/images/thumbnail.ts');
  const photos = captioned.map(async ({ photo, best }) => ({
    ...photo,
    picture: await thumbnail(photo.path, pictureSize),
    caption: best.text,
    ...(best.words && { words: best.words }),
    confidence: confidenceOf(best),
  }));
  await writeFileAtomic(output, demoPage({ ...about, photos: await Promise.all(photos) }));
}
