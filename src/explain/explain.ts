/** Why a captioner writes each word: maps over the picture, and how much the word depends on it. */
import { UsageError } from '../base/errors.ts';
import type { Captioner } from '../caption/captioner.ts';
import type { CaptionOptions } from '../caption/options.ts';
import type { ImageSource, PreparedImage } from '../caption/prepare.ts';
import { placeOf } from './grid.ts';
import { defaultMethod, isMethodName, type MethodName, methodNames } from './methods/names.ts';
import { checkExplainable, explainerOf } from './threads/explainer.ts';
import { captionIds, type WordPieces, wordPieces } from './words.ts';

export interface ExplainOptions {
  /** What is explained; by default what the captioner writes, with beams the best of them. */
  readonly caption?: string;
  /** Default: that of the model's tower; docs/explain.md compares them. */
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
 * Explains a caption word by word. A model of several members is explained by the mean of their probabilities. Where
 * the captioner has workers, gradients are computed in as many threads of their own (on the CPU, where the workers have
 * another device), else in the calling thread; by the weights as they are stored, also where the captioner rounds them
 * to 8 bits.
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
  checkExplain(captioner, options);
  const { generation, signal } = options;
  const prepared = await Promise.all(
    images.map((image) => captioner.prepare(image, { ...generation, ...(signal && { signal }) })),
  );
  return explainPrepared(captioner, prepared, options);
}

/**
 * Checks options without running anything.
 * @throws UsageError for an unknown method; InputError for a caption or a captioner that cannot be explained
 */
export function checkExplain(
  captioner: Captioner,
  { caption, method, generation = {} }: ExplainOptions,
): void {
  if (method !== undefined && !isMethodName(method))
    throw new UsageError(`method (${method}): one of ${methodNames.join(', ')}.`);
  checkExplainable(captioner);
  if (caption === undefined) captioner.check(generation);
  else idsOf(caption, captioner);
}

/** Explains pictures that the captioner prepared, as `explainAll` does. @throws as `explain` */
export async function explainPrepared(
  captioner: Captioner,
  images: readonly PreparedImage[],
  options: ExplainOptions = {},
): Promise<Explanation[]> {
  checkExplain(captioner, options);
  const { caption, generation = {}, signal } = options;
  const given = caption === undefined ? undefined : idsOf(caption, captioner);
  const captions = given
    ? images.map(() => given)
    : (await captioner.captionPrepared(images, { ...generation, ...(signal && { signal }) })).map(
        ({ captions: [best] }) => best.ids,
      );
  const explanations: Explanation[] = [];
  for (const [i, image] of images.entries())
    explanations.push(await explainCaption(captioner, image, captions[i], options));
  return explanations;
}

function idsOf(caption: string, { tokenizer, config }: Captioner): number[] {
  return captionIds(caption, tokenizer, config.text_config);
}

async function explainCaption(
  captioner: Captioner,
  { pixels, width, height }: PreparedImage,
  given: readonly number[],
  options: ExplainOptions,
): Promise<Explanation> {
  const { tokenizer, config } = captioner;
  const { method = defaultMethod(config.vision_config), seed = 0, signal } = options;
  const { sep_token_id: end } = config.text_config;
  const ids = given.at(-1) === end ? given.slice(0, -1) : given;
  const { side, logprobs, without, maps } = await explainerOf(captioner)(
    { pixels, size: config.vision_config.image_size, ids, method, seed },
    signal,
  );
  const words = wordPieces(ids, tokenizer).map((word): ExplainedWord => {
    const logprob = sumOver(word, logprobs);
    const map = sumOfMaps(word, maps);
    const dependence = logprob - sumOver(word, without);
    return { text: word.text, logprob, dependence, map, place: placeOf(map, side) };
  });
  return { caption: tokenizer.decode(ids), method, side, words, width, height };
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
