/** Making folders so that nobody ever sees half of one. */
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { describeWriteError } from './files.ts';

/**
 * Fills a new folder beside `target`, which then takes its place, whole or not at all. Until it is
 * full the one that is there stays as it was.
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
    await rm(temporary, { recursive: true, force: true });
    await mkdir(temporary, { recursive: true });
    const filled = await fill(temporary);
    await takePlace(temporary, path, keeps);
    return filled;
  } catch (error) {
    throw describeWriteError(target, error);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function takePlace(
  temporary: string,
  target: string,
  keeps: (name: string) => boolean,
): Promise<void> {
  const exists = await stat(target).then(
    () => true,
    () => false,
  );
  if (!exists) {
    await rename(temporary, target);
    return;
  }
  const old = `${temporary}.old`;
  await rename(target, old);
  await rename(temporary, target);
  // Moved when the new folder is in its place: whatever fails, nothing that stays is deleted with the rest.
  const made = new Set(await readdir(target));
  for (const name of await readdir(old))
    if (keeps(name) && !made.has(name)) await rename(join(old, name), join(target, name));
  await rm(old, { recursive: true, force: true });
}
