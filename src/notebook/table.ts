/** Tables in cells: texts, numbers and pictures. */
import { alignedLines } from '../base/table.ts';
import { escapeHtml } from '../pages/frame.ts';
import { imageTag, type ShownImage } from './picture.ts';
import { Shown } from './shown.ts';

/** What stands in a table: numbers stand to the right, as they are given. */
export type TableCell = string | number | ShownImage;

/**
 * A table. In plain text, columns stand apart by two spaces, and pictures by their descriptions.
 * @param heads one for each column
 * @throws RangeError where a row has another number of cells
 */
export function showTable(
  heads: readonly string[],
  rows: readonly (readonly TableCell[])[],
): Shown {
  for (const [i, row] of rows.entries())
    if (row.length !== heads.length)
      throw new RangeError(
        `row ${i} of the table has ${row.length} cells, and there are ${heads.length} heads`,
      );
  const isNumber = heads.map(
    (_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'),
  );
  const side = (column: number): string => (isNumber[column] ? 'right' : 'left');
  const head = heads.map(
    (text, column) => `<th style="text-align: ${side(column)}">${escapeHtml(text)}</th>`,
  );
  const body = rows.map((row) => {
    const cells = row.map(
      (cell, column) => `<td style="text-align: ${side(column)}">${cellHtml(cell)}</td>`,
    );
    return `<tr>${cells.join('')}</tr>`;
  });
  return new Shown(
    `<table><thead><tr>${head.join('')}</tr></thead>\n<tbody>${body.join('\n')}</tbody></table>`,
    alignedLines([heads, ...rows.map((row) => row.map(cellText))], (i) => isNumber[i]).join('\n'),
  );
}

function cellHtml(cell: TableCell): string {
  return typeof cell === 'object' ? imageTag(cell) : escapeHtml(String(cell));
}

function cellText(cell: TableCell): string {
  return typeof cell === 'object' ? cell.description : String(cell);
}
