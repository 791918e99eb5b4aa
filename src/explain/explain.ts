/** Why a captioner writes each word: maps over the picture, and how much the word depends on it. */
import type { Captioner } from '../caption/captioner.ts';
import type { CaptionOptions } from '../caption/options.ts';
import type { ImageSource, PreparedImage } from '../caption/prepare.ts';
import { type Explanation, explanationOf } from './explanation.ts';
import { defaultMethod } from './methods/default.ts';
import { checkMethod, type MethodName } from './methods/names.ts';
import { checkExplainable, explainerOf } from './threads/explainer.ts';
import { captionIds, withoutEnd } from './words.ts';

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
  checkMethod(method);
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
  const ids = withoutEnd(given, config.text_config);
  const { image_size: size } = config.vision_config;
  const request = { pixels, size, ids, method, seed };
  const positions = await explainerOf(captioner)(request, signal);
  return explanationOf(positions, { ids, method, width, height }, tokenizer);
}
