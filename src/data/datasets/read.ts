/** Reads captioned datasets: Flickr8k and its kin, Karpathy's JSON, tables, JSONL, and text files beside images. */
import { join } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { readImageList } from '../captions/captions.ts';
import { type ImageFolder, listImages } from '../images/folder.ts';
import { type NamedImages, readCaptions, readSidecars } from './captions.ts';
import {
  type CaptionDataset,
  type DatasetImage,
  dealSplits,
  type SplitName,
  type SplitShares,
  splitNames,
} from './dataset.ts';
import { type DatasetFormat, type DatasetSource, findDataset } from './sources.ts';

export interface DatasetOptions {
  /** The folder of the images, where it is not beside the captions. */
  readonly images?: string;
  /** How images are dealt out where the dataset has no splits. */
  readonly shares?: SplitShares;
  /** How the captions are kept, where their content misleads or a folder holds several kinds. */
  readonly format?: DatasetFormat;
}

/** A dataset, and all that is not in order with it. */
export interface DatasetSurvey {
  readonly dataset: CaptionDataset;
  readonly source: DatasetSource;
  /** Who says which split an image is in: lists, the caption files, or the seed. */
  readonly splitsFrom: 'lists' | 'captions' | 'seed';
  /** Images that the captions name and that have no file. */
  readonly missing: readonly {
    readonly id: string;
    readonly split: SplitName;
    readonly captions: number;
  }[];
  /** Images that have captions but are in no split, where others are. */
  readonly withoutSplit: readonly string[];
  /** Images whose every caption is empty, listed images and image files that no caption names. */
  readonly withoutCaption: readonly string[];
  /** The image of each empty caption. */
  readonly emptyCaptions: readonly string[];
  /** Text files that stand beside no image, where captions are kept so. */
  readonly strayTexts: readonly string[];
}

/**
 * Reads the dataset at `path`: a folder such as Flickr8k's (token file, split lists, images), one
 * with a caption file (Karpathy's dataset_*.json, COCO's captions_*.json, captions.txt,
 * metadata.jsonl, .csv, ...), one whose images have text files of the same name beside them (a
 * caption a line), or a caption file itself. Splits come from split lists, else from the captions
 * (marks in the file, COCO's file names, train, dev and test folders of text files), else they are
 * dealt out by a seeded hash. Images without a file are counted and left out: incomplete downloads
 * are normal.
 * @throws InputError naming file and line of a fault, or when no image is left.
 */
export async function readDataset(
  path: string,
  options: DatasetOptions = {},
): Promise<CaptionDataset> {
  const { dataset } = await surveyDataset(path, options);
  return dataset;
}

/** Reads a dataset as `readDataset` does, and tells in full what was left out. */
export async function surveyDataset(
  path: string,
  options: DatasetOptions = {},
): Promise<DatasetSurvey> {
  const { format } = options;
  const source = await findDataset(path, options.images, format);
  const folder = await listImages(source.images);
  const notes: string[] = [];
  let images = source.captions
    ? await readCaptions(source.captions, notes, format === 'sidecar' ? undefined : format)
    : await readSidecars(folder, path);
  const unnamed = filesWithoutName(images, folder);
  const { empty, withoutCaption } = dropEmptyCaptions(images, notes);
  const all = [...images.keys()];
  const hasLists = source.captions !== undefined && source.lists.length > 0;
  if (hasLists) {
    const listed = await applyLists(images, source, notes);
    images = listed.images;
    for (const image of listed.withoutCaption) withoutCaption.push(image);
  }
  const areDealt = assignSplits(images, path, options.shares ?? {}, notes);
  const { found, missing } = findFiles(images, folder);
  const counts = { train: 0, dev: 0, test: 0 };
  for (const { split } of missing) counts[split]++;
  describeMissing(counts, images.size, folder, notes);
  if (images.size === 0) throw new InputError(`${path}: no image has a caption; check the file.`);
  if (found.length === 0)
    throw new InputError(
      `${path}: none of ${plural(images.size, 'captioned image')} is in ${folder.folder}; name their folder.`,
    );
  const kept = images;
  return {
    dataset: { name: path, images: found, missing: counts, notes },
    source,
    splitsFrom: hasLists ? 'lists' : areDealt ? 'seed' : 'captions',
    missing,
    withoutSplit: all.filter((id) => !kept.has(id)),
    withoutCaption: [...new Set([...withoutCaption, ...unnamed])],
    emptyCaptions: empty,
    strayTexts: source.captions ? [] : textsWithoutImage(folder),
  };
}

function filesWithoutName(images: NamedImages, folder: ImageFolder): string[] {
  const named = new Set(
    [...images].flatMap(([id, { otherNames }]) => {
      const path = findFile(id, otherNames, folder);
      return path === undefined ? [] : [path];
    }),
  );
  return folder.files.filter((file) => !named.has(join(folder.folder, file)));
}

function textsWithoutImage({ files, texts }: ImageFolder): string[] {
  const stem = (file: string): string => file.replace(/\.[^./]+$/, '');
  const stems = new Set(files.map(stem));
  return texts.filter((text) => !stems.has(stem(text)));
}

function findFile(
  id: string,
  otherNames: readonly string[],
  folder: ImageFolder,
): string | undefined {
  for (const name of [id, ...otherNames]) {
    const path = folder.find(name);
    if (path !== undefined) return path;
  }
  return undefined;
}

function dropEmptyCaptions(
  images: NamedImages,
  notes: string[],
): { empty: string[]; withoutCaption: string[] } {
  const empty: string[] = [];
  const withoutCaption: string[] = [];
  for (const [id, image] of images) {
    const kept = image.captions.filter((caption) => caption !== '');
    for (let i = kept.length; i < image.captions.length; i++) empty.push(id);
    image.captions.splice(0, image.captions.length, ...kept);
    if (kept.length === 0) withoutCaption.push(id);
  }
  for (const id of withoutCaption) images.delete(id);
  if (withoutCaption.length > 0)
    notes.push(
      `${plural(withoutCaption.length, 'image')} without a caption left out, the first ${withoutCaption[0]}.`,
    );
  else if (empty.length > 0) notes.push(`${plural(empty.length, 'empty caption')} left out.`);
  return { empty, withoutCaption };
}

/** Images in the order of the lists; those in no list are left out, as in the official splits. */
async function applyLists(
  images: NamedImages,
  source: DatasetSource,
  notes: string[],
): Promise<{ images: NamedImages; withoutCaption: string[] }> {
  const listed: NamedImages = new Map();
  const withoutCaption: string[] = [];
  for (const split of splitNames) {
    for (const list of source.lists.filter((entry) => entry.split === split)) {
      for (const id of await readImageList(list.path)) {
        const image = images.get(id);
        if (!image) withoutCaption.push(id);
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
  if (withoutCaption.length > 0)
    notes.push(
      `${plural(withoutCaption.length, 'image')} of the split lists without a caption left out.`,
    );
  return { images: listed, withoutCaption };
}

/** Gives each image a split, dealing them out where none has one; says whether they were dealt out. */
function assignSplits(
  images: NamedImages,
  path: string,
  shares: SplitShares,
  notes: string[],
): boolean {
  const all = [...images.values()];
  const marked = all.filter((image) => image.split !== undefined).length;
  if (marked === all.length) return false;
  if (marked > 0) {
    for (const [id, image] of [...images]) if (image.split === undefined) images.delete(id);
    notes.push(`${plural(all.length - marked, 'image')} marked with no split left out.`);
    return false;
  }
  const splits = dealSplits([...images.keys()], shares);
  all.forEach((image, i) => {
    image.split = splits[i];
  });
  const counts = splitNames.map((s) => `${s} ${splits.filter((split) => split === s).length}`);
  notes.push(
    `${path} has no splits: dealt out by seed ${shares.seed ?? 0} (${counts.join(', ')}).`,
  );
  return true;
}

function findFiles(
  images: NamedImages,
  folder: ImageFolder,
): { found: DatasetImage[]; missing: { id: string; split: SplitName; captions: number }[] } {
  const found: DatasetImage[] = [];
  const missing = [];
  for (const [id, { captions, split = 'train', otherNames }] of images) {
    const path = findFile(id, otherNames, folder);
    if (path === undefined) missing.push({ id, split, captions: captions.length });
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
