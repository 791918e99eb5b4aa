/** Drafts in CSV: a line a picture, or a line for each of its candidates. */
import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { csvLines } from '../../base/csv.ts';
import { InputError } from '../../base/errors.ts';
import { writeFileAtomic } from '../../base/files.ts';
import { fieldKey, imageField, textFields } from '../../data/captions/fields.ts';
import { isAccepted, type ReviewDecision, type Verdict, verdicts } from '../decisions/decision.ts';
import type { DraftCandidate, DraftCaption } from './draft.ts';

/** Columns that decisions are written into, behind those that are there. */
const ownColumns = ['review', 'reviewer', 'reviewed', 'seconds', 'draft'] as const;
type OwnColumn = (typeof ownColumns)[number];

/** What stands in `review` beside a candidate that was not taken. */
export const unchosen = 'unchosen';

interface CsvTable {
  readonly header: readonly string[];
  /** Each as wide as the header. */
  readonly rows: readonly (readonly string[])[];
  readonly file: number;
  readonly text: number;
  /** -1 where there is none. */
  readonly confidence: number;
  readonly meanLogprob: number;
  readonly own: Readonly<Record<OwnColumn, number>>;
}

/** @throws InputError naming what is wrong with the table */
export async function readCsvDrafts(path: string): Promise<DraftCaption[]> {
  const table = await readTableFile(path);
  return [...lineGroups(table)].map(([file, lines]) => draftOfLines(table, file, lines));
}

/** Writes the table anew with the decisions. @returns how many pictures changed */
export async function writeCsvDrafts(
  path: string,
  target: string,
  decided: ReadonlyMap<string, ReviewDecision>,
): Promise<number> {
  const table = await readTableFile(path);
  const changes = new Map<number, string[]>();
  let count = 0;
  for (const [file, lines] of lineGroups(table)) {
    const decision = decided.get(file);
    if (!decision || isWritten(table, lines, decision)) continue;
    count += 1;
    for (const [line, row] of reviewedLines(table, lines, decision)) changes.set(line, row);
  }
  const added = ownColumns.filter((name) => table.own[name] >= table.header.length);
  const header = [...table.header, ...added];
  if (count === 0) return 0;
  const rows = table.rows.map((row, line) => changes.get(line) ?? padded(row, header.length));
  await writeFileAtomic(target, csvLines([header, ...rows]));
  return count;
}

async function readTableFile(path: string): Promise<CsvTable> {
  const text = await readFile(path, 'utf8');
  if (text.includes('\ufffd'))
    throw new InputError(`${path}: not valid UTF-8; convert it, for example with iconv.`);
  const [header, ...rows] = parsedRows(text, path);
  if (header === undefined) throw new InputError(`${path}: the file is empty.`);
  const wrong = rows.findIndex(({ length }) => length !== header.length);
  if (wrong >= 0)
    throw new InputError(
      `${path}: row ${wrong + 2} has ${rows[wrong].length} columns where ${header.length} are expected.`,
    );
  const keys = header.map(fieldKey);
  const values = new Map(keys.map((key, i) => [key, rows[0]?.[i]]));
  const file = keys.indexOf(imageField(values) ?? '\0');
  const text_ = keys.indexOf(textFields.candidates.find((key) => keys.includes(key)) ?? '\0');
  if (file < 0 || text_ < 0)
    throw new InputError(
      `${path}: line 1 names the columns ${header.join(', ')}; name the picture's column file and the caption's column caption.`,
    );
  const missing = ownColumns.filter((name) => !header.includes(name));
  const placeOf = (name: OwnColumn): number =>
    header.includes(name) ? header.indexOf(name) : header.length + missing.indexOf(name);
  return {
    ...{ header, rows, file, text: text_ },
    confidence: keys.indexOf('confidence'),
    meanLogprob: keys.indexOf('meanlogprob'),
    own: {
      review: placeOf('review'),
      reviewer: placeOf('reviewer'),
      reviewed: placeOf('reviewed'),
      seconds: placeOf('seconds'),
      draft: placeOf('draft'),
    },
  };
}

function parsedRows(text: string, path: string): string[][] {
  try {
    return parse(text, { bom: true, relax_column_count: true, skip_empty_lines: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(`${path}: not CSV (${reason.split('\n')[0]}).`);
  }
}

/** The lines of each picture, in their order. */
function lineGroups({ rows, file }: CsvTable): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (const [line, row] of rows.entries()) {
    const list = groups.get(row[file]);
    if (list) list.push(line);
    else groups.set(row[file], [line]);
  }
  return groups;
}

function draftOfLines(table: CsvTable, file: string, lines: readonly number[]): DraftCaption {
  const cell = (line: number, column: number): string => table.rows[line][column] ?? '';
  const decision = decisionOf(table, file, lines);
  const candidates = lines.map((line): DraftCandidate => {
    const changed = cell(line, table.own.draft);
    const text = changed === '' ? cell(line, table.text) : changed;
    const confidence = confidenceOf(table, table.rows[line]);
    return confidence === undefined ? { text } : { text, confidence };
  });
  return { file, candidates, ...(decision && { decision }) };
}

function confidenceOf(table: CsvTable, row: readonly string[]): number | undefined {
  const own = Number.parseFloat(row[table.confidence] ?? '');
  if (Number.isFinite(own)) return own;
  const mean = Number.parseFloat(row[table.meanLogprob] ?? '');
  return Number.isFinite(mean) ? Math.exp(mean) : undefined;
}

/** What the lines of a picture say was decided. */
function decisionOf(
  table: CsvTable,
  file: string,
  lines: readonly number[],
): ReviewDecision | undefined {
  const { own, rows, text } = table;
  const line = lines.find((each) => isVerdict(rows[each][own.review]));
  const verdict = line === undefined ? undefined : rows[line][own.review];
  if (line === undefined || !isVerdict(verdict)) return undefined;
  const row = rows[line];
  const first = rows[lines[0]];
  return {
    ...{ file, verdict, draft: first[own.draft] || first[text] },
    text: verdict === 'wrong' ? '' : row[text],
    ...{ by: row[own.reviewer] ?? '', when: row[own.reviewed] ?? '' },
    seconds: Number(row[own.seconds]) || 0,
  };
}

function isVerdict(value: string | undefined): value is Verdict {
  return verdicts.some((verdict) => verdict === value);
}

function isWritten(table: CsvTable, lines: readonly number[], decision: ReviewDecision): boolean {
  const before = decisionOf(table, decision.file, lines);
  return (
    before?.verdict === decision.verdict &&
    before.text === decision.text &&
    before.by === decision.by &&
    before.when === decision.when
  );
}

/**
 * A picture's lines with what was decided: the accepted candidate's, or the first with another text; the others are
 * marked as not chosen.
 */
function reviewedLines(
  table: CsvTable,
  lines: readonly number[],
  decision: ReviewDecision,
): [number, string[]][] {
  const { own, header } = table;
  const width = Math.max(header.length, ...Object.values(own).map((column) => column + 1));
  const original = (line: number): string =>
    table.rows[line][own.draft] || table.rows[line][table.text];
  const taken =
    lines.find((line) => isAccepted(decision) && original(line) === decision.text) ?? lines[0];
  return lines.map((line) => {
    const row = padded(table.rows[line], width);
    const isTaken = line === taken;
    const isChanged = isTaken && isAccepted(decision) && decision.text !== original(line);
    row[table.text] = isChanged ? decision.text : original(line);
    row[own.draft] = isChanged ? original(line) : '';
    row[own.review] = isTaken || !isAccepted(decision) ? decision.verdict : unchosen;
    row[own.reviewer] = decision.by;
    row[own.reviewed] = decision.when;
    row[own.seconds] = String(decision.seconds);
    return [line, row];
  });
}

function padded(row: readonly string[], width: number): string[] {
  return Array.from({ length: width }, (_, i) => row[i] ?? '');
}
