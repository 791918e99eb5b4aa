/** Recognises which dataset a folder or file holds, and where its captions, splits and images are. */
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InputError } from '../base/errors.ts';
import type { SplitName } from './dataset.ts';

/** Where a dataset's parts are. */
export interface DatasetSource {
  /** Caption files; undefined: each image has a text file beside it. */
  readonly captions: readonly string[] | undefined;
  /** Lists of image names that make the splits, such as Flickr_8k.devImages.txt. */
  readonly lists: readonly { readonly split: SplitName; readonly path: string }[];
  readonly images: string;
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
const captionFolders = ['.', 'Flickr8k_text', 'annotations'];

/** Caption files by name, the one that says most first. */
const captionFiles: readonly RegExp[] = [
  /^dataset.*\.json$/i, // Karpathy
  /^Flickr8k\.token\.txt$/i,
  /^results_20130124\.token$/i, // Flickr30k
  /^(?:captions|metadata|annotations)\.jsonl$/i,
  /^(?:captions|metadata|annotations|results)\.(?:csv|tsv)$/i,
  /^captions\.(?:json|txt)$/i,
];

const listName = /^Flickr[_-]?(?:8k|30k)\.(train|trn|dev|val|test)Images\.txt$/i;

/**
 * Finds the parts of the dataset at `path`: a folder, or a caption file with its images beside it or
 * in `images`.
 * @throws InputError when there is nothing of the kind.
 */
export async function findDataset(path: string, images?: string): Promise<DatasetSource> {
  const isFolder = await isDirectory(path);
  const root = isFolder ? path : dirname(path);
  const folders = captionFolders.map((name) => join(root, name)).filter((f) => existsSync(f));
  const names: { folder: string; name: string }[] = [];
  for (const folder of folders)
    for (const name of (await readdir(folder)).sort()) names.push({ folder, name });
  const lists = names.flatMap(({ folder, name }) => {
    const word = listName.exec(name)?.[1]?.toLowerCase();
    if (word === undefined) return [];
    const split: SplitName = /^tr/.test(word) ? 'train' : word === 'test' ? 'test' : 'dev';
    return [{ split, path: join(folder, name) }];
  });
  const imageFolder =
    images ?? imageFolders.map((name) => join(root, name)).find((f) => existsSync(f)) ?? root;
  if (!isFolder) return { captions: [path], lists, images: imageFolder };
  for (const pattern of captionFiles) {
    const found = names.find(({ name }) => pattern.test(name));
    if (found) return { captions: [join(found.folder, found.name)], lists, images: imageFolder };
  }
  return { captions: undefined, lists, images: imageFolder };
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    throw new InputError(`${path}: there is no such dataset; name a folder or a caption file.`);
  }
}
