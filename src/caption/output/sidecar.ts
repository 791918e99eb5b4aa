/** A text file beside each picture. */
import { access, constants, stat } from 'node:fs/promises';
import { dirname, format, parse } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { describeWriteError, errorCode, writeFileAtomic } from '../../base/files.ts';
import type { CaptionSink, SinkOptions } from './output.ts';

/** Where a picture's text file stands: the same name with .txt. */
export function sidecarPath(file: string): string {
  const { dir, name, root } = parse(file);
  return format({ dir, name, root, ext: '.txt' });
}

/** Whether the file is there. @throws InputError when it is not and cannot be written */
async function isThereOrCanBe(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw describeWriteError(path, error);
  }
  try {
    await access(dirname(path), constants.W_OK | constants.X_OK);
    return false;
  } catch (error) {
    throw describeWriteError(path, error);
  }
}

/** A text file beside each picture, a line for each of its captions. */
export function sidecarSink({ resume, overwrite }: SinkOptions): CaptionSink {
  const written = new Set<string>();
  return {
    has: async (file) => {
      if (/^https?:/i.test(file))
        throw new InputError(`${file}: a picture from an address has no place for a text file.`);
      const path = sidecarPath(file);
      if (written.has(path))
        throw new InputError(`${file}: ${path} already belongs to another picture of that name.`);
      // At once: the next pictures are asked about before this one's file has been looked for.
      written.add(path);
      const exists = await isThereOrCanBe(path);
      if (exists && !resume && !overwrite)
        throw new InputError(`${file}: ${path} exists; use --resume to keep it or --overwrite.`);
      return exists && resume;
    },
    write: async (rows) => {
      for (const { file, captions } of rows)
        await writeFileAtomic(sidecarPath(file), captions.map(({ text }) => `${text}\n`).join(''));
    },
    finish: async () => undefined,
  };
}
