/** Reads captioned datasets: Flickr8k and its kin, Karpathy's JSON, tables, JSONL, and text files beside images. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../base/errors.ts';
import { readImageList } from './captions.ts';
import { readCaptionFile } from './captions-readers.ts';
import type { Place } from './captions-records.ts';
import {
  type CaptionDataset,
  type DatasetImage,
  dealSplits,
  parseSplit,
  type SplitName,
  type SplitShares,
  splitNames,
} from './dataset.ts';
import { type DatasetSource, findDataset } from './dataset-sources.ts';
import { type ImageFolder, listImages } from './image-folder.ts';

export interface DatasetOptions {
  /** The folder of the images, where it is not beside the captions. */
  readonly images?: string;
  /** How images are dealt out where the dataset has no splits. */
  readonly shares?: SplitShares;
}

/** An image as the captions tell it, before its file is looked for. */
interface NamedImage {
  readonly captions: string[];
  /** Undefined: in no split. */
  split: SplitName | undefined;
  /** Other names that may be the file's, such as COCO's. */
  readonly otherNames: string[];
}

type NamedImages = Map<string, NamedImage>;

/**
 * Reads the dataset at `path`: a folder such as Flickr8k's (token file, split lists, images), one
 * with a caption file (Karpathy's dataset_*.json, captions.txt, metadata.jsonl, .csv, ...), one whose
 * images have text files of the same name beside them (a caption a line), or a caption file itself.
 * Splits come from split lists, else from the file's own marks, else from train, dev and test folders
 * (text files only), else they are dealt out by a seeded hash. Images without a file are counted and
 * left out: incomplete downloads are normal.
 * @throws InputError naming file and line of a fault, or when no image is left.
 */
export async function readDataset(
  path: string,
  options: DatasetOptions = {},
): Promise<CaptionDataset> {
  const source = await findDataset(path, options.images);
  const folder = await listImages(source.images);
  const notes: string[] = [];
  let images = source.captions
    ? await readCaptions(source.captions, notes)
    : await readSidecars(folder, path);
  dropEmptyCaptions(images, notes);
  if (source.captions && source.lists.length > 0) images = await applyLists(images, source, notes);
  assignSplits(images, path, options.shares ?? {}, notes);
  const { found, missing } = findFiles(images, folder);
  describeMissing(missing, images.size, folder, notes);
  if (images.size === 0) throw new InputError(`${path}: no image has a caption; check the file.`);
  if (found.length === 0)
    throw new InputError(
      `${path}: none of ${plural(images.size, 'captioned image')} is in ${folder.folder}; name their folder.`,
    );
  return { name: path, images: found, missing, notes };
}

async function readCaptions(paths: readonly string[], notes: string[]): Promise<NamedImages> {
  const images: NamedImages = new Map();
  for (const path of paths) {
    let split: string | undefined;
    let conflict: { id: string; place: Place } | undefined;
    let unknown: { word: string; place: Place } | undefined;
    let anonymous: Place | undefined;
    const aliases = new Map<string, string[]>();
    const {
      name,
      describe,
      notes: own,
    } = await readCaptionFile(
      path,
      'references',
      {},
      {
        split: (word) => {
          split = word === undefined || word.trim() === '' ? undefined : word;
        },
        caption: (id, text, place) => {
          if (id === undefined) {
            anonymous ??= place;
            return;
          }
          const meant = split === undefined ? undefined : parseSplit(split);
          if (split !== undefined && meant === undefined) unknown ??= { word: split, place };
          const image = images.get(id);
          if (!image) images.set(id, { captions: [text.trim()], split: meant, otherNames: [] });
          else {
            if (image.split !== meant) conflict ??= { id, place };
            image.captions.push(text.trim());
          }
        },
        alias: (id, other) => {
          const list = aliases.get(id);
          if (list) list.push(other);
          else aliases.set(id, [other]);
        },
      },
    );
    notes.push(...own);
    if (anonymous !== undefined)
      throw new InputError(
        `${name}: ${describe(anonymous)} does not say which image it belongs to; a dataset's captions name their images.`,
      );
    if (unknown)
      throw new InputError(
        `${name}: ${describe(unknown.place)} is of the unknown split "${unknown.word}"; write train, dev or test.`,
      );
    if (conflict)
      throw new InputError(
        `${name}: ${describe(conflict.place)} puts image ${conflict.id} into a second split; an image belongs to one.`,
      );
    for (const [id, others] of aliases) images.get(id)?.otherNames.push(...others);
  }
  return images;
}

/** IMAGE.txt beside IMAGE.jpg: each line of it is a caption. */
async function readSidecars(folder: ImageFolder, path: string): Promise<NamedImages> {
  const images: NamedImages = new Map();
  for (const file of folder.files) {
    const textFile = join(folder.folder, file.replace(/\.[^./]+$/, '.txt'));
    let text: string;
    try {
      text = await readFile(textFile, 'utf8');
    } catch {
      continue;
    }
    if (text.includes('\ufffd'))
      throw new InputError(`${textFile}: not valid UTF-8; convert it, for example with iconv.`);
    const captions = text
      .replace(/^\ufeff/, '')
      .split(/\r?\n/)
      .map((line) => line.trim());
    const split = parseSplit(file.split('/', 1)[0]);
    images.set(file, { captions, split: file.includes('/') ? split : undefined, otherNames: [] });
  }
  if (images.size === 0)
    throw new InputError(
      `${path}: no captions found; put a caption file (captions.txt, metadata.jsonl, dataset_*.json) or a text file beside each image there.`,
    );
  return images;
}

function dropEmptyCaptions(images: NamedImages, notes: string[]): void {
  let empty = 0;
  const bare: string[] = [];
  for (const [id, image] of images) {
    const kept = image.captions.filter((caption) => caption !== '');
    empty += image.captions.length - kept.length;
    image.captions.splice(0, image.captions.length, ...kept);
    if (kept.length === 0) bare.push(id);
  }
  for (const id of bare) images.delete(id);
  if (bare.length > 0)
    notes.push(`${plural(bare.length, 'image')} without a caption left out, the first ${bare[0]}.`);
  else if (empty > 0) notes.push(`${plural(empty, 'empty caption')} left out.`);
}

/** Images in the order of the lists; those in no list are left out, as in the official splits. */
async function applyLists(
  images: NamedImages,
  source: DatasetSource,
  notes: string[],
): Promise<NamedImages> {
  const listed: NamedImages = new Map();
  let bare = 0;
  for (const split of splitNames) {
    for (const list of source.lists.filter((entry) => entry.split === split)) {
      for (const id of await readImageList(list.path)) {
        const image = images.get(id);
        if (!image) bare++;
        else if (listed.has(id))
          throw new InputError(
            `${list.path}: image ${id} is in another list too; remove it from one.`,
          );
        else listed.set(id, { ...image, split });
      }
    }
  }
  const unlisted = images.size - listed.size;
  if (unlisted > 0) notes.push(`${plural(unlisted, 'image')} in no split list left out.`);
  if (bare > 0)
    notes.push(`${plural(bare, 'image')} of the split lists without a caption left out.`);
  return listed;
}

function assignSplits(
  images: NamedImages,
  path: string,
  shares: SplitShares,
  notes: string[],
): void {
  const all = [...images.values()];
  const marked = all.filter((image) => image.split !== undefined).length;
  if (marked === all.length) return;
  if (marked > 0) {
    for (const [id, image] of [...images]) if (image.split === undefined) images.delete(id);
    notes.push(`${plural(all.length - marked, 'image')} marked with no split left out.`);
    return;
  }
  const splits = dealSplits([...images.keys()], shares);
  all.forEach((image, i) => {
    image.split = splits[i];
  });
  const counts = splitNames.map((s) => `${s} ${splits.filter((split) => split === s).length}`);
  notes.push(
    `${path} has no splits: dealt out by seed ${shares.seed ?? 0} (${counts.join(', ')}).`,
  );
}

function findFiles(
  images: NamedImages,
  folder: ImageFolder,
): { found: DatasetImage[]; missing: Record<SplitName, number> } {
  const found: DatasetImage[] = [];
  const missing = { train: 0, dev: 0, test: 0 };
  for (const [id, { captions, split = 'train', otherNames }] of images) {
    const path = [id, ...otherNames].map((name) => folder.find(name)).find((p) => p !== undefined);
    if (path === undefined) missing[split]++;
    else found.push({ id, path, split, captions });
  }
  return { found, missing };
}

function describeMissing(
  missing: Record<SplitName, number>,
  all: number,
  folder: ImageFolder,
  notes: string[],
): void {
  const total = splitNames.reduce((sum, split) => sum + missing[split], 0);
  if (total === 0) return;
  const parts = splitNames.filter((split) => missing[split] > 0).map((s) => `${s} ${missing[s]}`);
  notes.push(
    `${total} of ${plural(all, 'image')} ${total === 1 ? 'has' : 'have'} no file in ${folder.folder} (${parts.join(', ')}) and ${total === 1 ? 'is' : 'are'} left out.`,
  );
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
