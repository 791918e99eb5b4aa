/** How true explanations are, measured on a split of a dataset: each measure by itself, over the same pictures. */

import { InputError } from '../../base/errors.ts';
import { createRandom } from '../../base/random.ts';
import type { Captioner } from '../../caption/captioner.ts';
import type { PreparedImage } from '../../caption/prepare.ts';
import { type EntityImage, readEntities } from '../../data/captions/entities.ts';
import { type DatasetImage, imagesOfSplit, type SplitName } from '../../data/datasets/dataset.ts';
import { type DatasetOptions, readDataset } from '../../data/datasets/read.ts';
import { type Tensor, tensor } from '../../engine/runtime/tensor.ts';
import { sumOfMaps, sumOver } from '../explanation.ts';
import { methods } from '../methods/methods.ts';
import type { MethodName } from '../methods/names.ts';
import { forcedIds } from '../model.ts';
import { captionLogprobs, meanToken } from '../token-maps.ts';
import { wordPieces } from '../words.ts';
import { type Areas, areasOf, baselineMaps } from './faithfulness.ts';
import { type JudgedWord, judgeWords } from './invented.ts';
import type { MeasureName } from './measures.ts';
import { PreparedPictures } from './pictures.ts';
import { type PhraseResult, pointAtPhrases } from './pointing.ts';
import { agreement, mapsOf, shuffledModel, stagesOf, type WordMaps } from './sanity.ts';
import { isContentWord, sceneOf } from './scenes.ts';
import type { Share } from './statistics.ts';

export interface ExplainEvaluationOptions {
  /** A dataset as `readDataset` takes it. */
  readonly data: string;
  readonly reading?: DatasetOptions;
  readonly split: SplitName;
  /** Boxes of phrases as JSON lines; without them there is no pointing. */
  readonly entities?: string;
  readonly measures: readonly MeasureName[];
  readonly methods: readonly MethodName[];
  /** The first so many pictures alone. */
  readonly limit?: number;
  /** Of each picture's captions, how many are forced for pointing. */
  readonly captions: number;
  /** How many words get the greedy oracle, which takes as long as many methods. */
  readonly oracle: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
  /** Told what the reader says of the dataset. */
  readonly onNote?: (note: string) => void;
  onDone(measure: MeasureName, done: number, total: number): void;
}

/** What was measured of each picture; report.ts makes means and intervals of it. */
export interface ExplainMeasurements {
  readonly pointing?: readonly (readonly PhraseResult[])[];
  /** A word a picture; areas by method, baseline and, where it was asked for, `oracle`. */
  readonly faithfulness?: readonly ReadonlyMap<string, Areas>[];
  /** Rank correlations by stage and method, a share a picture. */
  readonly sanity?: ReadonlyMap<string, ReadonlyMap<MethodName, readonly Share[]>>;
  readonly invented?: readonly (readonly JudgedWord[])[];
}

interface Context {
  readonly captioner: Captioner;
  readonly options: ExplainEvaluationOptions;
  readonly images: readonly DatasetImage[];
  readonly pictures: PreparedPictures;
}

/**
 * Measures explanations of the captioner on a split.
 * @throws InputError when the data cannot be read or do not fit; the signal's reason when aborted
 */
export async function evaluateExplanations(
  captioner: Captioner,
  options: ExplainEvaluationOptions,
): Promise<ExplainMeasurements> {
  const { data, reading, split, limit, entities, measures, onNote } = options;
  const dataset = await readDataset(data, reading);
  for (const note of dataset.notes) onNote?.(note);
  const images = imagesOfSplit(dataset, split).slice(0, limit);
  if (images.length === 0) throw new InputError(`${data}: the ${split} split has no pictures.`);
  const pictures = new PreparedPictures(captioner, options.signal);
  const context = { captioner, options, images, pictures };
  const wanted = new Set(measures);
  const results: { -readonly [Name in keyof ExplainMeasurements]: ExplainMeasurements[Name] } = {};
  if (wanted.has('pointing') && entities !== undefined)
    results.pointing = await measurePointing(context, await readEntities(entities), entities);
  if (wanted.has('faithfulness')) results.faithfulness = await measureFaithfulness(context);
  if (wanted.has('sanity')) results.sanity = await measureSanity(context);
  if (wanted.has('invented')) results.invented = await measureInvented(context);
  return results;
}

/** Goes through the pictures one by one. */
async function overImages<T>(
  { options, images, pictures }: Context,
  measure: MeasureName,
  work: (image: PreparedImage, item: DatasetImage, number: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  for (const [i, item] of images.entries()) {
    options.signal?.throwIfAborted();
    results.push(await work(await pictures.prepared(item.path), item, i));
    options.onDone(measure, i + 1, images.length);
  }
  return results;
}

async function measurePointing(
  context: Context,
  entities: ReadonlyMap<string, EntityImage>,
  path: string,
): Promise<PhraseResult[][]> {
  const { captioner, options } = context;
  const images = context.images.filter(({ id }) => entities.has(id));
  if (images.length === 0)
    throw new InputError(`${path}: none of its pictures is in the ${options.split} split.`);
  return overImages({ ...context, images }, 'pointing', async (image, { id }) => {
    const row = entities.get(id);
    if (!row || Object.keys(row.boxes).length === 0) return [];
    return pointAtPhrases(captioner, image, row, options.methods, options);
  });
}

async function measureFaithfulness(context: Context): Promise<Map<string, Areas>[]> {
  const { captioner, options, pictures } = context;
  let oracles = 0;
  const results = await overImages(context, 'faithfulness', async (image, { path }, number) => {
    const ids = await pictures.caption(path);
    const words = wordPieces(ids, captioner.tokenizer).filter(isContentWord);
    if (words.length === 0) return undefined;
    const random = createRandom(options.seed + number);
    const word = words[random.integer(words.length)];
    const scene = sceneOf(captioner, image, ids, {
      seed: options.seed,
      signal: options.signal,
    });
    const maps = new Map<string, Float32Array>();
    for (const name of options.methods)
      maps.set(name, sumOfMaps(word, (await methods[name].maps(scene)).values));
    const [{ side }] = await scene.model.grids();
    for (const [name, map] of baselineMaps(scene, side, options.seed + number)) maps.set(name, map);
    const oracle = oracles < options.oracle;
    if (oracle) oracles += 1;
    return areasOf(scene, word.positions, maps, { oracle });
  });
  return results.filter((areas) => areas !== undefined);
}

async function measureSanity(
  context: Context,
): Promise<Map<string, Map<MethodName, readonly Share[]>>> {
  const { captioner, options, pictures } = context;
  const { seed } = options;
  const own = new Map<string, WordMaps>();
  const stages = new Map<string, Map<MethodName, Share[]>>();
  const note = (stage: string, found: ReadonlyMap<MethodName, Share>): void => {
    const rows = stages.get(stage) ?? new Map<MethodName, Share[]>();
    stages.set(stage, rows);
    for (const [name, share] of found) {
      const shares = rows.get(name) ?? [];
      shares.push(share);
      rows.set(name, shares);
    }
  };
  for (const { name, shuffles } of stagesOf(captioner)) {
    using other = shuffledModel(captioner, shuffles, seed);
    await overImages(context, 'sanity', async (image, { path }) => {
      const ids = await pictures.caption(path);
      const of = { captioner, image, ids, names: options.methods, seed };
      const first = own.get(path) ?? (await mapsOf(of));
      own.set(path, first);
      note(name, agreement(options.methods, first, await mapsOf(of, other)));
    });
  }
  let before: readonly number[] | undefined;
  await overImages(context, 'sanity', async (image, { path }) => {
    const first = own.get(path);
    if (before && first) {
      const other = await mapsOf({ captioner, image, ids: before, names: options.methods, seed });
      note("another picture's caption", agreement(options.methods, first, other));
    }
    before = await pictures.caption(path);
  });
  return stages;
}

function measureInvented(context: Context): Promise<JudgedWord[][]> {
  const { captioner, options, pictures } = context;
  const { seed, signal } = options;
  return overImages(context, 'invented', async (image, { path, captions }) => {
    const ids = await pictures.caption(path);
    const words = wordPieces(ids, captioner.tokenizer);
    if (words.length === 0) return [];
    const scene = sceneOf(captioner, image, ids, { seed, signal });
    const forced = forcedIds([ids]);
    const tokens = await scene.tokens();
    const likely = (seen: readonly Tensor[]): Promise<Float32Array> =>
      captionLogprobs(scene.model, seen, forced);
    const logprobs = await likely(tokens);
    const without = await likely(tokens.map(meanToken));
    const priors = await likely(tokens.map(({ shape }) => tensor('f32', shape)));
    const told = words.map((word) => {
      const logprob = sumOver(word, logprobs);
      const dependence = logprob - sumOver(word, without);
      return { text: word.text, logprob, dependence, prior: sumOver(word, priors) };
    });
    return judgeWords(told, captions);
  });
}
