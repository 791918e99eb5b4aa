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
import type { Reliability } from '../confidence/config.ts';
import type { DatasetImage, SplitName } from '../data/datasets/dataset.ts';
import { absoluteAddress } from '../data/shards/address.ts';
import type { Interval } from '../metrics/bootstrap.ts';
import { modelFingerprint } from '../model/checkpoint/fingerprint.ts';
import { reliabilityOfCaptions } from './calibrate/nouns.ts';
import {
  type CaptioningOptions,
  captionDataset,
  type DatasetCaption,
  framesEach,
  imagesWithCaptions,
  type SplitOptions,
} from './captioned.ts';
import { scoreSplit, singleReferenceMeans } from './scoring.ts';

export interface EvaluateOptions extends SplitOptions, CaptioningOptions {
  /** Folder or file, bundled name, or hub id. */
  readonly model: string;
  /** The run's folder. */
  readonly output: string;
  /** Replace a run's folder that is there. */
  readonly overwrite: boolean;
  readonly captioner: CaptionerOptions;
  /** Resamples of the intervals. */
  readonly bootstrap: number;
  readonly seed: number;
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
  /** How true the model's confidence is on these images; none of a model that was not calibrated. */
  readonly confidence?: Reliability;
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

/**
 * Captions and scores a split; leaves `results.json` and `captions.jsonl` in the run's folder, which
 * appears whole or not at all.
 * @throws InputError naming what is missing or in the way; the signal's reason when aborted
 */
export async function evaluateModel(options: EvaluateOptions): Promise<Evaluation> {
  await checkOutput(options);
  const images = await imagesWithCaptions(options);
  const { written, frames, throughput } = await captionImages(options, images);
  const judged = written.map(({ image, caption }) => ({
    caption: caption.text,
    references: image.captions,
  }));
  return replaceFolder(options.output, async (folder) => {
    const { scores, intervals, images: own, settings } = await scoreSplit(judged, options);
    await writeCaptions(folder, written, own);
    const confidence = await reliabilityOfCaptions(written, options.seed);
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
      decoding: decodingOf(options, frames),
      metrics: scores,
      intervals,
      singleReference: await singleReferenceMeans(judged, options),
      ...(confidence && { confidence }),
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

interface Captioned {
  readonly written: readonly DatasetCaption[];
  /** Frames of each. */
  readonly frames: number;
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

async function captionImages(
  options: EvaluateOptions,
  images: readonly DatasetImage[],
): Promise<Captioned> {
  using captioner = await Captioner.load(options.model, options.captioner);
  captioner.check(options.decoding);
  const started = performance.now();
  const written = await captionDataset(captioner, images, options);
  if (written.length === 0)
    throw new InputError(`${options.data}: none of the split's pictures can be read.`);
  const throughput = throughputOf(written.length, (performance.now() - started) / 1000);
  return { written, frames: framesEach(images, options, captioner), throughput };
}

/** Writes captions.jsonl, each caption with its own scores. */
async function writeCaptions(
  folder: string,
  written: readonly DatasetCaption[],
  scores: readonly Readonly<Record<string, number>>[],
): Promise<void> {
  await writeFileAtomic(
    join(folder, 'captions.jsonl'),
    written.map(({ image, caption: { text, logprob, mainNoun, confidence } }, i) => {
      const row = {
        file: image.id,
        // Absolute: compare shows the picture from whatever folder it is run in.
        path: absoluteAddress(image.path),
        caption: text,
        logprob,
        ...(confidence !== undefined && { mainNoun, confidence }),
        references: image.captions,
        scores: scores[i],
      };
      return `${JSON.stringify(row)}\n`;
    }),
  );
}

function fingerprintOf(written: readonly DatasetCaption[]): string {
  const hash = createHash('sha256');
  for (const { image } of written) hash.update(JSON.stringify([image.id, image.captions]));
  return hash.digest('hex');
}

function decodingOf(
  { decoding, captioner }: EvaluateOptions,
  frames: number,
): Record<string, unknown> {
  const { decode: _decode, signal: _signal, imageNumbers: _numbers, ...given } = decoding;
  const { quantize, keepRefiner, imageSize, members } = captioner;
  return {
    ...given,
    ...(frames > 1 && { frames }),
    ...(members !== undefined && { members }),
    ...(quantize && { quantize }),
    ...(keepRefiner && { keepRefiner }),
    ...(imageSize && { imageSize }),
  };
}
