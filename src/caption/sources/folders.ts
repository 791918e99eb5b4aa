/** The pictures of a folder, and below it: links are followed, names that cannot be said are told. */
import { isUtf8 } from 'node:buffer';
import type { Dirent, Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { pictureKind } from '../../data/images/formats.ts';
import type { CaptionInput, InputOptions } from './input.ts';

/**
 * The pictures of a folder by name, hidden ones left out, folders in their place among the files. A link to a folder
 * that it lies in is passed over.
 */
export function picturesBelow(folder: string, options: InputOptions): AsyncGenerator<CaptionInput> {
  return walk(folder, options, new Set());
}

/** @param above the folders that this one lies in */
async function* walk(
  folder: string,
  options: InputOptions,
  above: ReadonlySet<string>,
): AsyncGenerator<CaptionInput> {
  const self = await stat(folder).catch(() => undefined);
  const entries = await entriesOf(folder);
  if (self === undefined || entries === undefined) {
    yield nothing(folder, 'the folder cannot be read.');
    return;
  }
  const own = identity(self);
  if (above.has(own)) return;
  const within = new Set([...above, own]);
  for (const { entry, isText } of entries) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (await isFolder(entry, path)) {
      if (options.recursive) yield* walk(path, options, within);
      continue;
    }
    const kind = pictureKind(extname(entry.name).toLowerCase(), options.allowSvg);
    if (kind === 'none') continue;
    if (!isText) yield nothing(path, 'the name is not valid UTF-8; rename the file.');
    else yield { kind: kind === 'read' ? 'file' : 'passed over', name: path };
  }
}

function nothing(name: string, reason: string): CaptionInput {
  return { kind: 'nothing', name, error: new InputError(`${name}: ${reason}`) };
}

function identity({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}

/** Linked folders count as folders. */
async function isFolder(entry: Dirent, path: string): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** By name; whether each name is text. Undefined when the folder cannot be read. */
async function entriesOf(
  folder: string,
): Promise<{ entry: Dirent; isText: boolean }[] | undefined> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return undefined;
  // Bytes that are no UTF-8 come as this sign, which a name may also have rightly.
  const names = entries.some(({ name }) => name.includes('\ufffd'))
    ? new Set((await readdir(folder, 'buffer')).filter(isUtf8).map((name) => name.toString()))
    : undefined;
  return entries
    .map((entry) => ({ entry, isText: names?.has(entry.name) ?? true }))
    .sort((a, b) => (a.entry.name < b.entry.name ? -1 : 1));
}
