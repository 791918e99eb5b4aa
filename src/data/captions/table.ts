/** Reads tables of captions: CSV, TSV and columns parted by bars or semicolons. */

import { InputError } from '../../base/errors.ts';
import { errorCode } from '../../base/files.ts';
import { plural } from '../../base/plural.ts';
import { type Context, type Describe, describeLine } from './context.ts';
import {
  fieldKey,
  imageField,
  isAddress,
  isFileName,
  numberedText,
  numberFields,
  textFields,
} from './fields.ts';
import { type TableShape, tableShape } from './formats.ts';
import { partedByReturns } from './source.ts';

/** Hands the captions of a table to the sink, row by row. */
export async function readTable(context: Context): Promise<Describe> {
  const { source } = context;
  const { parse } = await import('csv-parse');
  const { pipeline } = await import('node:stream/promises');
  const delimiter = context.format === 'tsv' ? '\t' : ',';
  const shape = tableShape(source.head, source.whole) ?? { delimiter, header: false };
  const table = new Table(context, shape);
  const parser = parse({
    delimiter: shape.delimiter,
    record_delimiter: partedByReturns(source.head) ? ['\r\n', '\n', '\r'] : ['\r\n', '\n'],
    relax_quotes: true,
    relax_column_count: true,
    skip_empty_lines: true,
    trim: shape.delimiter === '|',
    // Records are used up as they are parsed: none goes down the stream.
    on_record: (record: string[], { lines }) => {
      table.row(record, lines);
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
        `${source.name}: a double quote that opens after line ${table.line} is never closed; close it, or write it twice inside a quoted caption.`,
      );
    throw error;
  }
  table.end();
  return describeLine;
}

/** Takes the rows of a table, in their order. */
class Table {
  readonly #context: Context;
  readonly #shape: TableShape;
  #header: string[] | undefined;
  #columns: TableColumns | undefined;
  #mended = 0;
  /** The last line that was read. */
  line = 0;

  constructor(context: Context, shape: TableShape) {
    this.#context = context;
    this.#shape = shape;
  }

  row(cells: string[], line: number): void {
    const { source, sink, keep } = this.#context;
    this.line = line;
    if (this.#shape.header && !this.#header) {
      this.#header = cells;
      return;
    }
    this.#columns ??= this.#header
      ? namedColumns(this.#context, this.#header, cells)
      : plainColumns(this.#context, cells);
    const columns = this.#columns;
    const record = this.#mend(cells, columns.count);
    if (record.length !== columns.count)
      throw new InputError(
        `${source.name}: line ${line} has ${record.length} columns where ${columns.count} are expected; put a caption that holds the separator between double quotes.`,
      );
    if (columns.split >= 0 && !keep.takes(record[columns.split])) return;
    sink.review?.(columns.review < 0 ? undefined : record[columns.review]);
    const id = record[columns.image];
    if (id === '')
      throw new InputError(
        `${source.name}: line ${line} names no image; write its id or file name in column ${columns.image + 1}.`,
      );
    for (const column of columns.numbers)
      if (record[column] !== '') sink.alias?.(id, record[column], 'number');
    for (const column of columns.texts) sink.caption(id, record[column], line);
  }

  /** Flickr30k's results.csv has a row "2199200615.jpg| 4   A dog runs ...": number and caption in one. */
  #mend(cells: string[], count: number): string[] {
    if (this.#shape.delimiter !== '|' || cells.length !== count - 1) return cells;
    const joined = /^(\d)\s+(\S.*)$/s.exec(cells.at(-1) ?? '');
    if (!joined) return cells;
    this.#mended++;
    return [...cells.slice(0, -1), joined[1], joined[2]];
  }

  end(): void {
    const { source, notes } = this.#context;
    // A table of a header alone still says which columns it lacks.
    if (this.#header && !this.#columns) namedColumns(this.#context, this.#header, []);
    if (this.#mended > 0)
      notes.push(
        `${source.name}: ${plural(this.#mended, 'row lacks', 'rows lack')} the separator between number and caption (a known slip of the file) and ${this.#mended === 1 ? 'was' : 'were'} read as meant.`,
      );
  }
}

interface TableColumns {
  count: number;
  image: number;
  /** Columns with other names of the image. */
  numbers: number[];
  texts: number[];
  split: number;
  /** What a reviewer said, where the table has it with the reviewer's name. */
  review: number;
}

/** Columns of a table without a header: the image, then its captions. */
function plainColumns({ source, role, columns }: Context, cells: readonly string[]): TableColumns {
  const { length } = cells;
  const asked = columns.image ?? columns.caption;
  if (asked !== undefined)
    throw new InputError(
      `${source.name}: line 1 is no header, so there is no column "${asked}"; write one above it.`,
    );
  if (length < 2)
    throw new InputError(
      `${source.name}: line 1 has one column; a table needs the image and its caption, or name another format with --${role}-format.`,
    );
  if (isAddress(cells[1] ?? '') && !isFileName(cells[0]) && !isAddress(cells[0] ?? ''))
    throw new InputError(
      `${source.name}: line 1 is a caption and an address, as Conceptual Captions has them; fetch the pictures first (for example img2dataset --input_format tsv --output_format webdataset), and name the shards.`,
    );
  const texts = role === 'candidates' ? [1] : Array.from({ length: length - 1 }, (_, i) => i + 1);
  return { count: length, image: 0, numbers: [], texts, split: -1, review: -1 };
}

/** Columns by their names, and by the first row, which shows what are paths. */
function namedColumns(
  { source, role, columns, isDataset }: Context,
  header: readonly string[],
  row: readonly string[],
): TableColumns {
  const keys = header.map(fieldKey);
  const asked = (name: string): number => {
    const exact = header.findIndex((cell) => cell.trim() === name);
    const column = exact >= 0 ? exact : keys.indexOf(fieldKey(name));
    if (column < 0)
      throw new InputError(
        `${source.name}: line 1 has no column "${name}"; it has ${header.join(', ')}.`,
      );
    return column;
  };
  const values = new Map<string, unknown>();
  keys.forEach((key, i) => {
    if (!values.has(key)) values.set(key, row[i]);
  });
  const image =
    columns.image === undefined ? keys.indexOf(imageField(values) ?? '\0') : asked(columns.image);
  // Flickr30k's comment_number counts, it is no text.
  const plain =
    columns.caption === undefined
      ? keys.indexOf(textFields[role].find((name) => keys.includes(name)) ?? '\0')
      : asked(columns.caption);
  const numbered = keys.flatMap((key, i) => (numberedText.test(key) ? [i] : []));
  const texts = plain >= 0 ? [plain] : role === 'references' ? numbered : [];
  if (image < 0 || texts.length === 0)
    throw new InputError(
      `${source.name}: line 1 names the columns ${header.join(', ')}; name the image's column image_id and the caption's column caption${isDataset ? ', or say which they are with --image-column and --caption-column' : ''}.`,
    );
  const numbers = keys.flatMap((key, i) => (i !== image && numberFields.includes(key) ? [i] : []));
  const review = keys.includes('reviewer') ? keys.indexOf('review') : -1;
  return { count: header.length, image, numbers, texts, split: keys.indexOf('split'), review };
}
