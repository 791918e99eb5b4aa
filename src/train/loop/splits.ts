/** A run's splits opened: captions, references and images. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { usableImages } from '../../data/datasets/check-images.ts';
import type { DatasetImage } from '../../data/datasets/dataset.ts';
import { mayFlip } from '../../data/images/augment.ts';
import { createPreprocessor } from '../../data/images/preprocess.ts';
import type { TrainConfig } from '../config/config.ts';
import { type FeatureCache, type FeatureImage, openFeatures } from '../features/cache.ts';
import type { TrainingGraphs } from '../objective/graphs.ts';
import { encodeCaption } from './batches.ts';
import { cachedImages, decodedImages, type ImageFeed } from './images.ts';
import { type RunOptions, sessionOptions } from './options.ts';
import type { Start } from './start.ts';
import type { TrainingSplit } from './validation.ts';

/** A split ready to be trained on or measured. */
export type OpenSplit = TrainingSplit &
  AsyncDisposable & { readonly used: readonly DatasetImage[] };

/** A split's captions and images; pictures that cannot be read are left out. */
export async function openSplit(
  options: RunOptions,
  config: TrainConfig,
  start: Start,
  graphs: TrainingGraphs,
  images: readonly DatasetImage[],
  isTrain: boolean,
): Promise<OpenSplit> {
  const { tower } = start;
  const readable = () => usable(options, images);
  if (graphs.images === 'pixels') {
    const used = await readable();
    const preprocessor = createPreprocessor(tower.preprocessing);
    const feed = decodedImages(featureImages(used), preprocessor, config.augmentation);
    return { ...splitOf(config, start, used, feed), async [Symbol.asyncDispose]() {} };
  }
  const open = (list: readonly DatasetImage[]): Promise<FeatureCache> =>
    openFeatures(tower, featureImages(list), {
      ...sessionOptions(options),
      folder: options.cache ?? join(options.output, 'features'),
      views: isTrain ? config.views : 1,
      ...(config.augmentation && { augmentation: config.augmentation }),
      seed: config.seed,
      ...(options.signal && { signal: options.signal }),
      onProgress: options.onFeatures,
      onNote: options.onNote,
    });
  let used = images;
  const cache = await open(used).catch(async (error: unknown) => {
    if (!(error instanceof InputError)) throw error;
    used = await readable();
    // Every picture is fine, so the fault is elsewhere.
    if (used.length === images.length) throw error;
    return open(used);
  });
  const feed = cachedImages(cache, tower.config.hidden_size, graphs.tokensDtype);
  return {
    ...splitOf(config, start, used, feed),
    [Symbol.asyncDispose]: () => cache[Symbol.asyncDispose](),
  };
}

async function usable(
  { onNote, signal, data, output, cache }: RunOptions,
  images: readonly DatasetImage[],
): Promise<DatasetImage[]> {
  const folder = cache ?? join(output, 'features');
  await mkdir(folder, { recursive: true });
  const memory = join(folder, 'decoded.txt');
  const found = await usableImages(images, { memory, ...(signal && { signal }) });
  for (const note of found.notes) onNote(note);
  if (found.images.length > 0) return found.images;
  throw new InputError(`${data}: none of the ${images.length} pictures of a split can be read`);
}

function featureImages(images: readonly DatasetImage[]): FeatureImage[] {
  return images.map(({ path, captions }) => ({ path, mayFlip: mayFlip(captions) }));
}

function splitOf(
  { maxWords, prompt }: TrainConfig,
  { model, tokenizer }: Start,
  used: readonly DatasetImage[],
  images: ImageFeed,
) {
  const { bos_token_id: bos, max_position_embeddings: positions } = model.text_config;
  const encode = { bos, maxWords, prompt, maxIds: positions + 1 };
  return {
    used,
    images,
    captions: used.map(({ captions }) =>
      captions.map((caption) => encodeCaption(caption, tokenizer, encode)),
    ),
    references: used.map(({ captions }) => captions),
    files: used.map(({ id }) => id),
  };
}
