/** Reads what an earlier run wrote. */
import { type FileHandle, open } from 'node:fs/promises';
import { InputError } from '../../base/errors.ts';
import { type RowFormat, type RowFormatRules, rowFormats } from './formats.ts';
import type { SinkOptions } from './sink-options.ts';

export interface FoundRows {
  readonly done: Set<string>;
  /** Where the next row goes; 0 when not even the head is whole. */
  readonly end: number;
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
export async function findRows(
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
  for await (const line of resultLines(path, file, rules)) {
    if (line.kind !== 'result') {
      isCut ||= line.kind === 'cut';
      isEnded ||= line.kind === 'end';
      continue;
    }
    const { name, text, start } = line;
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

type ResultLine =
  | {
      readonly kind: 'result';
      readonly name: string;
      readonly text: string;
      readonly start: number;
    }
  /** The end of a finished JSON array. */
  | { readonly kind: 'end' }
  /** A last line that is not whole. */
  | { readonly kind: 'cut' };

/** The lines that follow the head. @throws InputError at one that is no result */
async function* resultLines(
  path: string,
  file: FileHandle,
  rules: RowFormatRules,
): AsyncGenerator<ResultLine> {
  let number = 0;
  let results = 0;
  for await (const { text, start, isWhole } of linesOf(file, rules)) {
    number += 1;
    if (start < rules.head.length) {
      if (isWhole ? !rules.head.startsWith(`${text}\n`) : !rules.head.startsWith(text))
        throw notOurs(path, number);
      continue;
    }
    const name = isWhole || rules.after === '' ? rules.fileOf(text) : undefined;
    if (name !== undefined) {
      results += 1;
      yield { kind: 'result', name, text, start };
    } else if (text === ']') yield { kind: 'end' };
    // A first line that is no result may be anything: it is not ours to cut.
    else if (isWhole || results === 0) throw notOurs(path, number);
    else yield { kind: 'cut' };
  }
}

/**
 * Whether a file holds all results of the pictures, so that there is nothing to go on with.
 * @param candidates captions of each picture; by default as many as the first one has
 * @throws InputError when it cannot be read or holds something else
 */
export async function holdsAll(
  path: string,
  rowFormat: RowFormat,
  pictures: ReadonlySet<string>,
  candidates?: number,
): Promise<boolean> {
  const rules = rowFormats[rowFormat];
  const file = await open(path, 'r');
  try {
    const lines = new Map<string, number>();
    let isEnded = rules.tail(1) === '';
    for await (const line of resultLines(path, file, rules)) {
      if (line.kind === 'cut') return false;
      if (line.kind === 'end') isEnded = true;
      else lines.set(line.name, (lines.get(line.name) ?? 0) + 1);
    }
    const [first] = lines.values();
    const linesEach = rules.isOneLine ? 1 : (candidates ?? first ?? 1);
    return isEnded && [...pictures].every((name) => lines.get(name) === linesEach);
  } finally {
    await file.close();
  }
}

function notOurs(path: string, line: number): InputError {
  return new InputError(
    `${path}: line ${line} is no result in the chosen format; name another file, another --format, or --overwrite.`,
  );
}

/** The rows of a file, or lines that are none, and where they begin in bytes; the last one may lack its line break. */
async function* linesOf(
  file: FileHandle,
  rules: RowFormatRules,
): AsyncGenerator<{ text: string; start: number; isWhole: boolean }> {
  const chunk = Buffer.alloc(1 << 16);
  let rest = Buffer.alloc(0);
  let start = 0;
  // Line breaks before this place are within a row.
  let from = 0;
  for (let position = 0; ; ) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
    for (let at = rest.indexOf(10, from); at >= 0; at = rest.indexOf(10, from)) {
      const text = rest.toString('utf8', 0, at);
      from = at + 1;
      if (!rules.isWhole(text)) continue;
      yield { text, start, isWhole: true };
      start += from;
      rest = rest.subarray(from);
      from = 0;
    }
  }
  if (rest.length > 0) yield { text: rest.toString('utf8'), start, isWhole: false };
}
