/** Rows of CSV as RFC 4180 has them, so that every reader gets each field back. */
import { stringify } from 'csv-stringify/sync';

/** The lines of rows, each with its line break. Undefined is an empty field. */
export function csvLines(rows: readonly (readonly (string | number | undefined)[])[]): string {
  // By itself the library leaves a lone carriage return unquoted, which readers take for a line's end.
  return stringify(
    rows.map((row) => [...row]),
    { quoted_match: /\r/ },
  );
}
