/** Writing files so that nobody ever sees half of one: write to a temporary name, flush, rename. */
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InputError } from './errors.ts';

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

function describeWriteError(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const code = String(error.code);
  if (code === 'ENOSPC')
    return new InputError(
      `${path}: the disk is full; free some space and run again. The old file, if any, is unchanged.`,
    );
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new InputError(`${path}: no permission to write here; choose another place.`);
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new InputError(`${path}: the folder does not exist; create it first.`);
  return error;
}
