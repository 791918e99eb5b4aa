/** From captions to the token batches of an epoch: encoding, order, grouping by length. Pure. */

import { type Random, shuffle } from '../../base/random.ts';
import { cleanCaption } from '../../data/text/clean.ts';
import type { TextTokenizer } from '../../data/text/tokenizer.ts';
import { ignoredLabel } from '../objective/objective.ts';

/** A caption as ids, [DEC] first and [SEP] last. */
export interface EncodedCaption {
  readonly ids: readonly number[];
  /** Ids of the prompt after [DEC], which are given and not learned. */
  readonly prompt: number;
  /** Words of the caption; with its end they are what a loss a word divides by. */
  readonly words: number;
}

/** The images of a split with their captions encoded. */
export type EncodedCaptions = readonly (readonly EncodedCaption[])[];

/** The text that a caption is trained as: BLIP's cleaning, and no commas, which the metrics drop too. */
export function trainingText(caption: string, maxWords: number): string {
  const text = cleanCaption(caption, Number.POSITIVE_INFINITY).replaceAll(',', ' ');
  return text.split(/\s+/).filter(Boolean).slice(0, maxWords).join(' ');
}

export interface CaptionEncoding {
  /** The model's first id. */
  readonly bos: number;
  readonly maxWords: number;
  /** What every caption begins with. */
  readonly prompt?: string;
  /** Most ids of a caption, the first and the last included. */
  readonly maxIds?: number;
}

/** Encodes one caption. A caption longer than `maxIds` is cut and keeps its end. */
export function encodeCaption(
  caption: string,
  tokenizer: TextTokenizer,
  { bos, maxWords, prompt = '', maxIds = Number.POSITIVE_INFINITY }: CaptionEncoding,
): EncodedCaption {
  const text = trainingText(caption, maxWords);
  const words = text === '' ? 0 : text.split(' ').length;
  const before = tokenizer.encode(prompt, { specialTokens: false });
  const own = tokenizer.encode(text, { specialTokens: false });
  const most = Math.max(1, maxIds - 2 - before.length);
  const ids = [bos, ...before, ...own.slice(0, most), tokenizer.ids.sep];
  return { ids, prompt: before.length, words };
}

/** An image in a step, with those of its captions that the step shows. */
export interface Unit {
  /** Place of the image in the split. */
  readonly image: number;
  /** Places of the captions among the image's. */
  readonly captions: readonly number[];
}

/** What makes one step. */
export type Batch = readonly Unit[];

export interface BatchOptions {
  readonly batchSize: number;
  /** Captions of an image in a step; null: all. */
  readonly captionsPerImage: number | null;
}

/** How often an epoch shows each image; every image once where nothing is said. */
export type Repeats = readonly number[] | undefined;

/**
 * An epoch's batches: every caption once (or as often as its image is repeated), shuffled, then images of like caption lengths together, so
 * that little is padding; the batches in random order. Their number depends on the counts of captions
 * alone.
 */
export function epochBatches(
  images: EncodedCaptions,
  { batchSize, captionsPerImage }: BatchOptions,
  random: Random,
  repeats?: Repeats,
): Batch[] {
  const units = images.flatMap((captions, image) =>
    Array.from({ length: repeats?.[image] ?? 1 }, () =>
      partsOf(captions.length, captionsPerImage, random).map((part) => ({ image, captions: part })),
    ).flat(),
  );
  const order = shuffle(units, random);
  const pool = batchSize * 16;
  const batches: Batch[] = [];
  const longest = ({ image, captions }: Unit) =>
    captions.reduce((length, at) => Math.max(length, images[image][at].ids.length), 0);
  for (let start = 0; start < order.length; start += pool) {
    const sorted = order.slice(start, start + pool).sort((a, b) => longest(a) - longest(b));
    for (let at = 0; at < sorted.length; at += batchSize)
      batches.push(sorted.slice(at, at + batchSize));
  }
  return shuffle(batches, random);
}

/** Units of an epoch's batches: `epochBatches` makes batches of `batchSize` of them. */
export function unitsOfEpoch(
  captionCounts: readonly number[],
  captionsPerImage: number | null,
  repeats?: Repeats,
): number {
  return captionCounts.reduce((sum, count, image) => {
    const parts = captionsPerImage === null ? 1 : Math.ceil(count / captionsPerImage);
    return sum + parts * (repeats?.[image] ?? 1);
  }, 0);
}

/** 0 .. count - 1 in parts of at most `size`: in order if all go together, else shuffled. */
function partsOf(count: number, size: number | null, random: Random): number[][] {
  const all = Array.from({ length: count }, (_, i) => i);
  if (size === null || size >= count) return [all];
  const mixed = shuffle(all, random);
  return Array.from({ length: Math.ceil(count / size) }, (_, i) =>
    mixed.slice(i * size, (i + 1) * size),
  );
}

/** The text side of a step, or of a part of it. */
export interface TextBatch {
  /** [images, captions, length] */
  readonly shape: readonly [number, number, number];
  readonly ids: Int32Array;
  /** The word after each id; `ignoredLabel` past a caption's end, within a prompt, and for an image with fewer captions. */
  readonly labels: Int32Array;
  /** Labels that count. */
  readonly count: number;
  readonly words: number;
  readonly captions: number;
}

/** The captions that a batch shows, image by image. */
export function captionsOf(images: EncodedCaptions, batch: Batch): EncodedCaptions {
  return batch.map(({ image, captions }) => captions.map((at) => images[image][at]));
}

/** Lays out captions, padded to the longest and to the most of an image. */
export function textBatch(chosen: EncodedCaptions, padId: number): TextBatch {
  const captions = Math.max(...chosen.map((list) => list.length));
  const length = Math.max(...chosen.flatMap((list) => list.map(({ ids }) => ids.length))) - 1;
  const ids = new Int32Array(chosen.length * captions * length).fill(padId);
  const labels = new Int32Array(ids.length).fill(ignoredLabel);
  let count = 0;
  let words = 0;
  let captionCount = 0;
  for (const [i, list] of chosen.entries())
    for (const [j, caption] of list.entries()) {
      const start = (i * captions + j) * length;
      for (let t = 0; t + 1 < caption.ids.length; t++) {
        ids[start + t] = caption.ids[t];
        if (t < caption.prompt) continue;
        labels[start + t] = caption.ids[t + 1];
        count += 1;
      }
      words += caption.words;
      captionCount += 1;
    }
  return {
    shape: [chosen.length, captions, length],
    ids,
    labels,
    count,
    words,
    captions: captionCount,
  };
}
