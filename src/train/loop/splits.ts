/** A run's splits opened: captions, references and images. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { usableImages } from '../../data/datasets/check-images.ts';
import { mayFlip } from '../../data/images/augment.ts';
import { readImageSize } from '../../data/images/decode.ts';
import { createPreprocessor } from '../../data/images/preprocess.ts';
import type { PretrainedTower } from '../../model/checkpoint/tower.ts';
import type { ConceptConfig } from '../../model/concepts/config.ts';
import type { FittedConcepts, SpokenWords } from '../concepts/fit.ts';
import { spokenReader } from '../concepts/spoken.ts';
import { conceptFeed, scorerTargets, trainConcepts } from '../concepts/train-concepts.ts';
import type { TrainConfig } from '../config/config.ts';
import { type FeatureCache, type FeatureImage, openFeatures } from '../features/cache.ts';
import type { GroundedCaptions } from '../grounding/boxes.ts';
import { seenPart, wholePicture } from '../grounding/cells.ts';
import { openGrounding } from '../grounding/open.ts';
import { fitsConcepts, type TrainingGraphs } from '../objective/graphs.ts';
import { type EncodedCaption, encodeCaption, trainingText } from './batches.ts';
import type { RunImage } from './data.ts';
import {
  type ConceptFeed,
  cachedImages,
  decodedImages,
  type ImageFeed,
  type SeenParts,
} from './images.ts';
import { type RunOptions, trainingSession } from './options.ts';
import type { Start } from './start.ts';
import type { TrainingSplit } from './validation.ts';

/** Folds where a model's own concepts are fitted anew. */
const usualFolds = 4;

/** A split ready to be trained on or measured. */
export type OpenSplit = TrainingSplit &
  AsyncDisposable & {
    readonly used: readonly RunImage[];
    /** What was fitted to training images, where the model has concepts. */
    readonly concepts?: FittedConcepts;
  };

/** A split's captions and images; pictures that cannot be read are left out. */
export async function openSplit(
  options: RunOptions,
  config: TrainConfig,
  start: Start,
  graphs: TrainingGraphs,
  images: readonly RunImage[],
  isTrain: boolean,
): Promise<OpenSplit> {
  const { tower, model } = start;
  const readable = () => usable(options, images);
  const concepts = isTrain && fitsConcepts(config) ? model.concept_config : undefined;
  const finish = async (used: readonly RunImage[], feed: ImageFeed, fitted?: FittedConcepts) => {
    const split = splitOf(config, start, used, feed);
    return {
      ...split,
      ...(isTrain && (await groundingOf(options, config, start, split))),
      ...(fitted && { concepts: fitted }),
    };
  };
  if (graphs.images === 'pixels') {
    const used = await readable();
    const preprocessor = createPreprocessor(tower.preprocessing);
    const fitted = concepts && (await fitToPictures(options, config, start, concepts, used));
    const feed = decodedImages(featureImages(used), preprocessor, config.augmentation, {
      frames: graphs.frames,
      ...(concepts &&
        fitted && {
          concepts: feedOf(concepts, fitted, 1),
          ...(config.conceptWeight > 0 && {
            targets: scorerTargets(concepts, fitted, spokenOf(config, start, used)),
          }),
        }),
    });
    const split = await finish(used, feed, fitted);
    return { ...split, async [Symbol.asyncDispose]() {} };
  }
  const open = (list: readonly RunImage[]): Promise<FeatureCache> =>
    openFeaturesOf(options, config, tower, list, {
      frames: graphs.frames,
      views: isTrain ? config.views : 1,
    });
  let used = images;
  const cache = await open(used).catch(async (error: unknown) => {
    if (!(error instanceof InputError)) throw error;
    used = await readable();
    // Every picture is fine, so the fault is elsewhere.
    if (used.length === images.length) throw error;
    return open(used);
  });
  const fitted = concepts && (await fitOver(options, config, start, concepts, used, cache));
  const isGrounded = isTrain && config.alignment?.grounding != null;
  const feed = cachedImages(
    cache,
    tower.config.hidden_size,
    graphs.tokensDtype,
    fitted && feedOf(concepts, fitted, cache.views),
    isGrounded ? await seenPartsOf(cache, used) : undefined,
  );
  const split = await finish(used, feed, fitted);
  return { ...split, [Symbol.asyncDispose]: () => cache[Symbol.asyncDispose]() };
}

/** What grounding is taught with, where the run has it. */
async function groundingOf(
  { onNote }: RunOptions,
  { alignment }: TrainConfig,
  { tokenizer }: Start,
  { used, captions }: Pick<OpenSplit, 'used' | 'captions'>,
): Promise<{ grounded?: GroundedCaptions }> {
  if (!alignment?.grounding) return {};
  const { entities } = alignment.grounding;
  return { grounded: await openGrounding(entities, used, captions, tokenizer, onNote) };
}

/** What the stored views show, which follows from the pictures' sizes. */
async function seenPartsOf(cache: FeatureCache, images: readonly RunImage[]): Promise<SeenParts> {
  if (cache.views === 1) return () => wholePicture;
  const sizes: Awaited<ReturnType<typeof readImageSize>>[] = [];
  for (const { path } of images) sizes.push(await readImageSize(path));
  return (place, view) => {
    const framing = cache.framing(place, view, sizes[place]);
    return framing ? seenPart(framing, sizes[place]) : wholePicture;
  };
}

function openFeaturesOf(
  options: RunOptions,
  config: TrainConfig,
  tower: PretrainedTower,
  images: readonly RunImage[],
  { frames, views }: { readonly frames: number; readonly views: number },
): Promise<FeatureCache> {
  return openFeatures(tower, featureImages(images), {
    ...trainingSession(options),
    folder: options.cache ?? join(options.output, 'features'),
    frames,
    views,
    ...(config.augmentation && { augmentation: config.augmentation }),
    seed: config.seed,
    ...(options.signal && { signal: options.signal }),
    onProgress: options.onFeatures,
    onNote: options.onNote,
  });
}

/** Where the tower is trained, concepts are those that it sees before. */
async function fitToPictures(
  options: RunOptions,
  config: TrainConfig,
  start: Start,
  concepts: ConceptConfig,
  images: readonly RunImage[],
): Promise<FittedConcepts> {
  await using cache = await openFeaturesOf(options, config, start.tower, images, {
    frames: 1,
    views: 1,
  });
  // Not closed before all of it is read.
  return await fitOver(options, config, start, concepts, images, cache);
}

function fitOver(
  options: RunOptions,
  config: TrainConfig,
  start: Start,
  concepts: ConceptConfig,
  images: readonly RunImage[],
  cache: FeatureCache,
): Promise<FittedConcepts> {
  const { tower, fingerprint } = start;
  return trainConcepts(options.output, {
    config: concepts,
    cache,
    width: tower.config.hidden_size,
    classifier: tower.classifier,
    spoken: spokenOf(config, start, images),
    folds: config.concepts?.folds ?? usualFolds,
    seed: config.seed,
    fingerprint,
    session: trainingSession(options),
    ...(options.signal && { signal: options.signal }),
    onNote: options.onNote,
  });
}

function spokenOf(
  { maxWords }: TrainConfig,
  { tokenizer }: Start,
  images: readonly RunImage[],
): SpokenWords[] {
  const spoken = spokenReader(tokenizer);
  return images.map(({ captions }) =>
    spoken(captions.map((caption) => trainingText(caption, maxWords))),
  );
}

function feedOf(
  { class_tokens, word_tokens }: ConceptConfig,
  { rows }: FittedConcepts,
  views: number,
): ConceptFeed {
  return conceptFeed(rows, class_tokens + word_tokens, views);
}

async function usable(
  { onNote, signal, data, output, cache }: RunOptions,
  images: readonly RunImage[],
): Promise<RunImage[]> {
  const folder = cache ?? join(output, 'features');
  await mkdir(folder, { recursive: true });
  const memory = join(folder, 'decoded.txt');
  const found = await usableImages(images, { memory, ...(signal && { signal }) });
  for (const note of found.notes) onNote(note);
  if (found.images.length > 0) return found.images;
  throw new InputError(`${data}: none of the ${images.length} pictures of a split can be read`);
}

function featureImages(images: readonly RunImage[]): FeatureImage[] {
  return images.map(({ path, captions }) => ({ path, mayFlip: mayFlip(captions) }));
}

/** How captions become the ids that a run trains on. */
export function captionEncoder(
  { maxWords, prompt }: TrainConfig,
  { model, tokenizer }: Start,
): (caption: string) => EncodedCaption {
  const { bos_token_id: bos, max_position_embeddings: positions } = model.text_config;
  const encode = { bos, maxWords, prompt, maxIds: positions + 1 };
  return (caption) => encodeCaption(caption, tokenizer, encode);
}

function splitOf(config: TrainConfig, start: Start, used: readonly RunImage[], images: ImageFeed) {
  const encode = captionEncoder(config, start);
  return {
    used,
    images,
    captions: used.map(({ captions }) => captions.map(encode)),
    references: used.map(({ captions }) => captions),
    files: used.map(({ id }) => id),
    ...(used.some(({ repeat }) => repeat !== undefined) && {
      repeats: used.map(({ repeat = 1 }) => repeat),
    }),
    ...(used.some(({ source }) => source !== undefined) && {
      sources: used.map(({ source = '' }) => source),
    }),
  };
}
