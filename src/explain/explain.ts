/** Why a captioner writes each word: maps over the picture, and how much the word depends on it. */
import { InputError, UsageError } from '../base/errors.ts';
import type { Captioner } from '../caption/captioner.ts';
import type { CaptionOptions } from '../caption/options.ts';
import type { ImageSource, PreparedImage } from '../caption/prepare.ts';
import { placeOf } from './grid.ts';
import {
  defaultMethod,
  isMethodName,
  type MethodName,
  methodNames,
  methods,
} from './methods/methods.ts';
import { ExplainedModel, forcedIds } from './model.ts';
import { asBatch } from './pictures.ts';
import { meanToken, scoreCaptions } from './token-maps.ts';
import { captionIds, type WordPieces, wordPieces } from './words.ts';

export interface ExplainOptions {
  /** What is explained; by default what the captioner writes, with beams the best of them. */
  readonly caption?: string;
  /** Default 'gradient-attention'; docs/explain.md compares them. */
  readonly method?: MethodName;
  /** How the captioner writes, where no caption is given. */
  readonly generation?: Omit<CaptionOptions, 'signal' | 'words'>;
  /** Of methods that draw by chance. Default 0. */
  readonly seed?: number;
  /** Stops between runs of the model. */
  readonly signal?: AbortSignal;
}

export interface ExplainedWord {
  readonly text: string;
  /** Natural log of the word's probability after the words before it, summed over its pieces. */
  readonly logprob: number;
  /** How much less likely it is without the picture: `logprob` less that with all image tokens at their mean. */
  readonly dependence: number;
  /** [side, side], row by row: high where the picture speaks for the word. */
  readonly map: Float32Array;
  /** Where that is: 'upper left', 'centre', 'all over the picture', ... */
  readonly place: string;
}

export interface Explanation {
  readonly caption: string;
  readonly method: MethodName;
  /** Cells a side of the maps. */
  readonly side: number;
  readonly words: readonly ExplainedWord[];
  /** Pixels of the picture, turned upright. */
  readonly width: number;
  readonly height: number;
}

/**
 * Explains a caption word by word. A model of several members is explained by the mean of their probabilities. The
 * gradients are computed in the calling thread, also where the captioner has workers, and by the weights as they are
 * stored, also where it rounds them to 8 bits.
 * @throws InputError for a picture or a caption that cannot be used; the signal's reason when aborted
 */
export async function explain(
  captioner: Captioner,
  image: ImageSource,
  options: ExplainOptions = {},
): Promise<Explanation> {
  const [explanation] = await explainAll(captioner, [image], options);
  return explanation;
}

/** Explains several pictures, whose captions are written as one batch. @throws as `explain` */
export async function explainAll(
  captioner: Captioner,
  images: readonly ImageSource[],
  options: ExplainOptions = {},
): Promise<Explanation[]> {
  const { caption, method = defaultMethod, generation = {}, signal } = options;
  if (!isMethodName(method))
    throw new UsageError(`method (${method}): one of ${methodNames.join(', ')}.`);
  const model = explainedModel(captioner);
  const given = caption === undefined ? undefined : idsOf(caption, captioner);
  const stopped = signal && { signal };
  const prepared = await Promise.all(
    images.map((image) => captioner.prepare(image, { ...generation, ...stopped })),
  );
  const captions = given
    ? images.map(() => given)
    : (await captioner.captionPrepared(prepared, { ...generation, ...stopped })).map(
        ({ captions: [best] }) => best.ids,
      );
  const explanations: Explanation[] = [];
  for (const [i, image] of prepared.entries())
    explanations.push(await explainCaption(model, captioner, image, captions[i], options));
  return explanations;
}

function idsOf(caption: string, { tokenizer, config }: Captioner): number[] {
  return captionIds(caption, tokenizer, config.text_config);
}

/** The explained models of captioners, which own them. */
const explainedModels = new WeakMap<Captioner, ExplainedModel>();

/** The captioner's model with its gradients. It is opened once and disposed of with the captioner. */
export function explainedModel(captioner: Captioner): ExplainedModel {
  const known = explainedModels.get(captioner);
  if (known) return known;
  if (captioner.source.options.keepRefiner)
    throw new InputError(
      'the training-only layers are not explained; open the captioner without keepRefiner.',
    );
  const model = captioner.own(new ExplainedModel(captioner.source));
  explainedModels.set(captioner, model);
  return model;
}

async function explainCaption(
  model: ExplainedModel,
  { tokenizer, config }: Captioner,
  { pixels, width, height }: PreparedImage,
  given: readonly number[],
  { method = defaultMethod, seed = 0, signal }: ExplainOptions,
): Promise<Explanation> {
  signal?.throwIfAborted();
  const { sep_token_id: end } = config.text_config;
  const ids = given.at(-1) === end ? given.slice(0, -1) : given;
  const about = { caption: tokenizer.decode(ids), method, width, height };
  const words = wordPieces(ids, tokenizer);
  const size = config.vision_config.image_size;
  const [{ side: most }] = await model.grids();
  if (words.length === 0) return { ...about, side: most, words: [] };
  const tokens = await model.tokens(asBatch(pixels, size));
  const forced = forcedIds([ids]);
  const logprobs = await scoreCaptions(model, tokens, forced);
  const without = await scoreCaptions(model, tokens.map(meanToken), forced);
  const { side, values } = await methods[method].maps({
    ...{ model, pixels, size, tokens, ids, seed, signal },
  });
  const explained = words.map((word): ExplainedWord => {
    const logprob = sumOver(word, logprobs);
    const map = sumOfMaps(word, values);
    const dependence = logprob - sumOver(word, without);
    return { text: word.text, logprob, dependence, map, place: placeOf(map, side) };
  });
  return { ...about, side, words: explained };
}

function sumOver({ positions }: WordPieces, values: Float32Array): number {
  return positions.reduce((sum, position) => sum + values[position], 0);
}

/** A word's map: the sum of its pieces'. */
export function sumOfMaps(
  { positions }: Pick<WordPieces, 'positions'>,
  maps: readonly Float32Array[],
): Float32Array {
  return maps[0].map((_, cell) =>
    positions.reduce((sum, position) => sum + maps[position][cell], 0),
  );
}
