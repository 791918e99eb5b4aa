/** One training run from data to saved models, with its folder: config, metrics, checkpoints, models. */
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { describeWriteError, readTextIfThere, writeFileAtomic } from '../../base/files.ts';
import { removeLeftovers } from '../../base/folders.ts';
import { createRandom } from '../../base/random.ts';
import { isFilmName } from '../../data/films/names.ts';
import { threadSettings } from '../../engine/runtime/thread-settings.ts';
import { ParameterStore } from '../../nn/parameter-store.ts';
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
import { alone, type Peers } from '../distributed/peers.ts';
import { prepareStream } from '../stream/prepare.ts';
import { trainingText, unitsOfEpoch } from './batches.ts';
import { type RunData, type RunImage, readRunData, unknownWordsNote } from './data.ts';
import {
  openStart,
  type PlannedData,
  type PreparedRun,
  planRun,
  type RunPlan,
  trainedValues,
} from './decide.ts';
import { asSaved, describeData, describeRun } from './description.ts';
import { samplingSettings, validationSettings } from './generation.ts';
import { checkRunOptions, type RunOptions, trainingSession, type WholeRun } from './options.ts';
import { openSampler } from './scst.ts';
import { captionEncoder, openSplit } from './splits.ts';
import { stepsOfSplit } from './steps.ts';
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
  await prepare(options, before, async (run) => {
    const { start, config } = run.plan;
    const description = describeRun(options, config, start, run.data);
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
  const quiet = {
    ...{ onNote: () => undefined, onFeatures: () => undefined },
    // Shards of this rank are read by no other.
    onFault: options.onFault ?? options.onNote,
  };
  await prepare({ ...options, ...quiet }, before, (run) =>
    runTraining({ ...options, ...quiet }, run, false),
  );
}

const prepare: typeof prepareRun = (options, before, go) =>
  options.config.stream ? prepareStream(options, before, go) : prepareRun(options, before, go);

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
  const plan = planRun(options, start, plannedOf(data), before);
  const { config, graphs } = plan;
  const open = (images: readonly RunImage[], isTrain: boolean) =>
    openSplit(options, config, start, graphs, images, isTrain);
  options.short?.onWhole(wholeOf(plan, data));
  const shown = options.short?.show(data) ?? data;
  await using train = await open(shown.train, true);
  await using dev = await open(shown.dev, false);
  const { concepts, references, sources } = train;
  await go({
    plan,
    source: stepsOfSplit(train, config, start.model, options.peers ?? alone),
    dev,
    data: describeData(train.used, dev.used),
    rewarded: { references, sources },
    ...(concepts && { concepts }),
    alone: withoutPictures,
  });
}

function plannedOf({ train, dev }: RunData): PlannedData {
  return {
    hasClips: [...train, ...dev].some(({ path }) => isFilmName(path)),
    mostCaptions: train.reduce((most, { captions }) => Math.max(most, captions.length), 0),
  };
}

function wholeOf(plan: RunPlan, { train, dev }: RunData): WholeRun {
  const { config } = plan;
  const counts = train.map(({ captions }) => captions.length);
  const repeats = train.map(({ repeat = 1 }) => repeat);
  return {
    config,
    images: { train: train.length, dev: dev.length },
    captions: counts.reduce((sum, count) => sum + count, 0),
    units: unitsOfEpoch(counts, config.captionsPerImage, repeats),
    trainedValues: trainedValues(plan),
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

/** Trains, from the newest checkpoint where the run goes on. */
async function runTraining(
  options: RunOptions,
  { plan, source, dev, rewarded, concepts, alone: texts }: PreparedRun,
  isResumed: boolean,
): Promise<void> {
  const { output, signal, peers = alone } = options;
  const isFirst = peers.rank === 0;
  const { start, config, graphs, prompt, maxLength, suppressed } = plan;
  const { parameters } = graphs.scope;
  const session = { ...trainingSession(options), extra: threadSettings(valueCount(parameters)) };
  const learningRate = peakLearningRate(config, start.isFresh);
  const store = await firstWeights(plan, learningRate, concepts);
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
    ? await Validator.open({ ...shared, settings: scored, trainable, dev })
    : undefined;
  const drawn = samplingSettings(suppressed, maxLength);
  using sampler =
    config.stage === 'scst'
      ? await openSampler({ ...shared, settings: drawn }, rewarded)
      : undefined;
  const save = (name: string) =>
    saveTrained(join(output, name), { start, config, graphs, store, trainable, maxLength });
  await train({
    ...{ config, model, graphs, store, updater, peers, session, learningRate },
    ...(validator && { validator }),
    source,
    ...textFeedOf(plan, concepts, texts),
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
  return {
    textFeed: textFeed({
      texts,
      noise: conceptNoise(conceptConfig, concepts.rows),
      batchSize: config.texts.batchSize,
      captions: config.texts.captions,
      padId: text.pad_token_id,
      encode: captionEncoder(config, start),
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
