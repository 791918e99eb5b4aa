/** The work of `refcap demo`: captions the samples and makes their page. */
import { readFile } from 'node:fs/promises';
import { InputError, UsageError } from '../../base/errors.ts';
import { writeFileAtomic } from '../../base/files.ts';
import { givenOptions } from '../../caption/command-options.ts';
import { captionPhotos, describeDecoding } from '../../caption/demo.ts';
import type { CaptionOptions } from '../../caption/options.ts';
import type { Caption } from '../../caption/result.ts';
import { confidenceOf, formatConfidence } from '../../confidence/shown.ts';
import { type SamplePhoto, samplePhotos } from '../../data/datasets/sample-photos.ts';
import { type Demo, demoGenerator, demoPage, shownCaption } from '../../pages/demo.ts';
import { generatorTag } from '../../pages/frame.ts';
import { loadCaptioner } from '../options/captioner.ts';
import { checkOutputFile } from '../options/output-file.ts';
import { interruptible } from '../terminal/interrupt.ts';

export interface DemoFlags {
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

/** A photo that has its caption. */
interface Captioned {
  readonly photo: SamplePhoto;
  readonly best: Caption;
}

/** @throws InputError where the page may not be written, or the model cannot be opened */
export async function runDemo(flags: DemoFlags): Promise<void> {
  const { output = 'refcap-demo.html', page, overwrite } = flags;
  if (!page && (flags.output !== undefined || overwrite))
    throw new UsageError('--no-page writes no file: leave out --output and --overwrite.');
  if (page) await checkOutputFile(output, async () => overwrite ?? (await isDemoPage(output)));
  await interruptible(
    (signal) => demonstrate(flags, page ? output : undefined, signal),
    page ? '; no page was written.' : '.',
  );
}

async function isDemoPage(path: string): Promise<boolean> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.slice(0, 2000).includes(generatorTag(demoGenerator));
}

/** @param output where the page goes, if one is wanted */
async function demonstrate(
  flags: DemoFlags,
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
  const { thumbnail } = await import('../../data/images/thumbnail.ts');
  const photos = captioned.map(async ({ photo, best }) => ({
    ...photo,
    picture: await thumbnail(photo.path, pictureSize),
    caption: best.text,
    ...(best.words && { words: best.words }),
    confidence: confidenceOf(best),
  }));
  await writeFileAtomic(output, demoPage({ ...about, photos: await Promise.all(photos) }));
}
