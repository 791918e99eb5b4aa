/** Reading small files, and writing files so that nobody ever sees half of one. */
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InputError } from './errors.ts';
import { parseJson } from './json.ts';

/**
 * Writes `chunks` to `path` atomically: a reader sees the old file or the whole new one, also after
 * a kill or a full disk.
 * @throws InputError naming the file when the disk is full or the folder cannot be written.
 */
export async function writeFileAtomic(
  path: string,
  chunks: string | Uint8Array | Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  const parts = typeof chunks === 'string' || chunks instanceof Uint8Array ? [chunks] : chunks;
  try {
    const file = await open(temporary, 'w');
    try {
      for await (const part of parts) await file.writeFile(part);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw describeWriteError(path, error);
  }
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

/** The value of a JSON file. @throws InputError when it is missing, cannot be read or is not JSON */
export async function readJsonFile(path: string): Promise<unknown> {
  const text = await readTextIfThere(path);
  if (text === undefined) throw new InputError(`${path}: there is no such file.`);
  return parseJson(text, path);
}
