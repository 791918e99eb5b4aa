/** Random access to a weight file on disk (Node). */

import { readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { InputError } from '../base/errors.ts';
import { errorCode } from '../base/files.ts';
import type { RandomAccess } from './bytes.ts';

/** A single system call reads at most 2 GiB. */
const mostPerRead = 1 << 30;

/**
 * Opens a file for reading by position.
 * @throws InputError naming the file when it is not there, is a folder or cannot be read.
 */
export async function accessFile(path: string): Promise<RandomAccess> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const stat = await file.stat();
    if (!stat.isFile()) throw new InputError(`${path} is not a file.`);
    return fileAccess(path, file, stat.size);
  } catch (error) {
    await file?.close();
    throw describeOpenError(path, error);
  }
}

function fileAccess(path: string, file: FileHandle, size: number): RandomAccess {
  const ended = () =>
    new InputError(`${path} became shorter while it was being read; was it being written?`);
  return {
    path,
    isFile: true,
    size,
    readSync(offset, target) {
      for (let done = 0; done < target.length; ) {
        const length = Math.min(mostPerRead, target.length - done);
        const count = readSync(file.fd, target, done, length, offset + done);
        if (count === 0) throw ended();
        done += count;
      }
    },
    async read(offset, target) {
      for (let done = 0; done < target.length; ) {
        const length = Math.min(mostPerRead, target.length - done);
        const { bytesRead } = await file.read(target, done, length, offset + done);
        if (bytesRead === 0) throw ended();
        done += bytesRead;
      }
    },
    close: () => file.close(),
  };
}

/** The sentence for a file that cannot be opened; other errors as they are. */
export function describeOpenError(path: string, error: unknown): unknown {
  const code = errorCode(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') return new InputError(`${path} does not exist.`);
  if (code === 'EACCES' || code === 'EPERM')
    return new InputError(`${path} cannot be read: permission denied.`);
  if (code === 'EISDIR') return new InputError(`${path} is a folder, not a file.`);
  return error;
}
