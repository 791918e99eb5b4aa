/** One training run from data to saved models, with its folder: config, metrics, checkpoints, models. */
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError, UsageError } from '../../base/errors.ts';
import { describeWriteError, readTextIfThere, writeFileAtomic } from '../../base/files.ts';
import { removeLeftovers } from '../../base/folders.ts';
import { createRandom } from '../../base/random.ts';
import { isFilmName } from '../../data/films/names.ts';
import { threadSettings } from '../../engine/runtime/thread-settings.ts';
import { longestLength } from '../../generation/generate.ts';
import { resolveModel } from '../../hub/resolve.ts';
import type { BlipConfig } from '../../model/config.ts';
import { type Group, ParameterStore } from '../../nn/parameter-store.ts';
import type { ParameterSpec } from '../../nn/scope.ts';
import { writeReport } from '../../pages/training/page.ts';
import { valueCount } from '../../weights/weight.ts';
import {
  beginning,
  listCheckpoints,
  loadCheckpoint,
  type Progress,
  progressSchema,
  saveCheckpoint,
  truncateMetrics,
} from '../checkpoint/checkpoint.ts';
import { checkSameRun, openRunFolder, readSavedRun, type SavedRun } from '../checkpoint/resume.ts';
import { saveTrained } from '../checkpoint/save.ts';
import type { FittedConcepts } from '../concepts/fit.ts';
import { spokenReader } from '../concepts/spoken.ts';
import { conceptNoise } from '../concepts/texts.ts';
import { peakLearningRate, type TrainConfig } from '../config/config.ts';
import { usualHeads, withLayerHeads } from '../config/layers.ts';
import { alone, type Peers } from '../distributed/peers.ts';
import { parameterGroups, type TrainingGraphs, trainingGraphs } from '../objective/graphs.ts';
import { fitMicroBatch } from '../objective/memory.ts';
import { encodeCaption, trainingText, unitsOfEpoch } from './batches.ts';
import { type RunData, type RunImage, readRunData, unknownWordsNote } from './data.ts';
import { asSaved, describeRun } from './description.ts';
import { neverWritten, samplingSettings, validationSettings } from './generation.ts';
import {
  checkRunOptions,
  type RunOptions,
  tokensDtype,
  trainingSession,
  type WholeRun,
} from './options.ts';
import { openSampler } from './scst.ts';
import { type OpenSplit, openSplit } from './splits.ts';
import { type Start, startFromModel, startFromTower, type TrainingTexts } from './start.ts';
import { readTexts, type TextFeed, textFeed } from './texts.ts';
import { openUpdater, type TrainingEvent, train } from './trainer.ts';
import { Validator } from './validation.ts';

export type { RunOptions } from './options.ts';

/**
 * Trains a captioner and leaves `config.json`, `metrics.jsonl`, `report.html`, `checkpoints/`, `best/`
 * and `last/` in the run's folder; the two models open with `caption --model`.
 * @throws InputError naming the file, image or setting at fault; the signal's reason when aborted,
 *   after a checkpoint
 */
export async function trainRun(options: RunOptions): Promise<void> {
  checkRunOptions(options);
  const { peers = alone, output } = options;
  if (peers.rank > 0) return followRun(options, peers);
  const { resume = false } = options;
  await using _lock = await openRunFolder(output, 'run', resume);
  await removeLeftovers(join(output, 'checkpoints'));
  const before = resume ? await readSavedRun(output) : undefined;
  await prepareRun(options, before, async (run) => {
    const { plan, train, dev } = run;
    const { start, config } = plan;
    const description = describeRun(options, config, start, { train: train.used, dev: dev.used });
    const changes = before
      ? checkSameRun(before, asSaved(description), output, options.allowChanges ?? false)
      : [];
    for (const change of changes) options.onNote(`changed: ${change}`);
    const text = `${JSON.stringify(description, null, 2)}\n`;
    await writeFileAtomic(join(output, 'config.json'), text);
    await peers.meet();
    await runTraining(options, run, before !== undefined);
  });
}

/** A further rank's part: it reads what the first one has made ready, computes its share of the steps, and writes nothing. */
async function followRun(options: RunOptions, peers: Peers): Promise<void> {
  const { output } = options;
  await peers.meet();
  const before = await readSavedRun(output);
  if (!before)
    throw new InputError(
      `${output}: rank ${peers.rank} does not see the run's folder; give an --output that all machines share`,
    );
  const quiet = { ...options, onNote: () => undefined, onFeatures: () => undefined };
  await prepareRun(quiet, before, (run) => runTraining(quiet, run, false));
}

/** A run before its first step. */
interface PreparedRun {
  readonly plan: RunPlan;
  readonly train: OpenSplit;
  readonly dev: OpenSplit;
  /** Captions without pictures. */
  readonly alone: readonly (readonly string[])[];
}

/** Reads the data, decides what is trained and how, and opens the splits, which are closed when `go` is through. */
async function prepareRun(
  options: RunOptions,
  before: SavedRun | undefined,
  go: (run: PreparedRun) => Promise<void>,
): Promise<void> {
  const { maxWords, moreData, weightReviewed } = options.config;
  const data = await readRunData({ ...options, moreData, weightReviewed });
  const texts = data.train.flatMap(({ captions }) =>
    captions.map((caption) => trainingText(caption, maxWords)),
  );
  const withoutPictures = await textsAlone(options.config);
  const start = await openStart(options, { pictures: texts, alone: withoutPictures.flat() });
  options.onNote(`${data.train.length} train and ${data.dev.length} dev images; ${start.note}.`);
  const unknown = start.isFresh ? undefined : unknownWordsNote(texts, start.tokenizer);
  if (unknown !== undefined) options.onNote(unknown);
  const plan = planRun(options, start, data, before);
  const { config, graphs } = plan;
  const open = (images: readonly RunImage[], isTrain: boolean) =>
    openSplit(options, config, start, graphs, images, isTrain);
  options.short?.onWhole(wholeOf(plan, data));
  const shown = options.short?.show(data) ?? data;
  await using train = await open(shown.train, true);
  await using dev = await open(shown.dev, false);
  await go({ plan, train, dev, alone: withoutPictures });
}

function wholeOf({ config, graphs, groups }: RunPlan, { train, dev }: RunData): WholeRun {
  const counts = train.map(({ captions }) => captions.length);
  const repeats = train.map(({ repeat = 1 }) => repeat);
  const trained = graphs.scope.parameters.filter((spec) => groups(spec) !== 'frozen');
  return {
    config,
    images: { train: train.length, dev: dev.length },
    captions: counts.reduce((sum, count) => sum + count, 0),
    units: unitsOfEpoch(counts, config.captionsPerImage, repeats),
    trainedValues: valueCount(trained),
  };
}

/** Captions without pictures, cleaned. @throws InputError naming the file and line that is none */
async function textsAlone({ texts, maxWords }: TrainConfig): Promise<string[][]> {
  const rows: string[][] = [];
  for (const file of texts?.files ?? [])
    for (const captions of await readTexts(file))
      rows.push(captions.map((caption) => trainingText(caption, maxWords)));
  return rows;
}

async function openStart({ start, config, hub }: RunOptions, texts: TrainingTexts): Promise<Start> {
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
  return startFromTower(start.tower, config, texts);
}

/** What is decided before images are read. */
interface RunPlan {
  readonly start: Start;
  readonly config: TrainConfig;
  readonly graphs: TrainingGraphs;
  readonly groups: (spec: ParameterSpec) => Group;
  /** The ids that every caption begins with, [DEC] first, and the most that one has. */
  readonly prompt: readonly number[];
  readonly maxLength: number;
  /** Ids that are never written. */
  readonly suppressed: readonly number[];
}

/**
 * Decides all that needs no image, so that what does not fit is found before any feature is computed.
 * @throws UsageError and InputError naming what does not fit the model, or the run that goes on
 */
function planRun(
  options: RunOptions,
  start: Start,
  data: RunData,
  before: SavedRun | undefined,
): RunPlan {
  const { model, tokenizer, generation, fingerprint } = start;
  const { text_config: text } = model;
  const fitted = withLayerHeads(options.config, text);
  for (const name of ['refinement', 'alignment'] as const)
    if (options.config[name]?.heads === null && fitted[name]?.heads !== usualHeads)
      options.onNote(
        `${name}.heads is ${fitted[name]?.heads}, as in the decoder, whose width of ${text.hidden_size} ${usualHeads} does not divide`,
      );
  const groups = parameterGroups(fitted, model.vision_config);
  const prompt = [text.bos_token_id, ...tokenizer.encode(fitted.prompt, { specialTokens: false })];
  const maxLength = Math.min(prompt.length + fitted.maxWords + 1, text.max_position_embeddings + 1);
  const suppressed = neverWritten(generation, text.sep_token_id);
  longestLength(samplingSettings(suppressed, maxLength), { prompt, config: text });
  if (fitted.texts && !model.concept_config)
    throw new UsageError(
      'texts: captions without pictures teach a model with concepts alone; set concepts too (or start from a model that has them)',
    );
  const frames = framesOf(fitted, data, model);
  const graphs = trainingGraphs(fitted, model, {
    tokensDtype: tokensDtype(options),
    suppressed,
    frames,
  });
  const config = withMicroBatch(options, fitted, graphs, data, before?.train.microBatch);
  if (before) {
    const ranks = options.peers?.size ?? 1;
    const now = {
      train: config,
      start: { ...options.start, fingerprint },
      ranks,
      data: before.data,
    };
    checkSameRun(before, now, options.output, options.allowChanges ?? false);
  }
  return { start, config, graphs, groups, prompt, maxLength, suppressed };
}

/**
 * Frames that are read as one image: several where there are clips.
 * @throws UsageError naming what goes with one frame alone
 */
function framesOf(
  { frames, alignment }: TrainConfig,
  { train, dev }: RunData,
  { concept_config: concepts }: BlipConfig,
): number {
  const hasClips = [...train, ...dev].some(({ path }) => isFilmName(path));
  if (frames === 1 || !hasClips) return 1;
  const fault = concepts ? 'concepts' : alignment?.grounding ? 'alignment.grounding' : undefined;
  if (fault !== undefined)
    throw new UsageError(
      `frames (${frames}): a model with ${fault} learns from one frame of a clip; set frames to 1, or leave ${fault} out`,
    );
  return frames;
}

/**
 * The settings with micro-batches that fit the memory limit, if there is one. A run that goes on keeps
 * those that a limit once gave it, as long as they fit the one of now.
 */
function withMicroBatch(
  options: RunOptions,
  config: TrainConfig,
  graphs: TrainingGraphs,
  data: RunData,
  before: unknown,
): TrainConfig {
  const { memoryLimit } = options;
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

/** Trains, from the newest checkpoint where the run goes on. */
async function runTraining(
  options: RunOptions,
  { plan, ...splits }: PreparedRun,
  isResumed: boolean,
): Promise<void> {
  const { output, signal, peers = alone } = options;
  const isFirst = peers.rank === 0;
  const { start, config, graphs, prompt, maxLength, suppressed } = plan;
  const { parameters } = graphs.scope;
  const session = { ...trainingSession(options), extra: threadSettings(valueCount(parameters)) };
  const learningRate = peakLearningRate(config, start.isFresh);
  const store = await firstWeights(plan, learningRate, splits.train.concepts);
  using updater = await openUpdater(config, store, session);
  const from = await peers.ofFirst(progressSchema.nullable(), async () =>
    isResumed ? await goOn(options, store, updater.slots) : null,
  );
  for (const values of [store.trainable, ...Object.values(updater.slots)])
    await peers.spread(values);
  const trainable = updater.slots.average ?? store.trainable;
  const { model, tokenizer, generation } = start;
  const shared = { config, model, graphs, store, tokenizer, prompt, session };
  const scored = validationSettings(generation, maxLength, config.validationBeams);
  using validator = isFirst
    ? await Validator.open({ ...shared, settings: scored, trainable, dev: splits.dev })
    : undefined;
  const drawn = samplingSettings(suppressed, maxLength);
  using sampler =
    config.stage === 'scst'
      ? await openSampler({ ...shared, settings: drawn }, splits.train.references)
      : undefined;
  const save = (name: string) =>
    saveTrained(join(output, name), { start, config, graphs, store, trainable, maxLength });
  await train({
    ...{ config, model, graphs, store, updater, peers, session, learningRate },
    ...(validator && { validator }),
    train: splits.train,
    ...textFeedOf(plan, splits.train.concepts, splits.alone),
    ...(sampler && { sampler }),
    ...(from && { from }),
    ...(signal && { signal }),
    onEvent: (event) => (isFirst ? tell(options, config, event) : undefined),
    onModel: async (isBest) => {
      await save('last');
      if (isBest) await save('best');
    },
    onCheckpoint: async (progress) => {
      if (isFirst)
        await saveCheckpoint(output, store, updater.slots, progress, config.keepCheckpoints);
    },
  });
  if (isFirst) await writeReport(output);
}

/** The parameters with their first values. */
async function firstWeights(
  { start, config, graphs, groups }: RunPlan,
  learningRate: number,
  concepts: FittedConcepts | undefined,
): Promise<ParameterStore> {
  const visionRate = (config.visionLearningRate ?? learningRate) / learningRate;
  const store = new ParameterStore(graphs.scope.parameters, groups, ({ name }) =>
    name.startsWith('vision_model.') ? visionRate : 1,
  );
  store.initialize(createRandom(config.seed));
  await start.fill(store, graphs.refiner);
  for (const [name, values] of concepts?.parameters ?? []) store.tensor(name).data.set(values);
  return store;
}

/** What steps are taught by captions without pictures. */
function textFeedOf(
  { start, config }: RunPlan,
  concepts: FittedConcepts | undefined,
  texts: readonly (readonly string[])[],
): { textFeed?: TextFeed } {
  const { model, tokenizer } = start;
  const { concept_config: conceptConfig, text_config: text } = model;
  if (!config.texts || !conceptConfig || !concepts) return {};
  const { maxWords, prompt } = config;
  const encode = {
    bos: text.bos_token_id,
    maxWords,
    prompt,
    maxIds: text.max_position_embeddings + 1,
  };
  return {
    textFeed: textFeed({
      texts,
      noise: conceptNoise(conceptConfig, concepts.rows),
      batchSize: config.texts.batchSize,
      captions: config.texts.captions,
      padId: text.pad_token_id,
      encode: (caption) => encodeCaption(caption, tokenizer, encode),
      spoken: spokenReader(tokenizer),
    }),
  };
}

const metricsFile = 'metrics.jsonl';

/** Takes up the newest checkpoint, if there is one, and cuts the metrics to it. */
async function goOn(
  { output, onNote }: RunOptions,
  store: ParameterStore,
  slots: Readonly<Record<string, Float32Array>>,
): Promise<Progress | null> {
  const [newest] = await listCheckpoints(output);
  const from = newest ? await loadCheckpoint(newest.path, store, slots) : null;
  const metrics = join(output, metricsFile);
  await truncateMetrics(metrics, (await readTextIfThere(metrics)) ?? '', from ?? beginning);
  onNote(from ? `going on after step ${from.step}` : 'there is no checkpoint yet: starting anew');
  return from;
}

/** Passes an event on and writes it down. */
async function tell(options: RunOptions, config: TrainConfig, event: TrainingEvent): Promise<void> {
  options.onEvent(event);
  if (event.kind !== 'step' || event.step % config.logEvery === 0) {
    const metrics = join(options.output, metricsFile);
    await appendFile(metrics, `${JSON.stringify(event)}\n`).catch((error: unknown) => {
      throw describeWriteError(metrics, error);
    });
  }
  if (event.kind === 'validation') await writeReport(options.output);
}
