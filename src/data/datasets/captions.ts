/** Reads the captions of a dataset by image: from caption files, or from text files beside the images. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../base/errors.ts';
import type { CaptionFormat } from '../captions/formats.ts';
import { readCaptionFile } from '../captions/readers.ts';
import type { Place } from '../captions/records.ts';
import type { ImageFolder } from '../images/folder.ts';
import { parseSplit, type SplitName } from './dataset.ts';
import type { CaptionFile } from './sources.ts';

/** An image as the captions tell it, before its file is looked for. */
export interface NamedImage {
  readonly captions: string[];
  /** Undefined: in no split. */
  split: SplitName | undefined;
  /** Other names that may be the file's, such as COCO's. */
  readonly otherNames: string[];
}

export type NamedImages = Map<string, NamedImage>;

/**
 * Reads every caption of the files.
 * @param format What the files are, where their content misleads.
 * @throws InputError naming file and line of a fault
 */
export async function readCaptions(
  files: readonly CaptionFile[],
  notes: string[],
  format?: CaptionFormat,
): Promise<NamedImages> {
  const images: NamedImages = new Map();
  for (const { path, split: fileSplit } of files) {
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
      { format },
      {
        split: (word) => {
          split = word === undefined || word.trim() === '' ? undefined : word;
        },
        caption: (id, text, place) => {
          if (id === undefined) {
            anonymous ??= place;
            return;
          }
          const meant = split === undefined ? fileSplit : parseSplit(split);
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

/**
 * IMAGE.txt beside IMAGE.jpg: each line of it is a caption.
 * @throws InputError when there is no such file, or one is not UTF-8
 */
export async function readSidecars(folder: ImageFolder, path: string): Promise<NamedImages> {
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
      .map((line) => line.trim())
      .filter((line) => line !== '');
    const split = parseSplit(file.split('/', 1)[0]);
    images.set(file, { captions, split: file.includes('/') ? split : undefined, otherNames: [] });
  }
  if (images.size === 0)
    throw new InputError(
      `${path}: no captions found; put a caption file (captions.txt, metadata.jsonl, dataset_*.json) or a text file beside each image there.`,
    );
  return images;
}
