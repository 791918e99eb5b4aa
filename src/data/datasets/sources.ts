/** Recognises which dataset a folder or file holds, and where its captions, splits and images are. */
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { errorCode } from '../../base/files.ts';
import { type CaptionFormat, captionFormats } from '../captions/formats.ts';
import { describeOtherKind } from '../captions/kinds.ts';
import { parseSplit, type SplitName, splitNames } from './dataset.ts';

/** How a dataset's captions are kept: a format of caption files, a text file beside each image, or its metadata. */
export const datasetFormats = [
  ...captionFormats.filter(isDatasetFormat),
  'sidecar',
  'xmp',
] as const;
export type DatasetFormat = (typeof datasetFormats)[number];

export interface CaptionFile {
  readonly path: string;
  /** The split of all its images, as the file's name says; undefined: not said. */
  readonly split: SplitName | undefined;
  /** The folder below the images that its names are meant from; default: the images' own. */
  readonly folder?: string;
}

export interface SplitList {
  readonly split: SplitName;
  readonly path: string;
  /** Of MSVD's youtube_mapping.txt the videos from this number to that one. */
  readonly numbers?: readonly [first: number, last: number];
}

/** Where a dataset's parts are. */
export interface DatasetSource {
  /** Caption files; undefined: each image has a text file beside it, or metadata. */
  readonly captions: readonly CaptionFile[] | undefined;
  /** Captions of names that other files have too: text files beside the images go first. */
  readonly isUnsure?: boolean;
  /** Lists of image names that make the splits, such as Flickr_8k.devImages.txt. */
  readonly lists: readonly SplitList[];
  readonly images: string;
  /** Shards that hold pictures and captions; undefined: there are none. */
  readonly shards?: readonly string[];
}

/** Folders in which the usual downloads keep the images, most telling first. */
const imageFolders = [
  'images',
  'Images',
  'Flicker8k_Dataset',
  'Flickr8k_Dataset/Flicker8k_Dataset',
  'Flickr8k_Dataset',
  'flickr30k_images',
  'flickr30k-images',
];

/** Folders in which they keep the captions. */
const captionFolders = ['.', 'Flickr8k_text', 'annotations', 'annotation'];

/** Caption files by name, gzipped or not, the one that says most first, and the formats that they may be in. */
const captionFiles: readonly (readonly [name: RegExp, formats: readonly DatasetFormat[]])[] = [
  [/^dataset(?:_(?!infos?\.)\w+)?\.json(?:\.gz)?$/i, ['json']], // Karpathy
  [/^captions_(?:train|val|test)\d{4}\.json(?:\.gz)?$/i, ['json']], // COCO
  [/^nocaps_\w*captions\w*\.json(?:\.gz)?$/i, ['json']],
  [/^MSR-?VTT_data\.json$/i, ['json']],
  [/^(?:train_val_|test_)?videodatainfo(?:_\d{4})?\.json$/i, ['json']], // MSR-VTT
  [/^AllVideoDescriptions\.txt$/i, ['msvd']], // MSVD
  [/^Flickr8k\.token\.txt$/i, ['flickr']],
  [/^results_20130124\.token$/i, ['flickr']], // Flickr30k
  [/^(?:captions|metadata|annotations)\.jsonl(?:\.gz)?$/i, ['jsonl']],
  [/^(?:captions|metadata|annotations|results)\.csv(?:\.gz)?$/i, ['csv']],
  [/^(?:captions|metadata|annotations|results)\.tsv(?:\.gz)?$/i, ['tsv']],
  [/^captions\.json(?:\.gz)?$/i, ['json', 'jsonl']],
  [/^captions\.txt(?:\.gz)?$/i, ['csv', 'tsv', 'flickr', 'jsonl', 'json']],
];

/** A file for each split: BLIP's coco_karpathy_train.json, train.csv and their kin. */
const splitFile =
  /^(?:(.+)[._-])?(train|training|val|valid|validation|dev|test|testing)\.(json|jsonl|csv|tsv)(?:\.gz)?$/i;

const cocoName = /^captions_(train|val|test)(\d{4})\.json(?:\.gz)?$/i;

/** nocaps is there to be measured on: none of it is dealt out to train. */
const nocapsName = /^nocaps_(val|test)_\w*\.json(?:\.gz)?$/i;

/** MSR-VTT's files say the splits of their videos, and are read together. */
const msrVttName = /videodatainfo/i;

/** How MSVD's videos are split since Venugopalan et al. 2015, arXiv:1412.4729: by their numbers. */
const msvdNumbers: Readonly<Record<SplitName, readonly [number, number]>> = {
  train: [1, 1200],
  dev: [1201, 1300],
  test: [1301, 1970],
};
const msvdListName = /^(train|val|test)_list\.txt$/i;
const msvdMappingName = /^youtube_mapping\.txt$/i;

const listName = /^Flickr[_-]?(?:8k|30k)\.(train|trn|dev|val|test)Images\.txt$/i;

/**
 * Finds the parts of the dataset at `path`: a folder, or a caption file with its images beside it or
 * in `images`.
 * @param format Only captions that can be in this format.
 * @throws InputError when there is nothing of the kind.
 */
export async function findDataset(
  path: string,
  images?: string,
  format?: DatasetFormat,
): Promise<DatasetSource> {
  const isFolder = await isDirectory(path);
  const root = isFolder ? path : dirname(path);
  const names: { folder: string; name: string }[] = [];
  for (const folder of captionFolders.map((name) => join(root, name)))
    for (const name of (await namesIn(folder)).sort()) names.push({ folder, name });
  const lists = splitLists(names);
  const imageFolder =
    images ?? imageFolders.map((name) => join(root, name)).find((f) => existsSync(f)) ?? root;
  const isOfImages = format === 'sidecar' || format === 'xmp';
  if (!isFolder && isOfImages)
    throw new InputError(`${path}: the format ${format} is one of folders; name the folder.`);
  const ownSplit = parseSplit(nocapsName.exec(basename(path))?.[1] ?? '');
  if (!isFolder) return { captions: [{ path, split: ownSplit }], lists, images: imageFolder };
  if (isOfImages) return { captions: undefined, lists, images: imageFolder };
  for (const [pattern, formats] of captionFiles) {
    if (format !== undefined && !formats.includes(format)) continue;
    const found = names.filter(({ name }) => pattern.test(name));
    if (found.length > 0) return { captions: chooseFiles(found), lists, images: imageFolder };
  }
  const bySplit = filesBySplit(path, names, format) ?? (await filesInSplitFolders(root, format));
  if (bySplit) return { captions: bySplit, isUnsure: true, lists, images: imageFolder };
  if (format !== undefined)
    throw new InputError(
      `${path}: no caption file of the format ${format} is here; name the file itself.`,
    );
  return { captions: undefined, lists, images: imageFolder };
}

/** Flickr's lists, or MSVD's. */
function splitLists(names: readonly FileName[]): SplitList[] {
  const matching = (pattern: RegExp) =>
    names.flatMap(({ folder, name }): SplitList[] => {
      const word = pattern.exec(name)?.[1]?.toLowerCase();
      if (word === undefined) return [];
      const split: SplitName = /^tr/.test(word) ? 'train' : word === 'test' ? 'test' : 'dev';
      return [{ split, path: join(folder, name) }];
    });
  if (!names.some(({ name }) => /^AllVideoDescriptions\.txt$/i.test(name)))
    return matching(listName);
  const lists = matching(msvdListName);
  const mapping = names.find(({ name }) => msvdMappingName.test(name));
  if (lists.length > 0 || !mapping) return lists;
  const path = join(mapping.folder, mapping.name);
  return splitNames.map((split) => ({ split, path, numbers: msvdNumbers[split] }));
}

interface FileName {
  readonly folder: string;
  readonly name: string;
}

/** train.json, val.json and test.json, or the same after one beginning. */
function filesBySplit(
  path: string,
  names: readonly FileName[],
  format: DatasetFormat | undefined,
): CaptionFile[] | undefined {
  const groups = new Map<string, CaptionFile[]>();
  for (const { folder, name } of names) {
    const [, beginning = '', word = '', extension = ''] = splitFile.exec(name) ?? [];
    const split = parseSplit(word);
    if (split === undefined || (format !== undefined && format !== extension.toLowerCase()))
      continue;
    const key = `${beginning}*.${extension}`;
    const group = groups.get(key);
    const file = { path: join(folder, name), split };
    if (group) group.push(file);
    else groups.set(key, [file]);
  }
  const [first, ...others] = groups.values();
  if (others.length > 0)
    throw new InputError(
      `${path}: there are several kinds of caption files (${[...groups.keys()].join(', ')}); leave one kind in the folder, or name a file.`,
    );
  // Of one file alone a part must serve for dev and test.
  return first?.length === 1 ? [{ path: first[0].path, split: undefined }] : first;
}

/** A caption file in each of the folders train, validation and test, as Hugging Face's imagefolder has them. */
async function filesInSplitFolders(
  root: string,
  format: DatasetFormat | undefined,
): Promise<CaptionFile[] | undefined> {
  const files: CaptionFile[] = [];
  for (const folder of (await namesIn(root)).sort()) {
    const split = parseSplit(folder);
    if (split === undefined) continue;
    const names = (await namesIn(join(root, folder))).sort();
    const found = captionFiles
      .filter(([, formats]) => format === undefined || formats.includes(format))
      .flatMap(([pattern]) => names.find((name) => pattern.test(name)) ?? []);
    const other = describeOtherKind(names.filter((name) => /^metadata\./i.test(name)));
    if (found.length > 0) files.push({ path: join(root, folder, found[0]), split, folder });
    else if (other !== undefined) throw new InputError(`${join(root, folder)}: ${other}.`);
  }
  return files.length > 0 ? files : undefined;
}

/** A file that may hold the captions, by its ending. */
export async function captionsOfAnotherName(root: string): Promise<string | undefined> {
  const names = (await namesIn(root)).sort();
  return names.find((name) => /^[^.].*\.(?:jsonl|csv|tsv|json|token)(?:\.gz)?$/i.test(name));
}

/** A sentence on data of a kind that is not read, where there are no captions. */
export async function describeOtherData(root: string): Promise<string | undefined> {
  for (const folder of ['', 'data', ...(await namesIn(root)).filter((name) => parseSplit(name))]) {
    const names = (await namesIn(join(root, folder))).sort();
    const other = describeOtherKind(names.map((name) => join(folder, name)));
    if (other !== undefined) return other;
  }
  return undefined;
}

/** COCO's captions of one year, split by file; all of MSR-VTT's; of other files the first. */
function chooseFiles(found: readonly { folder: string; name: string }[]): CaptionFile[] {
  if (msrVttName.test(found[0].name))
    return found.map(({ folder, name }) => ({ path: join(folder, name), split: undefined }));
  const yearOf = (name: string): string => cocoName.exec(name)?.[2] ?? '';
  const newest = found
    .map(({ name }) => yearOf(name))
    .sort()
    .at(-1);
  const chosen = newest === '' ? found.slice(0, 1) : found.filter((f) => yearOf(f.name) === newest);
  return chosen.map(({ folder, name }) => ({
    path: join(folder, name),
    // Of one file alone a part must serve for dev and test.
    split:
      chosen.length > 1
        ? parseSplit(cocoName.exec(name)?.[1] ?? '')
        : parseSplit(nocapsName.exec(name)?.[1] ?? ''),
  }));
}

function isDatasetFormat(format: CaptionFormat): format is Exclude<CaptionFormat, 'text'> {
  return format !== 'text';
}

/** What a folder holds; nothing where there is none. @throws InputError when it cannot be read */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return [];
    throw new InputError(`${folder}: the folder cannot be read (${errorCode(error)}).`);
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    throw new InputError(`${path}: there is no such dataset; name a folder or a caption file.`);
  }
}
