/** Lists what is below a folder, links to folders included, each folder once. */
import { isUtf8 } from 'node:buffer';
import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { errorCode } from '../../base/files.ts';

/** Paths relative to the folder, with slashes. Hidden files and folders are passed over. */
export interface Listing {
  readonly files: readonly string[];
  /** Links to folders whose files are listed under another path, with that path. */
  readonly links: ReadonlyMap<string, string>;
  /** Files and folders whose names are not UTF-8, as far as they can be shown. */
  readonly nameless: readonly string[];
}

/**
 * @param folder Links in it are followed; a folder reached twice is listed once, so cycles end.
 * @throws InputError when the folder cannot be read.
 */
export async function listBelow(folder: string): Promise<Listing> {
  const files: string[] = [];
  const nameless: string[] = [];
  const links = new Map<string, string>();
  /** The path under which each real folder is listed. */
  const seen = new Map<string, string>();
  let linked: string[] = [];
  const walk = async (below: string, real: string): Promise<void> => {
    seen.set(real, below);
    const found = await readFolder(join(folder, below), below === '');
    const folders: string[] = [];
    for (const [entry, kind] of found.entries) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (kind === 'file') files.push(path);
      else if (kind === 'link') linked.push(path);
      else folders.push(entry.name);
    }
    nameless.push(...found.nameless.map((name) => (below === '' ? name : `${below}/${name}`)));
    for (const name of folders) {
      const inside = join(real, name);
      if (!seen.has(inside)) await walk(below === '' ? name : `${below}/${name}`, inside);
    }
  };
  await walk('', await realpath(folder).catch(() => folder));
  // Links after folders, so that a folder is listed under its own path where that is below.
  while (linked.length > 0) {
    const [path, ...rest] = linked.sort();
    linked = rest;
    const real = await realpath(join(folder, path));
    const known = seen.get(real);
    if (known === undefined) await walk(path, real);
    else links.set(path, known);
  }
  return { files, links, nameless };
}

type Kind = 'file' | 'folder' | 'link';

async function readFolder(
  path: string,
  isRoot: boolean,
): Promise<{ entries: [Dirent, Kind][]; nameless: string[] }> {
  let entries: Dirent[];
  try {
    entries = await readdir(path, { withFileTypes: true });
  } catch (error) {
    const code = errorCode(error) ?? '';
    const reason =
      { ENOENT: 'there is no such folder', ENOTDIR: 'this is not a folder' }[code] ??
      'the folder cannot be read';
    throw new InputError(
      isRoot
        ? `${path}: ${reason}; name the folder of the images.`
        : `${path}: ${reason}; change its permissions, or take it away.`,
    );
  }
  const shown = entries.filter(({ name }) => !name.startsWith('.'));
  const broken = shown.some(({ name }) => name.includes('\ufffd')) ? await namesNotUtf8(path) : [];
  return {
    entries: await Promise.all(
      shown
        .filter(({ name }) => !broken.includes(name))
        .map(async (entry): Promise<[Dirent, Kind]> => [entry, await kindOf(path, entry)]),
    ),
    nameless: broken,
  };
}

async function kindOf(folder: string, entry: Dirent): Promise<Kind> {
  if (entry.isDirectory()) return 'folder';
  if (!entry.isSymbolicLink()) return 'file';
  // What a broken link lacks is told when it is decoded.
  const isFolder = await stat(join(folder, entry.name)).then(
    (about) => about.isDirectory(),
    () => false,
  );
  return isFolder ? 'link' : 'file';
}

/** As the system decodes them, with U+FFFD for what is not UTF-8: no file can be opened by such a name. */
async function namesNotUtf8(folder: string): Promise<string[]> {
  const names = await readdir(folder, { encoding: 'buffer' });
  return names.filter((name) => !isUtf8(name)).map((name) => name.toString('utf8'));
}
