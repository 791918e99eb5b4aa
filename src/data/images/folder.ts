/** Finds the files of a dataset's images, whichever way the captions name them. */
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, extname, join, relative, sep } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { errorCode } from '../../base/files.ts';
import { imageExtensions } from './formats.ts';

/** The image files below a folder. */
export interface ImageFolder {
  readonly folder: string;
  /** Paths relative to the folder, with slashes, sorted. */
  readonly files: readonly string[];
  /** The .txt files, likewise. */
  readonly texts: readonly string[];
  /** The path of the file that `id` names: by relative path, file name, or name without extension. */
  find(id: string): string | undefined;
}

/**
 * Lists the images below `folder`. Hidden files and folders are passed over.
 * @throws InputError when the folder cannot be read.
 */
export async function listImages(folder: string): Promise<ImageFolder> {
  const entries = await readFolder(folder);
  const endingIn = (isWanted: (extension: string) => boolean): string[] =>
    entries
      .filter((entry) => !entry.isDirectory() && isWanted(extname(entry.name).toLowerCase()))
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
      .filter((file) => !file.split('/').some((part) => part.startsWith('.')))
      .sort((a, b) => (a < b ? -1 : 1));
  const files = endingIn((extension) => imageExtensions.has(extension));
  const byName = new Map<string, string>();
  const ambiguous = new Set<string>();
  for (const file of files) {
    for (const name of new Set([
      basename(file),
      withoutExtension(file),
      withoutExtension(basename(file)),
    ])) {
      if (name === file) continue;
      if (byName.has(name)) ambiguous.add(name);
      byName.set(name, file);
    }
  }
  // A name that fits two files fits none, unless it is a path.
  for (const name of ambiguous) byName.delete(name);
  const known = new Set(files);
  return {
    folder,
    files,
    texts: endingIn((extension) => extension === '.txt'),
    find: (id) => {
      const wanted = id.replaceAll('\\', '/').replace(/^(?:\.\/)+/, '');
      const file = known.has(wanted)
        ? wanted
        : (byName.get(wanted) ?? byName.get(basename(wanted)));
      const found = file ?? (known.has(basename(wanted)) ? basename(wanted) : undefined);
      return found === undefined ? undefined : join(folder, found);
    },
  };
}

async function readFolder(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true, recursive: true });
  } catch (error) {
    const code = errorCode(error) ?? '';
    const reason =
      { ENOENT: 'there is no such folder', ENOTDIR: 'this is not a folder' }[code] ??
      'the folder cannot be read';
    throw new InputError(`${folder}: ${reason}; name the folder of the images.`);
  }
}

function withoutExtension(file: string): string {
  return file.slice(0, file.length - extname(file).length);
}
