/** One reader a caption format; all hand their captions to a CaptionSink. */
import { InputError } from '../base/errors.ts';
import {
  type CaptionFormat,
  columnName,
  flickrLine,
  numberedText,
  recognizeFormat,
  tableShape,
} from './captions-formats.ts';
import { type JsonEntry, JsonWalker, jsonPath } from './captions-json.ts';
import {
  type CaptionSink,
  idFields,
  isObject,
  type JsonObject,
  type Place,
  RecordReader,
  type Role,
  textFields,
  typeName,
} from './captions-records.ts';
import { forEachLine, openText, type TextSource } from './captions-source.ts';

export interface ReadOptions {
  /** What the file is, where its content misleads. */
  format?: CaptionFormat | undefined;
  /** Only records of these splits (of a field or column `split`). */
  splits?: readonly string[] | undefined;
}

/** What was read, beyond the captions. */
export interface ReadResult {
  /** How messages call the file. */
  name: string;
  format: CaptionFormat;
  /** A place of the file in words: "line 3" or a JSON path. */
  describe(place: Place): string;
  /** Things a person should know, such as lines left out. */
  notes: string[];
}

interface Context {
  source: TextSource;
  role: Role;
  sink: CaptionSink;
  records: RecordReader;
  keep: SplitFilter;
  notes: string[];
}

/**
 * Reads every caption of `path` into `sink`, in file order.
 * @throws InputError naming the file and the line or JSON path at the first fault.
 */
export async function readCaptionFile(
  path: string,
  role: Role,
  options: ReadOptions,
  sink: CaptionSink,
): Promise<ReadResult> {
  const source = await openText(path);
  const format = options.format ?? recognizeFormat(source.head, source.whole);
  const keep = new SplitFilter(source.name, options.splits, sink);
  const notes: string[] = [];
  const records = new RecordReader(source.name, role, sink);
  const describe = await readers[format]({ source, role, sink, records, keep, notes });
  keep.check();
  return { name: source.name, format, describe, notes };
}

type Describe = (place: Place) => string;
const describeLine: Describe = (place) => `line ${place}`;

const readers: { [Format in CaptionFormat]: (context: Context) => Promise<Describe> } = {
  json: readJson,
  jsonl: readJsonLines,
  csv: readTable,
  tsv: readTable,
  flickr: readFlickr,
  text: readText,
};

/** Chooses records by their split, and remembers which splits there are. */
class SplitFilter {
  readonly #file: string;
  readonly #wanted: Set<string> | undefined;
  readonly #seen = new Set<string>();
  readonly #sink: CaptionSink;

  constructor(file: string, wanted: readonly string[] | undefined, sink: CaptionSink) {
    this.#file = file;
    this.#wanted = wanted && new Set(wanted);
    this.#sink = sink;
  }

  takes(split: unknown): boolean {
    this.#sink.split?.(typeof split === 'string' ? split : undefined);
    if (this.#wanted === undefined) return true;
    if (typeof split !== 'string') return false;
    this.#seen.add(split);
    return this.#wanted.has(split);
  }

  /** @throws InputError when a wanted split is not in the file. */
  check(): void {
    for (const split of this.#wanted ?? []) {
      if (this.#seen.has(split)) continue;
      throw new InputError(
        this.#seen.size === 0
          ? `${this.#file}: nothing here belongs to a split; leave out --split, or give a Karpathy dataset_*.json.`
          : `${this.#file}: there is no split "${split}"; choose from ${[...this.#seen].sort().join(', ')}.`,
      );
    }
  }
}

async function readText({ source, sink }: Context): Promise<Describe> {
  await forEachLine(source, (text, number) => sink.caption(undefined, text, number));
  return describeLine;
}

async function readFlickr({ source, role, sink, notes }: Context): Promise<Describe> {
  let strays = 0;
  let stray = '';
  let previous = '';
  await forEachLine(source, (text, number) => {
    if (text.trim() === '') return;
    const match = flickrLine.exec(text);
    if (!match)
      throw new InputError(
        `${source.name}: line ${number} should be NAME#NUMBER, a tab and a caption; correct it, or name the format with --${role}-format.`,
      );
    const [, name = '', , caption = ''] = match;
    // Flickr8k.token.txt has captions of NAME.jpg.1, an image that does not exist.
    if (/\.jpg\.\d+$/.test(name)) {
      strays++;
      stray = name;
      return;
    }
    // A fresh copy an image: a slice would keep its whole piece of the file in memory.
    if (name !== previous) previous = Buffer.from(name).toString();
    sink.caption(previous, caption, number);
  });
  if (strays > 0)
    notes.push(
      `${source.name}: left out ${strays} ${strays === 1 ? 'line' : 'lines'} of ${stray}, an image that does not exist (a known slip of the file).`,
    );
  return describeLine;
}

async function readJsonLines({ source, records, keep }: Context): Promise<Describe> {
  await forEachLine(source, (text, number) => {
    if (text.trim() === '') return;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new InputError(
        `${source.name}: line ${number} is not valid JSON (${reason}); correct it there, each line is one JSON object.`,
      );
    }
    if (!isObject(value))
      throw new InputError(
        `${source.name}: line ${number} should be a JSON object but is ${typeName(value)}.`,
      );
    if (keep.takes(value.split)) records.record(value, number, () => `line ${number}, $`);
  });
  return describeLine;
}

async function readTable({ source, role, sink, keep, notes }: Context): Promise<Describe> {
  const { parse } = await import('csv-parse');
  const { pipeline } = await import('node:stream/promises');
  const shape = tableShape(source.head, source.whole) ?? { delimiter: ',', header: false };
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
    if (error instanceof Error && 'code' in error && error.code === 'CSV_QUOTE_NOT_CLOSED')
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
    cells.indexOf(names.find((field) => cells.includes(field)) ?? '');
  const numbered = cells.flatMap((cell, i) => (numberedText.test(cell) ? [i] : []));
  // Flickr30k's comment_number counts, it is no text.
  const plain = first(textFields[role]);
  const texts = plain >= 0 ? [plain] : role === 'references' ? numbered : [];
  const id = first(idFields);
  if (id < 0 || texts.length === 0)
    throw new InputError(
      `${name}: line 1 names the columns ${cells.join(', ')}; name the image's column image_id and the caption's column caption.`,
    );
  return { count: header.length, id, texts, split: cells.indexOf('split') };
}

/** Members of a JSON file that hold no captions. */
const asides = new Set([
  'info',
  'licenses',
  'license',
  'type',
  'types',
  'categories',
  'dataset',
  'version',
  'description',
]);

async function readJson(context: Context): Promise<Describe> {
  const { source } = context;
  let listKey: string | undefined;
  const walker = new JsonWalker(source.name, (entry) => {
    if (entry.key !== undefined && entry.index >= 0 && isObject(entry.value)) listKey = entry.key;
    readJsonEntry(context, entry);
  });
  for await (const piece of source.pieces) walker.push(piece);
  walker.end();
  return (place) => (typeof place === 'string' ? place : jsonPath(listKey, place));
}

function readJsonEntry({ source, role, sink, records, keep }: Context, entry: JsonEntry): void {
  const { key, index, value } = entry;
  const path = (): string => jsonPath(key, index);
  if (key === undefined) {
    // [{image_id, caption}], or a list of captions (or of lists of references) in the images' order.
    if (isObject(value)) {
      if (keep.takes(value.split)) records.record(value, index, path);
    } else records.texts(undefined, value, index, path);
    return;
  }
  if (asides.has(key)) return;
  if (key === 'images' && index >= 0) {
    if (!isObject(value))
      throw new InputError(
        `${source.name}: ${path()} should be an object but is ${typeName(value)}.`,
      );
    if (Array.isArray(value.sentences)) readKarpathy(value);
    else readCocoImage(value);
    return;
  }
  if (isObject(value)) {
    const ownId = idFields.some((name) => name !== 'id' && name in value);
    if (ownId || (index >= 0 && 'id' in value)) {
      if (keep.takes(value.split)) records.record(value, index >= 0 ? index : path(), path);
    } else records.named(key, value, path(), path);
    return;
  }
  // {image: caption} or {image: [captions]}.
  if (role === 'candidates' && index > 0)
    throw new InputError(
      `${source.name}: ${jsonPath(key, -1)} holds several captions; a candidate file has exactly one caption an image.`,
    );
  records.texts(key, value, path(), path);

  function readKarpathy(image: JsonObject): void {
    if (!keep.takes(image.split)) return;
    const field = ['filename', 'file_name', 'cocoid', 'imgid'].find((name) => name in image);
    if (field === undefined)
      throw new InputError(`${source.name}: ${path()} has no "filename"; name the image there.`);
    const id = records.id(image[field], () => `${path()}.${field}`);
    records.texts(id, image.sentences, index, () => `${path()}.sentences`);
    const number = image.cocoid ?? image.imgid;
    if (number !== undefined)
      sink.alias?.(
        id,
        records.id(number, () => `${path()}.cocoid`),
      );
  }

  function readCocoImage(image: JsonObject): void {
    if (image.id === undefined || typeof image.file_name !== 'string') return;
    sink.alias?.(
      records.id(image.id, () => `${path()}.id`),
      image.file_name,
    );
  }
}
