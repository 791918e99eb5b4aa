/** Rows of CSV as RFC 4180 has them, so that every reader gets each field back. */
import { createRequire } from 'node:module';

const load = createRequire(import.meta.url);

// Loaded with the first rows: a run that has none does not wait for them.
type Stringify = typeof import('csv-stringify/sync').stringify;
let stringify: Stringify | undefined;
type Parse = typeof import('csv-parse/sync').parse;
let parse: Parse | undefined;

/** The lines of rows, each with its line break. Undefined is an empty field. */
export function csvLines(rows: readonly (readonly (string | number | undefined)[])[]): string {
  stringify ??= loadStringify();
  // By itself the library leaves a lone carriage return unquoted, which readers take for a line's end.
  return stringify(
    rows.map((row) => [...row]),
    { quoted_match: /\r/ },
  );
}

/** The fields of one row, which may stand on several lines. @throws Error where it is no CSV */
export function csvFields(row: string): string[] {
  parse ??= loadParse();
  const [fields = []]: string[][] = parse(row);
  return fields;
}

function loadStringify(): Stringify {
  const library: typeof import('csv-stringify/sync') = load('csv-stringify/sync');
  return library.stringify;
}

function loadParse(): Parse {
  const library: typeof import('csv-parse/sync') = load('csv-parse/sync');
  return library.parse;
}
