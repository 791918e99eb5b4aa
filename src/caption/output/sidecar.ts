/** A text file beside each picture. */
import { access, constants, stat } from 'node:fs/promises';
import { dirname, format, parse } from 'node:path';
import { InputError } from '../../base/errors.ts';
import {
  describeWriteError,
  errorCode,
  readTextIfThere,
  writeFileAtomic,
} from '../../base/files.ts';
import type { CaptionSink, SinkOptions } from './output.ts';
import { placeless } from './placeless.ts';

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

/** A text file's text, or none. @throws InputError when it is not UTF-8 and would be changed by it */
async function textOf(path: string): Promise<string> {
  const text = (await readTextIfThere(path)) ?? '';
  if (text.includes('\ufffd'))
    throw new InputError(`${path}: not valid UTF-8; convert it, for example with iconv.`);
  return text;
}

/** The lines of a text file, behind those that it has, or in their place. Lines that it has are not written again. */
async function writeText(path: string, lines: readonly string[], append: boolean): Promise<void> {
  const before = append ? await textOf(path) : '';
  const there = new Set(before.split(/\r?\n/).map((line) => line.trim()));
  const added = append ? lines.filter((line) => line !== '' && !there.has(line)) : lines;
  if (append && added.length === 0) return;
  const parting = before === '' || before.endsWith('\n') ? '' : '\n';
  await writeFileAtomic(path, before + parting + added.map((line) => `${line}\n`).join(''));
}

/**
 * A text file beside each picture, a line for each of its captions.
 * @param append whether captions go behind what a file holds
 */
export function sidecarSink({ resume, overwrite }: SinkOptions, append = false): CaptionSink {
  const written = new Set<string>();
  return {
    has: async (file) => {
      const where = placeless(file);
      if (where !== undefined)
        throw new InputError(`${file}: a picture ${where} has no place for a text file.`);
      const path = sidecarPath(file);
      if (written.has(path))
        throw new InputError(`${file}: ${path} already belongs to another picture of that name.`);
      // At once: the next pictures are asked about before this one's file has been looked for.
      written.add(path);
      const exists = await isThereOrCanBe(path);
      if (exists && !resume && !overwrite && !append)
        throw new InputError(`${file}: ${path} exists; use --resume to keep it or --overwrite.`);
      if (exists && append) await textOf(path);
      return exists && resume;
    },
    write: async (rows) => {
      for (const { file, captions } of rows)
        await writeText(
          sidecarPath(file),
          captions.map(({ text }) => text),
          append,
        );
    },
    finish: async () => undefined,
  };
}
