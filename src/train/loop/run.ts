/** One training run from data to saved models, with its folder: config, metrics, checkpoints, models. */
import { createHash } from 'node:crypto';
import { appendFile, mkdir } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { InputError, UsageError } from '../../base/errors.ts';
import { describeWriteError, readTextIfThere, writeFileAtomic } from '../../base/files.ts';
import { removeLeftovers } from '../../base/folders.ts';
import { createRandom } from '../../base/random.ts';
import { version } from '../../base/version.ts';
import { leakageNote, usableImages } from '../../data/datasets/check-images.ts';
import { type DatasetImage, imagesOfSplit } from '../../data/datasets/dataset.ts';
import { readDataset } from '../../data/datasets/read.ts';
import { mayFlip } from '../../data/images/augment.ts';
import { createPreprocessor } from '../../data/images/preprocess.ts';
import type { SessionOptions } from '../../engine/runtime/session.ts';
import { threadSettings } from '../../engine/runtime/thread-settings.ts';
import { Inference } from '../../generation/inference.ts';
import { resolveGeneration } from '../../generation/options.ts';
import { type ResolveOptions, resolveModel } from '../../hub/resolve.ts';
import { ParameterStore } from '../../nn/parameter-store.ts';
import { writeReport } from '../../pages/training/page.ts';
import { valueCount } from '../../weights/weight.ts';
import {
  listCheckpoints,
  loadCheckpoint,
  saveCheckpoint,
  truncateMetrics,
} from '../checkpoint/checkpoint.ts';
import { checkSameRun, openRunFolder, readSavedRun, type SavedRun } from '../checkpoint/resume.ts';
import { saveTrained } from '../checkpoint/save.ts';
import { peakLearningRate, type TrainConfig } from '../config/config.ts';
import { type FeatureCache, type FeatureImage, openFeatures } from '../features/cache.ts';
import { parameterGroups, type TrainingGraphs, trainingGraphs } from '../objective/graphs.ts';
import { fitMicroBatch } from '../objective/memory.ts';
import { encodeCaption, trainingText } from './batches.ts';
import { cachedImages, decodedImages, type ImageFeed } from './images.ts';
import { ciderReward } from './scoring.ts';
import type { Sampler } from './scst.ts';
import { type Start, startFromModel, startFromTower } from './start.ts';
import { openUpdater, type TrainingEvent, train } from './trainer.ts';
import { type TrainingSplit, Validator } from './validation.ts';

export interface RunOptions {
  /** A dataset as `readDataset` takes it. */
  readonly data: string;
  /** What to start from: a folder with a pretrained vision tower, or a captioner. */
  readonly start: { readonly tower: string } | { readonly model: string };
  /** The run's folder. */
  readonly output: string;
  readonly config: TrainConfig;
  /** Go on with the run in the folder, from its newest checkpoint. */
  readonly resume?: boolean;
  /** Go on although settings, start or data differ. */
  readonly allowChanges?: boolean;
  readonly threads?: number;
  readonly device?: string;
  /** Bytes that a step's values may take: micro-batches are chosen to fit. */
  readonly memoryLimit?: number;
  /** Where computed image features are kept; default: `features` in the run's folder. */
  readonly cache?: string;
  readonly hub?: ResolveOptions;
  readonly signal?: AbortSignal;
  /** A sentence for the person. */
  onNote(note: string): void;
  onFeatures(done: number, total: number): void;
  onEvent(event: TrainingEvent): void;
}

/**
 * Trains a captioner and leaves `config.json`, `metrics.jsonl`, `report.html`, `checkpoints/`, `best/`
 * and `last/` in the run's folder; the two models open with `caption --model`.
 * @throws InputError naming the file, image or setting at fault; the signal's reason when aborted,
 *   after a checkpoint
 */
export async function trainRun(options: RunOptions): Promise<void> {
  const { output, resume = false } = options;
  await using _lock = await openRunFolder(output, 'run', resume);
  await removeLeftovers(join(output, 'checkpoints'));
  const before = resume ? await readSavedRun(output) : undefined;
  const data = await readData(options);
  const start = await openStart(options, data.train);
  options.onNote(`${data.train.length} train and ${data.dev.length} dev images; ${start.note}.`);
  const { suppress_tokens: suppressed } = start.generation;
  const graphs = trainingGraphs(options.config, start.model, tokensDtype(options), suppressed);
  const config = withMicroBatch(options, graphs, data, before?.train.microBatch);
  const open = (images: readonly DatasetImage[], isTrain: boolean) =>
    openSplit(options, config, start, graphs, images, isTrain);
  await using train = await open(data.train, true);
  await using dev = await open(data.dev, false);
  const description = describe(options, config, start, { train: train.used, dev: dev.used });
  const changes = before
    ? checkSameRun(before, asSaved(description), output, options.allowChanges ?? false)
    : [];
  for (const change of changes) options.onNote(`changed: ${change}`);
  await writeFileAtomic(join(output, 'config.json'), `${JSON.stringify(description, null, 2)}\n`);
  await runTraining(options, config, start, graphs, train, dev, before !== undefined);
}

interface RunData {
  readonly train: readonly DatasetImage[];
  readonly dev: readonly DatasetImage[];
}

async function readData({ data, onNote, signal }: RunOptions): Promise<RunData> {
  const dataset = await readDataset(data);
  for (const note of dataset.notes) onNote(note);
  const leak = await leakageNote(dataset.images, signal);
  if (leak !== undefined) onNote(leak);
  const wanted = (split: 'train' | 'dev'): DatasetImage[] => {
    const images = imagesOfSplit(dataset, split).filter(({ captions }) => captions.length > 0);
    if (images.length === 0)
      throw new InputError(`${data}: the ${split} split has no image with a caption`);
    return images;
  };
  return { train: wanted('train'), dev: wanted('dev') };
}

/** Tells data apart: the images used and their captions. */
function fingerprintOf(data: RunData): string {
  const hash = createHash('sha256');
  for (const [split, images] of Object.entries(data))
    for (const { id, captions } of images) hash.update(JSON.stringify([split, id, captions]));
  return hash.digest('hex');
}

async function openStart(
  { start, config, hub }: RunOptions,
  images: readonly DatasetImage[],
): Promise<Start> {
  if ('model' in start)
    return startFromModel((await resolveModel(start.model, hub)).path, config, hub);
  if (config.stage === 'scst')
    throw new UsageError(
      'stage scst needs a trained captioner: give --model, not --tower (a fresh decoder draws no captions worth a reward)',
    );
  if (config.lora)
    throw new UsageError(
      'lora adapts a trained captioner: give --model, not --tower (a fresh decoder would stay as it is)',
    );
  const texts = images.flatMap(({ captions }) =>
    captions.map((caption) => trainingText(caption, config.maxWords)),
  );
  return startFromTower(start.tower, config, texts);
}

/** Everything that config.json holds. */
function describe(options: RunOptions, config: TrainConfig, start: Start, data: RunData) {
  const { threads, device } = options;
  const [cpu] = cpus();
  return {
    version: version(),
    seed: config.seed,
    train: config,
    start: { ...options.start, fingerprint: start.fingerprint },
    data: {
      source: options.data,
      fingerprint: fingerprintOf(data),
      train: data.train.length,
      dev: data.dev.length,
    },
    model: start.model,
    machine: {
      cpu: cpu?.model ?? 'unknown',
      cores: availableParallelism(),
      threads: threads ?? availableParallelism(),
      device: device ?? 'cpu',
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      node: process.version,
    },
  };
}

function asSaved({ train: settings, start, data }: ReturnType<typeof describe>): SavedRun {
  return { train: { ...settings }, start, data };
}

/**
 * The settings with micro-batches that fit the memory limit, if there is one. A run that goes on keeps
 * those that a limit once gave it, as long as they fit the one of now.
 */
function withMicroBatch(
  options: RunOptions,
  graphs: TrainingGraphs,
  data: RunData,
  before: unknown,
): TrainConfig {
  const { config, memoryLimit } = options;
  if (config.microBatch !== null) return config;
  const kept = typeof before === 'number' ? { ...config, microBatch: before } : config;
  if (memoryLimit === undefined) return kept;
  const most = data.train.reduce((most, { captions }) => Math.max(most, captions.length), 0);
  const captions = Math.min(config.captionsPerImage ?? most, most);
  const microBatch = fitMicroBatch(config, graphs, captions, memoryLimit);
  if (kept.microBatch !== null && kept.microBatch <= microBatch) return kept;
  options.onNote(
    `micro-batches of ${microBatch} of ${config.batchSize} images fit the memory limit`,
  );
  return { ...config, microBatch };
}

type OpenSplit = TrainingSplit & AsyncDisposable & { readonly used: readonly DatasetImage[] };

/** A split's captions and images; pictures that cannot be read are left out. */
async function openSplit(
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

async function runTraining(
  options: RunOptions,
  config: TrainConfig,
  start: Start,
  graphs: TrainingGraphs,
  trainSplit: TrainingSplit,
  dev: TrainingSplit,
  isResumed: boolean,
): Promise<void> {
  const { output, onNote, signal } = options;
  const { parameters } = graphs.scope;
  const session = { ...sessionOptions(options), extra: threadSettings(valueCount(parameters)) };
  const { model, tokenizer } = start;
  const groups = parameterGroups(config, model.vision_config);
  const learningRate = peakLearningRate(config, start.isFresh);
  const visionRate = (config.visionLearningRate ?? learningRate) / learningRate;
  const store = new ParameterStore(parameters, groups, ({ name }) =>
    name.startsWith('vision_model.') ? visionRate : 1,
  );
  store.initialize(createRandom(config.seed));
  await start.fill(store, graphs.refiner);
  using updater = await openUpdater(config, store, session);
  const [newest] = isResumed ? await listCheckpoints(output) : [];
  const from = newest && (await loadCheckpoint(newest.path, store, updater.slots));
  const metrics = join(output, 'metrics.jsonl');
  if (isResumed) {
    await truncateMetrics(metrics, (await readTextIfThere(metrics)) ?? '', from?.step ?? 0);
    onNote(from ? `going on after step ${from.step}` : 'there is no checkpoint yet: starting anew');
  }
  const prompt = [
    model.text_config.bos_token_id,
    ...tokenizer.encode(config.prompt, { specialTokens: false }),
  ];
  const maxLength = Math.min(
    prompt.length + config.maxWords + 1,
    model.text_config.max_position_embeddings + 1,
  );
  const settings = resolveGeneration({ max_length: maxLength, num_beams: 1 }, start.generation);
  const trainable = updater.slots.average ?? store.trainable;
  const shared = { config, model, graphs, store, tokenizer, prompt, settings, session };
  using validator = await Validator.open({ ...shared, trainable, dev });
  using sampler = config.stage === 'scst' ? await openSampler(shared, trainSplit) : undefined;
  const save = (name: string) =>
    saveTrained(join(output, name), { start, config, graphs, store, trainable, maxLength });
  const writeLine = async (event: TrainingEvent): Promise<void> =>
    appendFile(metrics, `${JSON.stringify(event)}\n`).catch((error: unknown) => {
      throw describeWriteError(metrics, error);
    });
  await train({
    config,
    model,
    graphs,
    store,
    updater,
    validator,
    session,
    train: trainSplit,
    learningRate,
    ...(sampler && { sampler }),
    ...(from && { from }),
    ...(signal && { signal }),
    onEvent: async (event) => {
      options.onEvent(event);
      if (event.kind !== 'step' || event.step % config.logEvery === 0) await writeLine(event);
      if (event.kind === 'validation') await writeReport(output);
    },
    onModel: async (isBest) => {
      await save('last');
      if (isBest) await save('best');
    },
    onCheckpoint: (progress) =>
      saveCheckpoint(output, store, updater.slots, progress, config.keepCheckpoints),
  });
  await writeReport(output);
}

type SamplerParts = Pick<Sampler, 'config' | 'tokenizer' | 'prompt' | 'settings'> & {
  readonly model: Start['model'];
  readonly graphs: TrainingGraphs;
  readonly store: ParameterStore;
  readonly session: SessionOptions;
};

/** Draws captions from the weights as they are at each step. */
async function openSampler(
  { model, graphs, store, session, ...rest }: SamplerParts,
  split: TrainingSplit,
): Promise<Sampler & Disposable> {
  const { config, tokenizer, prompt, settings } = rest;
  const inference = await Inference.live(model, (name) => store.tensor(name), session, {
    images: graphs.images,
    tokensDtype: graphs.tokensDtype,
    ...(graphs.adapters && { adapters: graphs.adapters }),
  });
  return {
    config,
    tokenizer,
    prompt,
    settings,
    inference,
    reward: ciderReward(split.references),
    [Symbol.dispose]: () => inference[Symbol.dispose](),
  };
}

/** Not every GPU has 16-bit floats; the CPU does, and reads half as much. */
function tokensDtype({ device = 'cpu' }: RunOptions): 'f16' | 'f32' {
  return device === 'cpu' ? 'f16' : 'f32';
}

function sessionOptions({ threads, device }: RunOptions): { threads?: number; device?: string } {
  return { ...(threads !== undefined && { threads }), ...(device !== undefined && { device }) };
}
