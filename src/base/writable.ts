/** Whether a folder can be written, asked before the work whose results it is for. */
import { access, constants, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { InputError } from './errors.ts';
import { describeWriteError, errorCode } from './files.ts';

/**
 * Looks at a folder, or at the nearest one above it that is there and in which it would be made.
 * @throws InputError when nothing may be written there, or a file is in the way
 */
export async function checkWritableFolder(folder: string): Promise<void> {
  for (let path = resolve(folder); ; path = dirname(path)) {
    try {
      if (!(await stat(path)).isDirectory())
        throw new InputError(
          path === resolve(folder)
            ? `${folder}: this is a file, not a folder; choose another place.`
            : `${folder}: ${path} is a file, not a folder; choose another place.`,
        );
      await access(path, constants.W_OK | constants.X_OK);
      return;
    } catch (error) {
      const code = errorCode(error);
      const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
      if (!isMissing || path === dirname(path)) throw describeWriteError(folder, error);
    }
  }
}
