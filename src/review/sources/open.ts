/** Finds out how the drafts of a file, a folder or an evaluation are kept. */
import { stat } from 'node:fs/promises';
import { dirname, extname, join, resolve } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { isThere } from '../../base/files.ts';
import { type ImageFolder, listImages } from '../../data/images/folder.ts';
import { readCsvDrafts, writeCsvDrafts } from './csv.ts';
import type { DraftCaption, DraftFormat, DraftSource } from './draft.ts';
import { readJsonArray, readJsonLines, writeJsonArray, writeJsonLines } from './json.ts';
import { readMetadataDrafts, writeMetadataDrafts } from './metadata.ts';
import { readTextDrafts, writeTextDrafts } from './texts.ts';

export interface DraftSourceOptions {
  /** How they are kept, where that is not told by the file's name or the folder. */
  readonly format?: DraftFormat;
  /** Where the pictures are, if not where their names say. */
  readonly images?: string;
  /** Pictures whose metadata are written keep their times. */
  readonly keepTimes?: boolean;
}

type FileFormat = 'jsonl' | 'json' | 'csv';

const fileFormats: Readonly<Record<string, FileFormat>> = {
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.json': 'json',
  '.csv': 'csv',
};

const files: Readonly<
  Record<
    FileFormat,
    {
      read(path: string): Promise<DraftCaption[]>;
      write(
        path: string,
        target: string,
        decided: Parameters<DraftSource['write']>[0],
      ): Promise<number>;
    }
  >
> = {
  jsonl: { read: readJsonLines, write: writeJsonLines },
  json: { read: readJsonArray, write: writeJsonArray },
  csv: { read: readCsvDrafts, write: writeCsvDrafts },
};

/**
 * Opens drafts: a file as `refcap caption` writes it, a folder of pictures with text files or XMP, or the folder of an
 * evaluation.
 * @throws InputError naming what cannot be read, or that there is no draft
 */
export async function openDrafts(
  path: string,
  options: DraftSourceOptions = {},
): Promise<DraftSource> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new InputError(`${path}: there is no such file or folder.`);
  const source = found.isDirectory()
    ? await openFolder(path, options)
    : await openFile(path, options);
  if (source.drafts.length > 0) return source;
  throw new InputError(
    `${path}: there is no draft in it${source.notes.length > 0 ? ` (${source.notes.join(' ')})` : ''}.`,
  );
}

async function openFile(
  path: string,
  { format, images }: DraftSourceOptions,
): Promise<DraftSource> {
  const kind = fileFormats[extname(path).toLowerCase()];
  if (format === 'sidecar' || format === 'xmp')
    throw new InputError(`${path}: the format ${format} is one of folders; name the folder.`);
  const chosen = format ?? kind;
  if (chosen === undefined)
    throw new InputError(
      `${path}: captions are reviewed in JSONL, JSON and CSV files and in folders; say with --format which it is.`,
    );
  return {
    ...{ format: chosen, target: path, notes: [] },
    drafts: await files[chosen].read(path),
    folders: [
      ...(images === undefined ? [] : [resolve(images)]),
      resolve('.'),
      resolve(dirname(path)),
    ],
    write: (decided) => files[chosen].write(path, path, decided),
  };
}

async function openFolder(path: string, options: DraftSourceOptions): Promise<DraftSource> {
  const { format, images } = options;
  if (format === undefined && (await isThere(join(path, 'results.json'))))
    return openEvaluation(path, images);
  if (format !== undefined && format !== 'sidecar' && format !== 'xmp')
    throw new InputError(`${path}: this is a folder; name the ${format} file in it.`);
  const folder = await listImages(path);
  const texts = format === 'xmp' ? [] : await readTextDrafts(folder);
  if (format === 'sidecar' || texts.length > 0) return textSource(path, folder, texts);
  const notes: string[] = [];
  return {
    ...{ format: 'xmp', target: path, notes, folders: [resolve(path)] },
    drafts: await readMetadataDrafts(folder, notes),
    write: (decided) => writeMetadataDrafts(folder, decided, options.keepTimes ?? false),
  };
}

function textSource(
  path: string,
  folder: ImageFolder,
  drafts: readonly DraftCaption[],
): DraftSource {
  return {
    ...{ format: 'sidecar', target: path, drafts, notes: [], folders: [resolve(path)] },
    write: (decided) => writeTextDrafts(folder, decided),
  };
}

/** An evaluation's captions stay as they were measured: what is decided goes into a file of its own beside them. */
async function openEvaluation(path: string, images: string | undefined): Promise<DraftSource> {
  const target = join(path, 'reviewed.jsonl');
  const captions = join(path, 'captions.jsonl');
  const drafts = await readJsonLines((await isThere(target)) ? target : captions);
  return {
    ...{ format: 'jsonl', target, drafts, notes: [] },
    folders: [...(images === undefined ? [] : [resolve(images)]), resolve('.')],
    write: async (decided) =>
      writeJsonLines((await isThere(target)) ? target : captions, target, decided),
  };
}
