/** Where results go: the standard output, a file that a stopped run can go on with, or a file beside each picture. */

import { once } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, format, parse } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { errorCode, isThere, writeFileAtomic } from '../../base/files.ts';
import { type CaptionRow, type RowFormat, type RowFormatRules, rowFormats } from './formats.ts';

/** Takes results in order. */
export interface CaptionSink {
  /**
   * Whether the picture's result is there already.
   * @throws InputError when it must not be written
   */
  has(file: string): Promise<boolean>;
  /** Takes the results of a batch, all of them or, after a kill, none. */
  write(rows: readonly CaptionRow[]): Promise<void>;
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
  /** Pictures a batch: a batch of which a part was written is done again as a whole. */
  readonly batchSize: number;
}

/** Rows on a stream, such as the standard output. */
export function streamSink(stream: NodeJS.WritableStream, rowFormat: RowFormat): CaptionSink {
  const rules = rowFormats[rowFormat];
  let count = 0;
  const send = async (text: string): Promise<void> => {
    if (text !== '' && !stream.write(text)) await once(stream, 'drain');
  };
  return {
    has: async () => false,
    write: async (rows) => {
      await send(rowsText(rules, rows, count));
      count += rows.length;
    },
    finish: () => send((count === 0 ? rules.head : '') + rules.tail(count)),
  };
}

/** The text of rows that follow `before` others. */
function rowsText(rules: RowFormatRules, rows: readonly CaptionRow[], before: number): string {
  const start = before === 0 ? rules.head : rules.between;
  return start + rows.map((row) => rules.row(row) + rules.after).join(rules.between);
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

/** A picture in the output: where its lines begin and end, without what stands between rows. */
interface WrittenPicture {
  readonly file: string;
  readonly lines: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Reads the results of an earlier run. A batch of which a part is missing is left out as a whole: done
 * again, it comes out the same to the last digit. (So is the last, smaller batch of a finished run, but for
 * JSON, whose end can be seen.)
 */
async function findRows(
  path: string,
  file: FileHandle,
  rules: RowFormatRules,
  { candidates, batchSize }: SinkOptions,
): Promise<FoundRows> {
  const done = new Set<string>();
  const recent: WrittenPicture[] = [];
  const linesEach = rules.isOneLine ? 1 : candidates;
  let isCut = false;
  let isEnded = false;
  let number = 0;
  for await (const { text, start, isWhole } of linesOf(file)) {
    number += 1;
    if (start < rules.head.length) {
      if (isWhole ? !rules.head.startsWith(`${text}\n`) : !rules.head.startsWith(text))
        throw notOurs(path, number);
      continue;
    }
    const name = isWhole || rules.after === '' ? rules.fileOf(text) : undefined;
    if (name === undefined) {
      // The end of a finished JSON array is no row.
      if (text === ']') {
        isEnded = true;
        continue;
      }
      // A first line that is no result may be anything: it is not ours to cut.
      if (isWhole || done.size === 0) throw notOurs(path, number);
      isCut = true;
      continue;
    }
    const row = text.endsWith(',') && rules.between !== '' ? text.slice(0, -1) : text;
    const end = start + Buffer.byteLength(row) + rules.after.length;
    const last = recent.at(-1);
    if (last?.file === name && last.lines < linesEach)
      recent.splice(-1, 1, { ...last, lines: last.lines + 1, end });
    else recent.push({ file: name, lines: 1, start, end });
    if (recent.length > batchSize + 1) recent.shift();
    done.add(name);
  }
  const last = recent.at(-1);
  // A cut may also have met the end of a line.
  if (last && (last.lines < linesEach || (!isEnded && done.size % batchSize !== 0))) isCut = true;
  while (isCut && recent.length > 0) {
    const { file: name, lines } = recent[recent.length - 1];
    if (lines === linesEach && done.size % batchSize === 0) break;
    recent.pop();
    done.delete(name);
  }
  return { done, end: recent.at(-1)?.end ?? 0 };
}

function notOurs(path: string, line: number): InputError {
  return new InputError(
    `${path}: line ${line} is no result in the chosen format; name another file, another --format, or --overwrite.`,
  );
}

/** The lines of a file and where they begin in bytes; the last one may lack its line break. */
async function* linesOf(
  file: FileHandle,
): AsyncGenerator<{ text: string; start: number; isWhole: boolean }> {
  const chunk = Buffer.alloc(1 << 16);
  let rest = Buffer.alloc(0);
  let start = 0;
  for (let position = 0; ; ) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
    for (let at = rest.indexOf(10); at >= 0; at = rest.indexOf(10)) {
      yield { text: rest.toString('utf8', 0, at), start, isWhole: true };
      start += at + 1;
      rest = rest.subarray(at + 1);
    }
  }
  if (rest.length > 0) yield { text: rest.toString('utf8'), start, isWhole: false };
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
      // At once: the next pictures are asked about before this one's file has been looked for.
      written.add(path);
      const exists = await isThere(path);
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
