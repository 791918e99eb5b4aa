/** From captions to the token batches of an epoch: encoding, order, grouping by length. Pure. */

import { type Random, shuffle } from '../base/random.ts';
import { cleanCaption } from '../data/clean.ts';
import type { CaptionTokenizer } from '../data/tokenizer.ts';
import { ignoredLabel } from './objective.ts';

/** A caption as ids, [DEC] first and [SEP] last, and the words it was made of. */
export interface EncodedCaption {
  readonly ids: readonly number[];
  readonly words: number;
}

/** The images of a split with their captions encoded. */
export type EncodedImages = readonly (readonly EncodedCaption[])[];

/** The text that a caption is trained as: BLIP's cleaning, and no commas, which the metrics drop too. */
export function trainingText(caption: string, maxWords: number): string {
  const text = cleanCaption(caption, Number.POSITIVE_INFINITY).replaceAll(',', ' ');
  return text.split(/\s+/).filter(Boolean).slice(0, maxWords).join(' ');
}

/** Encodes one caption for a model that starts with `bos` and ends with the tokenizer's [SEP]. */
export function encodeCaption(
  caption: string,
  tokenizer: CaptionTokenizer,
  bos: number,
  maxWords: number,
): EncodedCaption {
  const text = trainingText(caption, maxWords);
  const words = text === '' ? 0 : text.split(' ').length;
  const ids = [bos, ...tokenizer.encode(text, { specialTokens: false }), tokenizer.ids.sep];
  return { ids, words };
}

/** Places of images in the split that make one step. */
export type Batch = readonly number[];

/**
 * An epoch's batches: shuffled, then images of like caption lengths together, so that little is
 * padding; the batches in random order.
 */
export function epochBatches(images: EncodedImages, batchSize: number, random: Random): Batch[] {
  const order = shuffle([...images.keys()], random);
  const pool = batchSize * 16;
  const batches: Batch[] = [];
  const longest = (place: number) =>
    images[place].reduce((length, { ids }) => Math.max(length, ids.length), 0);
  for (let start = 0; start < order.length; start += pool) {
    const sorted = order.slice(start, start + pool).sort((a, b) => longest(a) - longest(b));
    for (let at = 0; at < sorted.length; at += batchSize)
      batches.push(sorted.slice(at, at + batchSize));
  }
  return shuffle(batches, random);
}

/** The text side of a step. */
export interface TextBatch {
  /** [images, captions, length] */
  readonly shape: readonly [number, number, number];
  readonly ids: Int32Array;
  /** The word after each id; `ignoredLabel` past a caption's end and for an image with fewer captions. */
  readonly labels: Int32Array;
  readonly words: number;
  readonly captions: number;
}

/** Lays out the captions of a batch, padded to the longest. */
export function textBatch(images: EncodedImages, batch: Batch, padId: number): TextBatch {
  const chosen = batch.map((place) => images[place]);
  const captions = Math.max(...chosen.map((list) => list.length));
  const length = Math.max(...chosen.flatMap((list) => list.map(({ ids }) => ids.length))) - 1;
  const ids = new Int32Array(batch.length * captions * length).fill(padId);
  const labels = new Int32Array(ids.length).fill(ignoredLabel);
  let words = 0;
  let count = 0;
  for (const [i, list] of chosen.entries())
    for (const [j, caption] of list.entries()) {
      const start = (i * captions + j) * length;
      for (let t = 0; t + 1 < caption.ids.length; t++) {
        ids[start + t] = caption.ids[t];
        labels[start + t] = caption.ids[t + 1];
      }
      words += caption.words;
      count += 1;
    }
  return { shape: [batch.length, captions, length], ids, labels, words, captions: count };
}
