/** Fits a model's confidence to pictures with captions by people, and writes it into the model's config.json. */
import { stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { plural } from '../../base/plural.ts';
import { checkWritableFolder } from '../../base/writable.ts';
import { Captioner, type CaptionerOptions } from '../../caption/captioner.ts';
import type { ConfidenceConfig } from '../../confidence/config.ts';
import { type ConfidenceFitOptions, fitConfidence } from '../../confidence/fit.ts';
import type { DatasetImage } from '../../data/datasets/dataset.ts';
import { resolveModel } from '../../hub/resolve.ts';
import { checkConfigJson, saveConfidence } from '../../model/checkpoint/confidence.ts';
import {
  type CaptioningOptions,
  captionDataset,
  type DatasetCaption,
  imagesWithCaptions,
  type SplitOptions,
} from '../captioned.ts';
import { judgedNouns } from './nouns.ts';

export interface CalibrateOptions
  extends Omit<SplitOptions, 'data'>,
    Omit<CaptioningOptions, 'decoding'>,
    ConfidenceFitOptions {
  /** A folder or weight file, or the name of a bundled model. */
  readonly model: string;
  /** One or several datasets as `readDataset` takes them. */
  readonly data: readonly string[];
  readonly captioner: CaptionerOptions;
}

/** Captions that a map is fitted to at least: fewer say little of how often it is right. */
export const fewestToCalibrate = 100;

interface SourceImage extends DatasetImage {
  readonly source: string;
}

/**
 * Captions the pictures by the model's own defaults of generation, fits the confidence to all of them together, and
 * writes it into config.json as `confidence_config`, in the place of one that is there.
 * @throws InputError when the model's config.json cannot be written, a dataset is at fault, or there are too few
 *   pictures; the signal's reason when aborted, with nothing written
 */
export async function calibrateModel(options: CalibrateOptions): Promise<ConfidenceConfig> {
  const { model, captioner: opening, folds, seed } = options;
  const folder = await ownFolder(model, opening);
  const images = await imagesOfAll(options);
  if (images.length < fewestToCalibrate)
    throw tooFew(options, plural(images.length, 'picture is', 'pictures are'));
  using captioner = await Captioner.load(model, { ...opening, ignoreConfidence: true });
  const decoding = { evidence: true };
  const captioned = await captionDataset(captioner, images, { ...options, decoding });
  const judged = await judgedNouns(
    captioned,
    ({ image }: DatasetCaption<SourceImage>) => image.source,
  );
  const named = judged.filter(({ evidence }) => evidence.mainNoun !== undefined);
  if (named.length < fewestToCalibrate)
    throw tooFew(
      options,
      plural(
        named.length,
        'picture whose caption has a noun is',
        'pictures whose captions have a noun are',
      ),
    );
  const config = fitConfidence(judged, {
    ...(folds !== undefined && { folds }),
    ...(seed !== undefined && { seed }),
  });
  await saveConfidence(folder, config);
  return config;
}

function tooFew({ data }: CalibrateOptions, what: string): InputError {
  return new InputError(
    `${data.join(', ')}: ${what} too few to calibrate a confidence on; give ${fewestToCalibrate} or more.`,
  );
}

/** The folder whose config.json takes the confidence. */
async function ownFolder(model: string, { hub }: CaptionerOptions): Promise<string> {
  const { path, source } = await resolveModel(model, hub);
  if (source === 'hub')
    throw new InputError(
      `${model}: this model lies in the cache of downloads, which others use too; save a copy of your own first: refcap convert ${model} FOLDER.`,
    );
  const folder = (await stat(path)).isDirectory() ? path : dirname(path);
  await checkConfigJson(folder);
  await checkWritableFolder(folder);
  return folder;
}

async function imagesOfAll(options: CalibrateOptions): Promise<SourceImage[]> {
  const images: SourceImage[] = [];
  const names = sourceNames(options.data);
  for (const [i, data] of options.data.entries())
    for (const image of await imagesWithCaptions({ ...options, data }))
      images.push({ ...image, source: names[i] });
  return images;
}

/** Without the folders around them, which concern nobody else; numbered where two are called the same. */
function sourceNames(data: readonly string[]): string[] {
  const names = data.map((source) => basename(resolve(source)));
  return names.map((name, i) => {
    const before = names.slice(0, i).filter((other) => other === name).length;
    return before === 0 ? name : `${name} (${before + 1})`;
  });
}
