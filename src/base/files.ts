/** Reading small files, and writing files so that nobody ever sees half of one. */
import { open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InputError } from './errors.ts';
import { parseJson } from './json.ts';
import { isStream, openStream } from './streams.ts';
import type { TextFiles } from './text-files.ts';

type Chunks = Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

/**
 * Writes `chunks` to `path` atomically: a reader sees the old file or the whole new one, also after
 * a kill or a full disk. Of several writers, in this process or in others, one wins as a whole. A link's file is
 * replaced, not the link; the file's permissions stay. Pipes and devices are written into.
 * @throws InputError naming the file when the disk is full or the folder cannot be written.
 */
export async function writeFileAtomic(
  path: string,
  chunks: string | Uint8Array | Chunks,
): Promise<void> {
  const parts: Chunks =
    typeof chunks === 'string' || chunks instanceof Uint8Array ? [chunks] : chunks;
  await writing(path, async () => {
    if (await isStream(path)) await writeInto(path, parts);
    else await replaceFile(path, parts);
  });
}

async function writeInto(path: string, parts: Chunks): Promise<void> {
  const stream = openStream(path);
  for await (const part of parts) await stream.write(part);
  await stream.end();
}

async function replaceFile(path: string, parts: Chunks): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const mode = await stat(target).then(
    (found) => found.mode & 0o777,
    () => undefined,
  );
  const temporary = temporaryPath(target);
  try {
    const file = await open(temporary, 'wx');
    try {
      for await (const part of parts) await file.writeFile(part);
      if (mode !== undefined) await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Bytes of a temporary name that come from the target's; some file systems allow 143 in all. */
const mostNameBytes = 100;

/**
 * A hidden name beside `target` that no other writer has, and that fits wherever the target's does.
 * `removeLeftovers` knows it.
 */
export function temporaryPath(target: string): string {
  // What is left of a character that was cut is no character.
  const name = Buffer.from(basename(target))
    .subarray(0, mostNameBytes)
    .toString()
    .replace(/\ufffd+$/, '');
  // No result depends on it, so this chance needs no seed.
  const chosen = Math.floor(1e9 + Math.random() * 9e9);
  return join(dirname(target), `.${name}.${process.pid}${chosen}.tmp`);
}

/** The system's code of a failed operation, such as ENOENT. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** The sentence for a failed write, where its reason is known; else the error itself. */
export function describeWriteError(path: string, error: unknown): unknown {
  const code = errorCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new InputError(
      `${path}: the disk is full; free some space and run again. The old file, if any, is unchanged.`,
    );
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new InputError(`${path}: no permission to write here; choose another place.`);
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new InputError(`${path}: the folder does not exist; create it first.`);
  if (code === 'EISDIR' || code === 'ENOTEMPTY' || code === 'EBUSY')
    return new InputError(`${path}: this cannot be replaced; choose another place.`);
  if (code === 'ENAMETOOLONG')
    return new InputError(`${path}: the name is too long; choose a shorter one.`);
  if (code === 'EPIPE')
    return new InputError(`${path}: the reader closed the pipe before all was written.`);
  if (code === 'EBADF' || code === 'ENXIO')
    return new InputError(`${path}: nothing is open there to be written to.`);
  return error;
}

/** Makes sentences of the errors of writing to `path`. */
export async function writing<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    throw describeWriteError(path, error);
  }
}

/** Whether there is a file or folder. */
export function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** A file's text, or undefined where there is no such file. @throws InputError when it cannot be read */
export async function readTextIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new InputError(`${path}: cannot be read (${code ?? String(error)}).`);
  }
}

/** The text files of a folder of the disk. */
export function folderTexts(folder: string): TextFiles {
  const pathOf = (name: string): string => join(folder, name);
  return { place: folder, pathOf, read: (name) => readTextIfThere(pathOf(name)) };
}

/** The value of a JSON file. @throws InputError when it is missing, cannot be read or is not JSON */
export async function readJsonFile(path: string): Promise<unknown> {
  const text = await readTextIfThere(path);
  if (text === undefined) throw new InputError(`${path}: there is no such file.`);
  return parseJson(text, path);
}
