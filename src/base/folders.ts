/** Making folders so that nobody ever sees half of one. */
import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { errorCode, isThere, readTextIfThere, writeFileAtomic, writing } from './files.ts';
import { parseJson } from './json.ts';

/**
 * Fills a new folder beside `target`, which then takes its place, whole or not at all. Until it is
 * full the one that is there stays as it was. (A mount point cannot be moved out of the way: its content
 * is replaced file by file.)
 * @param keeps which files and folders of the old one stay, where the new one has none of the name; none
 * @returns what `fill` returns
 * @throws InputError naming the target when the disk is full or may not be written; what `fill` throws
 */
export async function replaceFolder<T>(
  target: string,
  fill: (temporary: string) => Promise<T>,
  keeps: (name: string) => boolean = () => false,
): Promise<T> {
  const path = resolve(target);
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    await writing(target, async () => {
      await putBack(`${temporary}.old`, path);
      await rm(temporary, { recursive: true, force: true });
      await mkdir(temporary, { recursive: true });
    });
    // It writes to places of its own, and names them.
    const filled = await fill(temporary);
    await writing(target, () => takePlace(temporary, path, keeps));
    return filled;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Paths of all files in a folder and the folders in it, sorted. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Whether a file is one that desktops leave in folders that they show, and that says nothing of their content. */
export function isDesktopFile(name: string): boolean {
  return /^(\.DS_Store|\._.*|\.directory|\.localized|Icon\r|Thumbs\.db|desktop\.ini)$/i.test(name);
}

/**
 * Removes what programs left in a folder that were killed while they wrote a file or folder there; one that was
 * being replaced and is not there any more is put back. For who holds the folder's lock.
 */
export async function removeLeftovers(folder: string): Promise<void> {
  const names = await readdir(folder).catch((): string[] => []);
  for (const name of names) {
    const [, target, old] = /^\.(.+)\.\d+\.tmp(\.old)?$/.exec(name) ?? [];
    // Others may be trying for the lock at this moment.
    if (target === undefined || target.startsWith('lock.')) continue;
    if (old) await putBack(join(folder, name), join(folder, target));
    else await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** What an interrupted replacement moved away: the only copy, or one of which things are still to come over. */
async function putBack(old: string, target: string): Promise<void> {
  if (!(await isThere(old))) return;
  if (await isThere(target)) {
    await moveKept(old, target);
    await rm(old, { recursive: true, force: true });
    return;
  }
  await rm(join(old, keptList), { force: true });
  await rename(old, target);
}

/** The file in a folder that is being replaced that lists what stays: whoever finds it there can finish the work. */
const keptList = '.refcap-kept.json';

/** Moves what stays from the old folder to the new one, where that has none of the name. */
async function moveKept(old: string, target: string): Promise<void> {
  const text = await readTextIfThere(join(old, keptList));
  if (text === undefined) return;
  const kept: unknown = parseJson(text, join(old, keptList));
  const made = new Set(await readdir(target));
  for (const name of await readdir(old))
    if (Array.isArray(kept) && kept.includes(name) && !made.has(name))
      await rename(join(old, name), join(target, name));
}

async function takePlace(
  temporary: string,
  target: string,
  keeps: (name: string) => boolean,
): Promise<void> {
  if (!(await isThere(target))) {
    await rename(temporary, target);
    return;
  }
  const old = `${temporary}.old`;
  try {
    await rename(target, old);
  } catch (error) {
    if (!['EBUSY', 'EXDEV'].includes(errorCode(error) ?? '')) throw error;
    await replaceContent(temporary, target, keeps);
    return;
  }
  try {
    const kept = (await readdir(old)).filter(keeps);
    if (kept.length > 0) await writeFileAtomic(join(old, keptList), JSON.stringify(kept));
    await rename(temporary, target);
  } catch (error) {
    await putBack(old, target);
    throw error;
  }
  // Moved when the new folder is in its place: whatever fails, nothing that stays is deleted with the rest.
  await putBack(old, target);
}

async function replaceContent(
  temporary: string,
  target: string,
  keeps: (name: string) => boolean,
): Promise<void> {
  const made = new Set(await readdir(temporary));
  for (const name of await readdir(target))
    if (made.has(name) || !keeps(name)) await rm(join(target, name), { recursive: true });
  await cp(temporary, target, { recursive: true });
}
