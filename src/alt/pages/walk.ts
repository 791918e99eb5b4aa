/** The pages of a site, one folder's names in memory at a time. */
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { errorCode } from '../../base/files.ts';
import { pageEndings } from './kinds.ts';

/** Folders that hold other people's pages. */
const foreign: ReadonlySet<string> = new Set(['node_modules', 'bower_components', 'vendor']);

const endings: ReadonlySet<string> = new Set(pageEndings);

/** The ending of a page's name, by which its kind is known; undefined for other files. */
export function pageEnding(path: string): string | undefined {
  const ending = extname(path).toLowerCase();
  return endings.has(ending) ? ending : undefined;
}

/**
 * The pages below a folder, or the page itself, in the order of their names. Hidden folders, those of packages and
 * links to folders are passed over.
 * @param exclude names of folders that are passed over too
 * @throws InputError when there is no such file or folder, or it holds no page
 */
export async function* pagesOf(site: string, exclude: readonly string[]): AsyncGenerator<string> {
  const found = await stat(site).catch((error: unknown) => {
    throw new InputError(`${site}: cannot be read (${errorCode(error) ?? String(error)}).`);
  });
  if (!found.isDirectory()) {
    if (pageEnding(site) === undefined)
      throw new InputError(
        `${site}: not a page of a kind that is read; these end with ${pageEndings.join(', ')}.`,
      );
    yield site;
    return;
  }
  let count = 0;
  for await (const page of walk(site, new Set([...foreign, ...exclude]))) {
    count += 1;
    yield page;
  }
  if (count === 0)
    throw new InputError(
      `${site}: there are no pages in this folder or below (${pageEndings.join(', ')}).`,
    );
}

async function* walk(folder: string, passedOver: ReadonlySet<string>): AsyncGenerator<string> {
  for (const entry of await entriesOf(folder)) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!passedOver.has(basename(path))) yield* walk(path, passedOver);
    } else if (pageEnding(path) !== undefined) yield path;
  }
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    throw new InputError(`${folder}: cannot be read (${errorCode(error) ?? String(error)}).`);
  }
}
