/** Reads tables of captions: CSV, TSV and columns parted by bars or semicolons. */

import { InputError } from '../../base/errors.ts';
import { errorCode } from '../../base/files.ts';
import { type Context, type Describe, describeLine } from './context.ts';
import { columnName, numberedText, tableShape } from './formats.ts';
import { idFields, type Role, textFields } from './records.ts';

/** Hands the captions of a table to the sink, row by row. */
export async function readTable(context: Context): Promise<Describe> {
  const { source, role, sink, keep, notes } = context;
  const { parse } = await import('csv-parse');
  const { pipeline } = await import('node:stream/promises');
  const delimiter = context.format === 'tsv' ? '\t' : ',';
  const shape = tableShape(source.head, source.whole) ?? { delimiter, header: false };
  let columns: TableColumns | undefined;
  let line = 0;
  let mended = 0;
  const read = (cells: string[]): void => {
    let record = cells;
    if (!columns) {
      columns = tableColumns(source.name, role, shape.header ? record : undefined, record.length);
      if (shape.header) return;
    }
    // Flickr30k's results.csv has a row "2199200615.jpg| 4   A dog runs ...": number and caption in one.
    const joined = shape.delimiter === '|' ? /^(\d)\s+(\S.*)$/s.exec(record.at(-1) ?? '') : null;
    if (joined && record.length === columns.count - 1) {
      record = [...record.slice(0, -1), joined[1], joined[2]];
      mended++;
    }
    if (record.length !== columns.count)
      throw new InputError(
        `${source.name}: line ${line} has ${record.length} columns where ${columns.count} are expected; put a caption that holds the separator between double quotes.`,
      );
    if (columns.split >= 0 && !keep.takes(record[columns.split])) return;
    const id = record[columns.id];
    if (id === '')
      throw new InputError(
        `${source.name}: line ${line} names no image; write its id or file name in column ${columns.id + 1}.`,
      );
    for (const column of columns.texts) sink.caption(id, record[column], line);
  };
  const parser = parse({
    delimiter: shape.delimiter,
    record_delimiter: ['\r\n', '\n'],
    relax_quotes: true,
    relax_column_count: true,
    skip_empty_lines: true,
    trim: shape.delimiter === '|',
    // Records are used up as they are parsed: none goes down the stream.
    on_record: (record: string[], { lines }) => {
      line = lines;
      read(record);
      return null;
    },
  });
  try {
    await pipeline(source.pieces, parser, async (records) => {
      for await (const _ of records);
    });
  } catch (error) {
    if (errorCode(error) === 'CSV_QUOTE_NOT_CLOSED')
      throw new InputError(
        `${source.name}: a double quote that opens after line ${line} is never closed; close it, or write it twice inside a quoted caption.`,
      );
    throw error;
  }
  if (mended > 0)
    notes.push(
      `${source.name}: ${mended} ${mended === 1 ? 'row lacks' : 'rows lack'} the separator between number and caption (a known slip of the file) and ${mended === 1 ? 'was' : 'were'} read as meant.`,
    );
  return describeLine;
}

interface TableColumns {
  count: number;
  id: number;
  texts: number[];
  split: number;
}

function tableColumns(
  name: string,
  role: Role,
  header: string[] | undefined,
  count: number,
): TableColumns {
  if (!header) {
    if (count >= 2) {
      const texts =
        role === 'candidates' ? [1] : Array.from({ length: count - 1 }, (_, i) => i + 1);
      return { count, id: 0, texts, split: -1 };
    }
    throw new InputError(
      `${name}: line 1 has one column; a table needs the image and its caption, or name another format with --${role}-format.`,
    );
  }
  const cells = header.map(columnName);
  const first = (names: string[]): number =>
    cells.indexOf(names.map(columnName).find((field) => cells.includes(field)) ?? '');
  const numbered = cells.flatMap((cell, i) => (numberedText.test(cell) ? [i] : []));
  // Flickr30k's comment_number counts, it is no text.
  const plain = first(textFields[role]);
  const texts = plain >= 0 ? [plain] : role === 'references' ? numbered : [];
  const id = first(idFields);
  if (id < 0 || texts.length === 0)
    throw new InputError(
      `${name}: line 1 names the columns ${header.join(', ')}; name the image's column image_id and the caption's column caption.`,
    );
  return { count: header.length, id, texts, split: cells.indexOf('split') };
}
