/** Where results go: the standard output, a pipe or device, or a file that a stopped run can go on with. */

import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { errorCode, isThere, writing } from '../../base/files.ts';
import { isStream, type OutputStream, openStream } from '../../base/streams.ts';
import { type CaptionRow, type RowFormat, type RowFormatRules, rowFormats } from './formats.ts';
import type { SinkOptions } from './sink-options.ts';
import { type FoundRows, findRows } from './written.ts';

export type { SinkOptions } from './sink-options.ts';

/** Takes results in order. */
export interface CaptionSink {
  /**
   * Whether the picture's result is there already.
   * @param path where the file is, when it is not at its name
   * @throws InputError when it must not be written
   */
  has(file: string, path?: string): Promise<boolean>;
  /** Takes the results of a batch, all of them or, after a kill, none. */
  write(rows: readonly CaptionRow[]): Promise<void>;
  /** Ends the output so that it is well-formed; also after an interruption. */
  finish(): Promise<void>;
}

/** Rows on the standard output. */
export function standardSink(rowFormat: RowFormat): CaptionSink {
  return streamSink(rowFormat, openStream('/dev/stdout'));
}

function streamSink(rowFormat: RowFormat, stream: OutputStream): CaptionSink {
  const rules = rowFormats[rowFormat];
  let count = 0;
  const send = async (text: string): Promise<void> => {
    if (text !== '') await stream.write(text);
  };
  return {
    has: async () => false,
    write: async (rows) => {
      await send(rowsText(rules, rows, count));
      count += rows.length;
    },
    finish: async () => {
      await send((count === 0 ? rules.head : '') + rules.tail(count));
      await stream.end();
    },
  };
}

/** Rows into a pipe or device: nothing there is replaced, and nothing gone on with. */
function pipeSink(path: string, rowFormat: RowFormat, { resume }: SinkOptions): CaptionSink {
  if (resume)
    throw new InputError(
      `${path}: a pipe or device keeps nothing that a run could go on with; leave out --resume.`,
    );
  const stream = openStream(path);
  return streamSink(rowFormat, {
    write: (text) => writing(path, () => stream.write(text)),
    end: () => writing(path, () => stream.end()),
  });
}

/** The text of rows that follow `before` others. */
function rowsText(rules: RowFormatRules, rows: readonly CaptionRow[], before: number): string {
  const start = before === 0 ? rules.head : rules.between;
  return start + rows.map((row) => rules.row(row) + rules.after).join(rules.between);
}

/**
 * Rows in a file, each there as soon as it is known; or into a pipe or device.
 * @throws InputError when the file exists and neither `resume` nor `overwrite` is set, or holds something else
 */
export async function fileSink(
  path: string,
  rowFormat: RowFormat,
  options: SinkOptions,
): Promise<CaptionSink> {
  if (await isStream(path)) return pipeSink(path, rowFormat, options);
  const rules = rowFormats[rowFormat];
  const exists = await isThere(path);
  if (exists && !options.resume && !options.overwrite)
    throw new InputError(
      `${path} exists; use --resume to go on with it or --overwrite to replace it.`,
    );
  const isResumed = exists && options.resume;
  const file = await openForWriting(path, isResumed ? 'r+' : 'w');
  try {
    const found = isResumed
      ? await findRows(path, file, rules, options)
      : { done: new Set<string>(), end: 0 };
    await file.truncate(found.end);
    return new FileSink(path, file, rules, found);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openForWriting(path: string, flags: string): Promise<FileHandle> {
  try {
    return await open(path, flags);
  } catch (error) {
    throw describeFailure(path, error);
  }
}

function describeFailure(path: string, error: unknown): unknown {
  const code = errorCode(error) ?? '';
  const reasons: Record<string, string> = {
    ENOENT: `the folder ${dirname(path)} does not exist; create it first`,
    EISDIR: 'this is a folder; name a file',
    EACCES: 'no permission to write here',
    EROFS: 'no permission to write here',
    ENOSPC: 'the disk is full; free some space and run again',
  };
  return code in reasons ? new InputError(`${path}: ${reasons[code]}.`) : error;
}

class FileSink implements CaptionSink {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #rules: RowFormatRules;
  readonly #done: ReadonlySet<string>;
  #end: number;
  #rows: number;

  constructor(path: string, file: FileHandle, rules: RowFormatRules, { done, end }: FoundRows) {
    this.#path = path;
    this.#file = file;
    this.#rules = rules;
    this.#done = done;
    this.#end = end;
    this.#rows = done.size;
  }

  async has(file: string): Promise<boolean> {
    return this.#done.has(file);
  }

  async write(rows: readonly CaptionRow[]): Promise<void> {
    await this.#append(rowsText(this.#rules, rows, this.#rows));
    this.#rows += rows.length;
  }

  async finish(): Promise<void> {
    try {
      await this.#append((this.#rows === 0 ? this.#rules.head : '') + this.#rules.tail(this.#rows));
      await this.#file.sync();
    } finally {
      await this.#file.close();
    }
  }

  async #append(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    try {
      for (let at = 0; at < bytes.length; ) {
        const left = bytes.length - at;
        const { bytesWritten } = await this.#file.write(bytes, at, left, this.#end + at);
        at += bytesWritten;
      }
    } catch (error) {
      // Half a row behind the whole ones would not be understood when the run goes on.
      await this.#file.truncate(this.#end).catch(() => undefined);
      throw describeFailure(this.#path, error);
    }
    this.#end += bytes.length;
  }
}
