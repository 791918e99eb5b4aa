/** Tables of text. */

/**
 * A line for each row, its cells in columns that are as wide as the widest, two spaces between them.
 * @param rows as long as the first one
 * @param isRight which columns stand to the right: by default all but the first
 */
export function alignedLines(
  rows: readonly (readonly string[])[],
  isRight: (column: number) => boolean = (column) => column > 0,
): string[] {
  const [first = []] = rows;
  const widths = first.map((_, i) => rows.reduce((most, row) => Math.max(most, row[i].length), 0));
  return rows.map((row) =>
    row
      .map((cell, i) => (isRight(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join('  ')
      .trimEnd(),
  );
}
