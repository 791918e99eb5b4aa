/** Rows of CSV as RFC 4180 has them, so that every reader gets each field back. */
import { createRequire } from 'node:module';

type Stringify = typeof import('csv-stringify/sync').stringify;

let stringify: Stringify | undefined;

/** The lines of rows, each with its line break. Undefined is an empty field. */
export function csvLines(rows: readonly (readonly (string | number | undefined)[])[]): string {
  stringify ??= loadStringify();
  // By itself the library leaves a lone carriage return unquoted, which readers take for a line's end.
  return stringify(
    rows.map((row) => [...row]),
    { quoted_match: /\r/ },
  );
}

/** Loaded with the first rows: a run that writes none does not wait for it. */
function loadStringify(): Stringify {
  const library: typeof import('csv-stringify/sync') = createRequire(import.meta.url)(
    'csv-stringify/sync',
  );
  return library.stringify;
}
