/** Drafts in JSON: a row a line, or an array of rows. */
import { createReadStream } from 'node:fs';
import type { TextDecoder as Decoder } from 'node:util';
import { InputError } from '../../base/errors.ts';
import { readJsonFile, writeFileAtomic } from '../../base/files.ts';
import { parseJson } from '../../base/json.ts';
import type { ReviewDecision } from '../decisions/decision.ts';
import type { DraftCaption } from './draft.ts';
import { draftOfRow, reviewedRow } from './row.ts';

type Decided = ReadonlyMap<string, ReviewDecision>;

/** @throws InputError naming the line that is no draft, or that comes twice */
export async function readJsonLines(path: string): Promise<DraftCaption[]> {
  const drafts = new DraftList();
  for await (const { text, place } of rowLines(path))
    if (text.trim() !== '') drafts.add(draftOfRow(parseJson(text, place), place), place);
  return drafts.all;
}

/** Writes decisions into the lines of their pictures; other lines stay byte for byte. */
export async function writeJsonLines(path: string, target: string, decided: Decided) {
  if (decided.size === 0) return 0;
  const changes = { count: 0 };
  async function* lines(): AsyncGenerator<string> {
    for await (const { text, place, end } of rowLines(path)) {
      const row = text.trim() === '' ? undefined : parseJson(text, place);
      const written = row === undefined ? undefined : changed(row, decided, place);
      if (written) changes.count += 1;
      yield (written ?? text) + end;
    }
  }
  await writeFileAtomic(target, lines());
  return changes.count;
}

/** @throws InputError naming the row that is no draft, or that comes twice */
export async function readJsonArray(path: string): Promise<DraftCaption[]> {
  const drafts = new DraftList();
  for (const { row, place } of await rowsOf(path)) drafts.add(draftOfRow(row, place), place);
  return drafts.all;
}

/** Writes the array anew, a row a line, with the decisions in their rows. */
export async function writeJsonArray(path: string, target: string, decided: Decided) {
  let count = 0;
  const rows = (await rowsOf(path)).map(({ row, place }) => {
    const written = changed(row, decided, place);
    if (written) count += 1;
    return written ?? JSON.stringify(row);
  });
  if (count === 0) return 0;
  await writeFileAtomic(target, `[\n${rows.join(',\n')}\n]\n`);
  return count;
}

/** The row's new text, where a decision on its picture is not there yet. */
function changed(row: unknown, decided: Decided, place: string): string | undefined {
  const { file, decision: before } = draftOfRow(row, place);
  const decision = decided.get(file);
  if (!decision || (before && isSame(before, decision))) return undefined;
  return JSON.stringify(reviewedRow(row, decision, place));
}

function isSame(a: ReviewDecision, b: ReviewDecision): boolean {
  return a.verdict === b.verdict && a.text === b.text && a.by === b.by && a.when === b.when;
}

/** Drafts of which each picture has one. */
export class DraftList {
  readonly #byFile = new Map<string, DraftCaption>();

  add(draft: DraftCaption, place: string): void {
    if (this.#byFile.has(draft.file))
      throw new InputError(`${place}: ${draft.file} comes a second time; keep one row a picture.`);
    this.#byFile.set(draft.file, draft);
  }

  get all(): DraftCaption[] {
    return [...this.#byFile.values()];
  }
}

async function rowsOf(path: string): Promise<{ row: unknown; place: string }[]> {
  const value = await readJsonFile(path);
  if (!Array.isArray(value))
    throw new InputError(`${path}: this is no array of rows, as refcap caption writes it.`);
  return value.map((row: unknown, i) => ({ row, place: `${path}: $[${i}]` }));
}

interface RowLine {
  readonly text: string;
  readonly place: string;
  /** What ends it. */
  readonly end: string;
}

/** The lines of a file. @throws InputError when it cannot be read or is not UTF-8 */
async function* rowLines(path: string): AsyncGenerator<RowLine> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  let number = 0;
  for await (const chunk of createReadStream(path)) {
    const lines = (rest + decoded(decoder, chunk, path)).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) yield { text, place: `${path}: line ${++number}`, end: '\n' };
  }
  rest += decoded(decoder, undefined, path);
  if (rest !== '') yield { text: rest, place: `${path}: line ${++number}`, end: '' };
}

function decoded(decoder: Decoder, bytes: Uint8Array | undefined, path: string): string {
  try {
    return decoder.decode(bytes, { stream: bytes !== undefined });
  } catch {
    throw new InputError(`${path}: not valid UTF-8; convert it, for example with iconv.`);
  }
}
