/** Where results go: the standard output, a file that a stopped run can go on with, or a file beside each picture. */

import { once } from 'node:events';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { dirname, format, parse } from 'node:path';
import { InputError } from '../base/errors.ts';
import { writeFileAtomic } from '../base/files.ts';
import {
  type CaptionRow,
  type RowFormat,
  type RowFormatRules,
  rowFormats,
} from './caption-formats.ts';

/** Takes results in order. */
export interface CaptionSink {
  /**
   * Whether the picture's result is there already.
   * @throws InputError when it must not be written
   */
  has(file: string): Promise<boolean>;
  write(row: CaptionRow): Promise<void>;
  /** Ends the output so that it is well-formed; also after an interruption. */
  finish(): Promise<void>;
}

/** What to do with results of an earlier run. */
export interface SinkOptions {
  /** Skip the pictures that the output holds, and go on behind them. */
  readonly resume: boolean;
  /** Replace what is there. */
  readonly overwrite: boolean;
  /** Captions of each picture: fewer in the output mean a picture to be done again. */
  readonly candidates: number;
}

/** Rows on a stream, such as the standard output. */
export function streamSink(stream: NodeJS.WritableStream, rowFormat: RowFormat): CaptionSink {
  const rules = rowFormats[rowFormat];
  let rows = 0;
  const send = async (text: string): Promise<void> => {
    if (text !== '' && !stream.write(text)) await once(stream, 'drain');
  };
  const begin = () => (rows === 0 ? rules.head : rules.between);
  return {
    has: async () => false,
    write: async (row) => {
      await send(begin() + rules.row(row) + rules.after);
      rows += 1;
    },
    finish: () => send((rows === 0 ? rules.head : '') + rules.tail(rows)),
  };
}

/**
 * Rows in a file, each there as soon as it is known.
 * @throws InputError when the file exists and neither `resume` nor `overwrite` is set, or holds something else
 */
export async function fileSink(
  path: string,
  rowFormat: RowFormat,
  options: SinkOptions,
): Promise<CaptionSink> {
  const rules = rowFormats[rowFormat];
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  if (exists && !options.resume && !options.overwrite)
    throw new InputError(
      `${path} exists; use --resume to go on with it or --overwrite to replace it.`,
    );
  const isResumed = exists && options.resume;
  const file = await openForWriting(path, isResumed ? 'r+' : 'w');
  try {
    const found = isResumed
      ? await findRows(path, file, rules, options.candidates)
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
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reasons: Record<string, string> = {
    ENOENT: `the folder ${dirname(path)} does not exist; create it first`,
    EISDIR: 'this is a folder; name a file',
    EACCES: 'no permission to write here',
    EROFS: 'no permission to write here',
    ENOSPC: 'the disk is full; free some space and go on with --resume',
  };
  return code in reasons ? new InputError(`${path}: ${reasons[code]}.`) : error;
}

interface FoundRows {
  readonly done: Set<string>;
  /** Where the next row goes; 0 when not even the head is whole. */
  readonly end: number;
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

  async write(row: CaptionRow): Promise<void> {
    const { head, between, after } = this.#rules;
    await this.#append((this.#end === 0 ? head : '') + (this.#rows > 0 ? between : ''), false);
    await this.#append(this.#rules.row(row) + after, true);
    this.#rows += 1;
  }

  async finish(): Promise<void> {
    try {
      await this.#append(
        (this.#end === 0 ? this.#rules.head : '') + this.#rules.tail(this.#rows),
        true,
      );
      await this.#file.sync();
    } finally {
      await this.#file.close();
    }
  }

  #pending = '';

  /** Writes the text with what waits before it, in one go. */
  async #append(text: string, isWhole: boolean): Promise<void> {
    this.#pending += text;
    if (!isWhole || this.#pending === '') return;
    const bytes = Buffer.from(this.#pending);
    this.#pending = '';
    try {
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(
          bytes,
          at,
          bytes.length - at,
          this.#end + at,
        );
        at += bytesWritten;
      }
    } catch (error) {
      throw describeFailure(this.#path, error);
    }
    this.#end += bytes.length;
  }
}

/** Reads the results of an earlier run; a line cut off at the end is left out. */
async function findRows(
  path: string,
  file: FileHandle,
  rules: RowFormatRules,
  candidates: number,
): Promise<FoundRows> {
  const done = new Set<string>();
  let end = 0;
  let last = { file: '', rows: 0, start: 0 };
  // Several candidates are several lines in some formats: in JSON a line holds them all.
  const linesEach = rules.isOneLine ? 1 : candidates;
  let number = 0;
  for await (const { text, start, stop } of completeLines(file)) {
    number += 1;
    if (start < rules.head.length) {
      if (!rules.head.startsWith(`${text}\n`)) throw notOurs(path, number);
      end = stop;
      continue;
    }
    const name = rules.fileOf(text);
    if (name === undefined) {
      // The end of a finished JSON array is no row.
      if (text === ']' || text === '') continue;
      throw notOurs(path, number);
    }
    last = name === last.file ? { ...last, rows: last.rows + 1 } : { file: name, rows: 1, start };
    done.add(name);
    end = stop - (rules.after === '' ? (text.endsWith(',') ? 2 : 1) : 0);
  }
  if (last.rows > 0 && last.rows < linesEach) {
    done.delete(last.file);
    end = last.start;
  }
  return { done, end };
}

function notOurs(path: string, line: number): InputError {
  return new InputError(
    `${path}: line ${line} is no result in the chosen format; name another file, another --format, or --overwrite.`,
  );
}

/** The lines of a file that end in a line break, and where they lie in bytes. */
async function* completeLines(
  file: FileHandle,
): AsyncGenerator<{ text: string; start: number; stop: number }> {
  const chunk = Buffer.alloc(1 << 16);
  let rest = Buffer.alloc(0);
  let start = 0;
  for (let position = 0; ; ) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
    for (let at = rest.indexOf(10); at >= 0; at = rest.indexOf(10)) {
      yield { text: rest.toString('utf8', 0, at), start, stop: start + at + 1 };
      start += at + 1;
      rest = rest.subarray(at + 1);
    }
  }
}

/** Where a picture's text file stands: the same name with .txt. */
export function sidecarPath(file: string): string {
  const { dir, name, root } = parse(file);
  return format({ dir, name, root, ext: '.txt' });
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
      const exists = await stat(path).then(
        () => true,
        () => false,
      );
      if (exists && !resume && !overwrite)
        throw new InputError(`${file}: ${path} exists; use --resume to keep it or --overwrite.`);
      written.add(path);
      return exists && resume;
    },
    write: async ({ file, captions }) => {
      await writeFileAtomic(sidecarPath(file), captions.map(({ text }) => `${text}\n`).join(''));
    },
    finish: async () => undefined,
  };
}
