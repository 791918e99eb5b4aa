/** A user's file of concepts: names that may appear, or the scores of names for each picture. */
import { extname } from 'node:path';
import { parse } from 'csv-parse/sync';
import * as z from 'zod';
import { InputError } from '../../base/errors.ts';
import { readTextIfThere } from '../../base/files.ts';
import { parseJson } from '../../base/json.ts';
import type { ConceptScoresByName } from './names.ts';

export type ConceptFile =
  | { readonly kind: 'names'; readonly names: readonly string[] }
  /** By the pictures' names in the file. */
  | { readonly kind: 'scores'; readonly scores: ReadonlyMap<string, ConceptScoresByName> };

const probability = z.number().min(0).max(1);
const rowSchema = z.object({
  file: z.string().min(1),
  concepts: z.record(z.string(), probability),
});
type Row = z.infer<typeof rowSchema>;

/**
 * Reads a list of names (`.txt`: one a line; `.json`: an array), or rows of scores: JSON and JSON lines
 * `{"file", "concepts": {"name": p}}`, CSV `file,concept,probability`.
 * @throws InputError naming the file, the line or row and what is wrong with it
 */
export async function readConceptFile(path: string): Promise<ConceptFile> {
  const text = (await readTextIfThere(path))?.replace(/^\ufeff/, '');
  if (text === undefined) throw new InputError(`${path}: there is no such file of concepts.`);
  const file = conceptsIn(text, path);
  const count = file.kind === 'names' ? file.names.length : file.scores.size;
  if (count === 0) throw new InputError(`${path}: the file names no concept.`);
  return file;
}

function conceptsIn(text: string, path: string): ConceptFile {
  switch (extname(path).toLowerCase()) {
    case '.json':
      return ofJson(parseJson(text, path), path);
    case '.jsonl':
    case '.ndjson':
      return scoresOf(
        linesOf(text).map(({ line, number }) => {
          const place = `${path}, line ${number}`;
          return { row: checkedRow(parseJson(line, place), place), place };
        }),
      );
    case '.csv':
      return scoresOf(csvRows(text, path));
    default:
      return { kind: 'names', names: linesOf(text).map(({ line }) => line.trim()) };
  }
}

function linesOf(text: string): { line: string; number: number }[] {
  return text
    .split(/\r?\n/)
    .map((line, i) => ({ line, number: i + 1 }))
    .filter(({ line }) => line.trim() !== '');
}

function ofJson(json: unknown, path: string): ConceptFile {
  if (!Array.isArray(json))
    throw new InputError(
      `${path}: this is no list; write ["name", ...], or [{"file": "a.jpg", "concepts": {"name": 0.9}}, ...].`,
    );
  const names = z.array(z.string().min(1)).safeParse(json);
  if (names.success) return { kind: 'names', names: names.data };
  const rows = json.map((row: unknown, i) => {
    const place = `${path}, row ${i + 1}`;
    return { row: checkedRow(row, place), place };
  });
  return scoresOf(rows);
}

function checkedRow(json: unknown, place: string): Row {
  const row = rowSchema.safeParse(json);
  if (row.success) return row.data;
  const [issue] = row.error.issues;
  throw new InputError(
    `${place}: ${issue.path.join('.') || 'the row'}: ${issue.message}; a row is {"file": "a.jpg", "concepts": {"name": 0.9}}, with probabilities from 0 to 1.`,
  );
}

const csvSchema = z.object({
  file: z.string().min(1),
  concept: z.string().min(1),
  probability: z.string().min(1).transform(Number).pipe(probability),
});

function csvRows(text: string, path: string): PlacedRow[] {
  let records: unknown[];
  try {
    records = parse(text, { columns: true, skip_empty_lines: true, trim: true });
  } catch (error) {
    throw new InputError(`${path}: ${error instanceof Error ? error.message : String(error)}.`);
  }
  return records.map((record, i) => {
    const place = `${path}, row ${i + 1}`;
    const found = csvSchema.safeParse(record);
    if (!found.success)
      throw new InputError(
        `${place}: ${found.error.issues[0].path.join('.')}: ${found.error.issues[0].message}; the columns are file,concept,probability, with probabilities from 0 to 1.`,
      );
    const { file, concept, probability: p } = found.data;
    return { row: { file, concepts: { [concept]: p } }, place };
  });
}

interface PlacedRow {
  readonly row: Row;
  readonly place: string;
}

/** @throws InputError for a name that is scored twice for a picture */
function scoresOf(rows: readonly PlacedRow[]): ConceptFile {
  const scores = new Map<string, Record<string, number>>();
  for (const { row, place } of rows) {
    const own = scores.get(row.file) ?? {};
    const twice = Object.keys(row.concepts).find((name) => Object.hasOwn(own, name));
    if (twice !== undefined)
      throw new InputError(`${place}: ${row.file} has a score for '${twice}' already.`);
    scores.set(row.file, { ...own, ...row.concepts });
  }
  return { kind: 'scores', scores };
}

/**
 * A picture's scores: by its whole name, else by the longest end of its path that the file has.
 * @throws InputError when the file has none
 */
export function scoresOfPicture(
  scores: ReadonlyMap<string, ConceptScoresByName>,
  picture: string,
  path: string,
): ConceptScoresByName {
  const parts = picture.split(/[\\/]/);
  const ends = [picture, ...parts.map((_, i) => parts.slice(i).join('/'))];
  const found = ends.find((end) => scores.has(end));
  const own = found === undefined ? undefined : scores.get(found);
  if (own) return own;
  throw new InputError(`${picture}: ${path} has no scores of concepts for it.`);
}
