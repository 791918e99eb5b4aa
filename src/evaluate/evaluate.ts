/** A model measured on a split: captions, scores with intervals, throughput, in one run folder. */
import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { InputError } from '../base/errors.ts';
import { writeFileAtomic } from '../base/files.ts';
import { isDesktopFile, replaceFolder } from '../base/folders.ts';
import { version } from '../base/version.ts';
import { checkWritableFolder } from '../base/writable.ts';
import { Captioner, type CaptionerOptions } from '../caption/captioner.ts';
import type { CaptionOptions } from '../caption/options.ts';
import type { PreparedImage } from '../caption/prepare.ts';
import { type DatasetImage, imagesOfSplit, type SplitName } from '../data/datasets/dataset.ts';
import { type DatasetOptions, readDataset } from '../data/datasets/read.ts';
import { absoluteAddress } from '../data/shards/address.ts';
import type { Interval } from '../metrics/bootstrap.ts';
import { modelFingerprint } from '../model/checkpoint/fingerprint.ts';
import { scoreSplit, singleReferenceMeans } from './scoring.ts';

export interface EvaluateOptions {
  /** Folder or file, bundled name, or hub id. */
  readonly model: string;
  /** A dataset as `readDataset` takes it. */
  readonly data: string;
  readonly reading?: DatasetOptions;
  readonly split: SplitName;
  /** The run's folder. */
  readonly output: string;
  /** Replace a run's folder that is there. */
  readonly overwrite: boolean;
  readonly captioner: CaptionerOptions;
  readonly decoding: CaptionOptions;
  readonly batchSize: number;
  /** Measure the first so many images alone. */
  readonly limit?: number;
  /** Resamples of the intervals. */
  readonly bootstrap: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
  onNote(note: string): void;
  onCaptioned(done: number, total: number): void;
}

/** What results.json holds. */
export interface Evaluation {
  readonly version: string;
  readonly model: { readonly name: string; readonly fingerprint: string };
  readonly data: {
    readonly source: string;
    readonly split: SplitName;
    readonly images: number;
    readonly fingerprint: string;
  };
  readonly decoding: Readonly<Record<string, unknown>>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly intervals: Readonly<Record<string, Interval>>;
  /** The mean over single references: each caption scored against one reference at a time. */
  readonly singleReference: Readonly<Record<string, number>>;
  readonly throughput: {
    readonly imagesPerSecond: number;
    readonly seconds: number;
    readonly peakMiB: number;
  };
  readonly settings: Readonly<Record<string, unknown>>;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly device: string;
    readonly node: string;
  };
}

/** A picture with what was written for it. */
interface Written {
  readonly image: DatasetImage;
  readonly caption: string;
  readonly logprob: number;
}

/**
 * Captions and scores a split; leaves `results.json` and `captions.jsonl` in the run's folder, which
 * appears whole or not at all.
 * @throws InputError naming what is missing or in the way; the signal's reason when aborted
 */
export async function evaluateModel(options: EvaluateOptions): Promise<Evaluation> {
  await checkOutput(options);
  const images = await imagesOf(options);
  const { written, throughput } = await captionImages(options, images);
  const judged = written.map(({ image, caption }) => ({ caption, references: image.captions }));
  return replaceFolder(options.output, async (folder) => {
    const { scores, intervals, images: own, settings } = await scoreSplit(judged, options);
    await writeCaptions(folder, written, own);
    const evaluation: Evaluation = {
      version: version(),
      model: {
        name: options.model,
        fingerprint: await modelFingerprint(options.model, options.captioner),
      },
      data: {
        source: options.data,
        split: options.split,
        images: written.length,
        fingerprint: fingerprintOf(written),
      },
      decoding: decodingOf(options),
      metrics: scores,
      intervals,
      singleReference: await singleReferenceMeans(judged, options),
      throughput,
      settings,
      machine: {
        cpu: cpus()[0]?.model ?? 'unknown',
        cores: availableParallelism(),
        device: options.captioner.device ?? 'cpu',
        node: process.version,
      },
    };
    await writeFileAtomic(join(folder, 'results.json'), `${JSON.stringify(evaluation, null, 2)}\n`);
    return evaluation;
  });
}

/** What a run's folder holds, and nothing else. */
const runFiles = new Set(['results.json', 'captions.jsonl']);

async function checkOutput({ output, overwrite }: EvaluateOptions): Promise<void> {
  const found = await stat(output).catch(() => undefined);
  if (found && !found.isDirectory())
    throw new InputError(`${output}: this is a file; name a folder for the evaluation.`);
  // Made beside its place, and moved there.
  await checkWritableFolder(dirname(resolve(output)));
  if (!found) return;
  const entries = (await readdir(output)).filter((name) => !isDesktopFile(name));
  if (entries.length === 0) return;
  if (!overwrite)
    throw new InputError(
      `${output}: the folder is there and not empty; choose another, or --overwrite.`,
    );
  // The folder is replaced as a whole: what else lies in it would be lost.
  const other = entries.find((name) => !runFiles.has(name));
  if (!entries.includes('results.json') || other !== undefined)
    throw new InputError(
      `${output}: ${other === undefined ? 'the folder has no results.json' : `the folder holds ${other}`}, so it is not an evaluation that could be overwritten.`,
    );
}

async function imagesOf(options: EvaluateOptions): Promise<DatasetImage[]> {
  const { data, reading, split, limit, onNote } = options;
  const dataset = await readDataset(data, reading);
  for (const note of dataset.notes) onNote(note);
  const images = imagesOfSplit(dataset, split).filter(({ captions }) => captions.length > 0);
  if (images.length === 0)
    throw new InputError(`${data}: the ${split} split has no image with a caption.`);
  return images.slice(0, limit);
}

interface Captioned {
  readonly written: readonly Written[];
  readonly throughput: Evaluation['throughput'];
}

/** With the process's peak memory as it is now: what scoring takes does not count. */
function throughputOf(images: number, seconds: number): Evaluation['throughput'] {
  return {
    imagesPerSecond: images / seconds,
    seconds,
    peakMiB: process.resourceUsage().maxRSS / 1024,
  };
}

/** Captions of all images; the next batch is decoded while one is captioned. */
async function captionImages(
  options: EvaluateOptions,
  images: readonly DatasetImage[],
): Promise<Captioned> {
  const { batchSize, decoding, signal, onNote, onCaptioned } = options;
  using captioner = await Captioner.load(options.model, options.captioner);
  captioner.check(decoding);
  const started = performance.now();
  const prepare = (start: number): Promise<(PreparedImage | InputError)[]> =>
    Promise.all(
      images.slice(start, start + batchSize).map(({ path }) =>
        captioner.prepare(path, decoding).catch((error: unknown) => {
          if (error instanceof InputError) return error;
          throw error;
        }),
      ),
    );
  const written: Written[] = [];
  let next = prepare(0);
  for (let start = 0; start < images.length; start += batchSize) {
    const prepared = await next;
    next = start + batchSize < images.length ? prepare(start + batchSize) : Promise.resolve([]);
    next.catch(() => undefined);
    signal?.throwIfAborted();
    const batch: { image: DatasetImage; pixels: PreparedImage; number: number }[] = [];
    for (const [i, pixels] of prepared.entries()) {
      if (pixels instanceof InputError) onNote(`left out: ${pixels.message}`);
      else batch.push({ image: images[start + i], pixels, number: start + i });
    }
    const imageNumbers = batch.map(({ number }) => number);
    const results =
      batch.length === 0
        ? []
        : await captioner.captionPrepared(
            batch.map(({ pixels }) => pixels),
            { ...decoding, imageNumbers, ...(signal && { signal }) },
          );
    for (const [i, { captions }] of results.entries())
      written.push({
        image: batch[i].image,
        caption: captions[0].text,
        logprob: captions[0].logprob,
      });
    onCaptioned(Math.min(start + batchSize, images.length), images.length);
  }
  if (written.length === 0)
    throw new InputError(`${options.data}: none of the split's pictures can be read.`);
  const throughput = throughputOf(written.length, (performance.now() - started) / 1000);
  return { written, throughput };
}

/** Writes captions.jsonl, each caption with its own scores. */
async function writeCaptions(
  folder: string,
  written: readonly Written[],
  scores: readonly Readonly<Record<string, number>>[],
): Promise<void> {
  await writeFileAtomic(
    join(folder, 'captions.jsonl'),
    written.map(({ image, caption, logprob }, i) => {
      const row = {
        file: image.id,
        // Absolute: compare shows the picture from whatever folder it is run in.
        path: absoluteAddress(image.path),
        caption,
        logprob,
        references: image.captions,
        scores: scores[i],
      };
      return `${JSON.stringify(row)}\n`;
    }),
  );
}

function fingerprintOf(written: readonly Written[]): string {
  const hash = createHash('sha256');
  for (const { image } of written) hash.update(JSON.stringify([image.id, image.captions]));
  return hash.digest('hex');
}

function decodingOf({ decoding, captioner }: EvaluateOptions): Record<string, unknown> {
  const { decode: _decode, signal: _signal, imageNumbers: _numbers, ...given } = decoding;
  const { quantize, keepRefiner, imageSize, members } = captioner;
  return {
    ...given,
    ...(members !== undefined && { members }),
    ...(quantize && { quantize }),
    ...(keepRefiner && { keepRefiner }),
    ...(imageSize && { imageSize }),
  };
}
