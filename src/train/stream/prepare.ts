/** A run from shards before its first step: it reads the dev shards, a beginning of the first train shard, and no more. */
import { join } from 'node:path';
import { InputError, UsageError } from '../../base/errors.ts';
import { plural } from '../../base/plural.ts';
import { imagesOfSplit } from '../../data/datasets/dataset.ts';
import { readDataset } from '../../data/datasets/read.ts';
import { createPreprocessor } from '../../data/images/preprocess.ts';
import type { SavedRun } from '../checkpoint/resume.ts';
import type { TrainConfig } from '../config/config.ts';
import { alone } from '../distributed/peers.ts';
import { trainingText } from '../loop/batches.ts';
import { mostMeasured, type RunImage, unknownWordsNote } from '../loop/data.ts';
import {
  openStart,
  type PreparedRun,
  planRun,
  type RunPlan,
  trainedValues,
} from '../loop/decide.ts';
import { describeData } from '../loop/description.ts';
import { type RunOptions, tokensDtype, trainingSession } from '../loop/options.ts';
import { captionEncoder, openSplit } from '../loop/splits.ts';
import type { Start } from '../loop/start.ts';
import { beginningOf, type ShardsToRead, wholeStream, withFeatures } from './beginning.ts';
import { type EntryOptions, samplesToTrain } from './entries.ts';
import { cachedStream, decodedStream, type StreamImages } from './images.ts';
import { findStream, type StreamShards } from './shards.ts';
import { streamSteps } from './source.ts';
import { countedVocabulary } from './vocabulary.ts';

/** Finds the shards, decides what is trained and how, and opens what is measured, which is closed when `go` is through. */
export async function prepareStream(
  options: RunOptions,
  before: SavedRun | undefined,
  go: (run: PreparedRun) => Promise<void>,
): Promise<void> {
  const { data, onNote, peers = alone } = options;
  const { stream, maxWords } = options.config;
  if (!stream) throw new TypeError('a run that is no stream');
  const shards = await findStream(data, stream);
  if (shards.passedOver.length > 0)
    onNote(
      `${plural(shards.passedOver.length, 'shard')} left out that no name or manifest puts into a split, the first ${shards.passedOver[0]}.`,
    );
  const faults = new Faults(options.onFault ?? onNote);
  const entries: EntryOptions = {
    columns: options.reading?.columns,
    signal: options.signal,
    onFault: (address, sentence) => faults.tell(address, sentence),
  };
  const first = await firstImages(shards, entries);
  const measured = options.withoutDev ? first : await devImages(options, shards);
  const texts = first.flatMap(({ captions }) =>
    captions.map((caption) => trainingText(caption, maxWords)),
  );
  const { short } = options;
  const all: ShardsToRead = { shards: shards.train, entries };
  const part = short ? await beginningOf(all.shards, short.trainImages, entries) : all;
  const start = await openStart(await withVocabulary(options, shards, part), {
    pictures: texts,
    alone: [],
  });
  if (start.model.concept_config && options.config.visionBlocks !== 0)
    throw new UsageError(
      'stream: concepts are fitted anew to all pictures where the tower is trained; leave visionBlocks at 0, or start from a model without concepts',
    );
  tellStart(options, shards, measured.length, start);
  const unknown = unknownWordsNote(texts, start.tokenizer);
  if (unknown !== undefined) onNote(unknown);
  const mostCaptions = first.reduce((most, { captions }) => Math.max(most, captions.length), 0);
  const plan = planRun(options, start, { hasClips: false, mostCaptions }, before);
  const { config, graphs } = plan;
  short?.onWhole({
    ...{ config, trainedValues: trainedValues(plan) },
    images: { train: shards.epochImages, dev: measured.length },
    ...wholeStream(shards, first),
  });
  // Where pixels are fed a rehearsal fills the buffer as the run does.
  const read = graphs.images === 'pixels' ? all : part;
  const images = imagesOf(options, plan, read.entries);
  const source = streamSteps({
    ...{ config, peers, images, ...read, buffer: stream.buffer, epochImages: shards.epochImages },
    padId: start.model.text_config.pad_token_id,
    encode: captionEncoder(config, start),
  });
  const toMeasure = short?.show({ train: [], dev: measured }).dev ?? measured;
  await using dev = await openSplit(options, config, start, graphs, toMeasure, false);
  const goOn = () =>
    go({
      ...{ plan, source, dev },
      data: describe(shards, dev.used),
      ...{ rewarded: { references: [] }, alone: [] },
    });
  await (short ? withFeatures(images, read.shards, goOn) : goOn());
}

function tellStart(
  { onNote, withoutDev }: RunOptions,
  { train, epochImages }: StreamShards,
  measured: number,
  { note }: Start,
): void {
  onNote(
    `${plural(train.length, 'train shard')}, ${epochImages} images an epoch, and ${measured} ${withoutDev ? 'of them' : 'dev images'} to measure; ${note}.`,
  );
  if (withoutDev)
    onNote('no dev split: the scores are of training pictures, and tell little of others.');
}

/** The options with a vocabulary of all captions that are to be read, where one is asked for. */
async function withVocabulary(
  options: RunOptions,
  { fingerprint, train }: StreamShards,
  part: ShardsToRead,
): Promise<RunOptions> {
  const { config, start, onNote } = options;
  if (!config.stream?.countWords) return options;
  if ('model' in start)
    throw new UsageError(
      'stream.countWords makes the vocabulary of a fresh decoder, but a captioner keeps its own: give --tower, or leave it out',
    );
  const vocabulary = await countedVocabulary(
    featureFolder(options),
    fingerprint,
    config,
    part,
    () =>
      onNote(
        options.short
          ? `the vocabulary is of ${part.shards.length} of ${plural(train.length, 'train shard')}; the run itself reads the captions of all first, and has more words.`
          : `counting the words of ${plural(train.length, 'train shard')}, whose captions are read once.`,
      ),
  );
  return { ...options, config: { ...config, vocabulary } };
}

function featureFolder({ cache, output }: RunOptions): string {
  return cache ?? join(output, 'features');
}

function describe({ fingerprint, epochImages }: StreamShards, dev: readonly RunImage[]) {
  const of = describeData([], dev);
  return { ...of, fingerprint: `${fingerprint} ${of.fingerprint}`, train: epochImages };
}

/** Pictures of the first train shard, at most as many as are measured where there is no dev split. */
async function firstImages(
  { train: [shard] }: StreamShards,
  entries: EntryOptions,
): Promise<RunImage[]> {
  const images: RunImage[] = [];
  for await (const { key, address, captions } of samplesToTrain(shard, entries)) {
    images.push({ id: key, path: address, split: 'train', captions });
    if (images.length === mostMeasured) break;
  }
  if (images.length > 0) return images;
  throw new InputError(
    `${shard}: no picture with a caption is in the first train shard; name the caption's field with --caption-column.`,
  );
}

/** All of the dev shards. @throws InputError where there is none */
async function devImages(
  { data, reading, onNote }: RunOptions,
  { dev, train }: StreamShards,
): Promise<RunImage[]> {
  if (dev.length === 0)
    throw new InputError(
      `${data}: of ${plural(train.length, 'shard')} none is of the dev split; pack with splits (refcap data pack), name shards dev-000000.tar and so on, or train without a dev split (--no-dev).`,
    );
  const dataset = await readDataset(data, { ...reading, shards: dev });
  for (const note of dataset.notes) onNote(note);
  const images = imagesOfSplit(dataset, 'dev');
  if (images.length > 0) return images;
  throw new InputError(`${dev[0]}: the dev shards have no image of the dev split.`);
}

function imagesOf(
  options: RunOptions,
  { config, start, graphs }: RunPlan,
  entries: EntryOptions,
): StreamImages {
  const { tower } = start;
  if (graphs.images === 'pixels')
    return decodedStream(
      createPreprocessor(tower.preprocessing),
      config.augmentation,
      entries.onFault,
    );
  const folder = featureFolder(options);
  if (!options.short)
    options.onNote(
      `image features are computed shard by shard as the first epoch comes to them, and kept in ${folder}.`,
    );
  return cachedStream(tower, { ...cacheOptions(options, config), folder, entries });
}

function cacheOptions(options: RunOptions, { views, augmentation, seed }: TrainConfig) {
  return {
    ...trainingSession(options),
    ...{ views, seed, dtype: tokensDtype(options) },
    ...(augmentation && { augmentation }),
    ...(options.signal && { signal: options.signal }),
    onProgress: options.onFeatures,
    onNote: options.onNote,
  };
}

/** Sentences that are told; of the rest it is said that there are more. */
const mostTold = 20;

/** What is wrong with shards is told once, though each epoch comes to it. */
class Faults {
  readonly #told = new Set<string>();
  readonly #tell: (sentence: string) => void;

  constructor(tell: (sentence: string) => void) {
    this.#tell = tell;
  }

  tell(address: string, sentence: string): void {
    if (this.#told.size > mostTold || this.#told.has(address)) return;
    this.#told.add(address);
    this.#tell(
      this.#told.size > mostTold
        ? 'more in the shards is at fault, which is left out without a word; refcap data inspect lists it all.'
        : `left out: ${sentence}`,
    );
  }
}
