/** One reader a caption format; all hand their captions to a CaptionHandler. */
import { InputError } from '../../base/errors.ts';
import { plural } from '../../base/plural.ts';
import { type Context, type Describe, describeLine, SplitFilter } from './context.ts';
import { type CaptionFormat, flickrLine, msvdLine, recognizeFormat } from './formats.ts';
import { type JsonEntry, JsonWalker, jsonPath } from './json.ts';
import {
  type CaptionHandler,
  type Columns,
  isObject,
  type JsonObject,
  type Place,
  RecordReader,
  type Role,
  typeName,
} from './records.ts';
import { forEachLine, openText } from './source.ts';

export interface CaptionFileOptions {
  /** What the file is, where its content misleads. */
  format?: CaptionFormat | undefined;
  /** Only records of these splits (of a field or column `split`). */
  splits?: readonly string[] | undefined;
  /** Which fields or columns hold the image and the caption. */
  columns?: Columns | undefined;
  /** Read for a dataset: messages then name its options. */
  isDataset?: boolean | undefined;
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

/**
 * Reads every caption of `path` into `sink`, in file order.
 * @throws InputError naming the file and the line or JSON path at the first fault.
 */
export async function readCaptionFile(
  path: string,
  role: Role,
  options: CaptionFileOptions,
  sink: CaptionHandler,
): Promise<ReadResult> {
  const source = await openText(path);
  const format = options.format ?? recognizeFormat(source.head, source.whole);
  const keep = new SplitFilter(source.name, options.splits, sink);
  const notes: string[] = [];
  const { columns = {}, isDataset = false } = options;
  const records = new RecordReader(source.name, role, sink, columns);
  const context = {
    ...{ source, format, role, sink, records, keep, notes, columns, isDataset },
    folders: new Map<string, string>(),
  };
  const describe = await readers[format](context);
  keep.check();
  return { name: source.name, format, describe, notes };
}

const readers: { [Format in CaptionFormat]: (context: Context) => Promise<Describe> } = {
  json: readJson,
  jsonl: readJsonLines,
  csv: readColumns,
  tsv: readColumns,
  flickr: readFlickr,
  msvd: readMsvd,
  text: readText,
};

async function readColumns(context: Context): Promise<Describe> {
  return (await import('./table.ts')).readTable(context);
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
      `${source.name}: left out ${plural(strays, 'line')} of ${stray}, an image that does not exist (a known slip of the file).`,
    );
  return describeLine;
}

async function readMsvd({ source, role, sink }: Context): Promise<Describe> {
  await forEachLine(source, (text, number) => {
    if (text.trim() === '' || text.startsWith('#')) return;
    const match = msvdLine.exec(text);
    if (!match)
      throw new InputError(
        `${source.name}: line ${number} should be VIDEO_START_END, a space and a caption; correct it, or name the format with --${role}-format.`,
      );
    // A fresh copy: a slice would keep its whole piece of the file in memory.
    sink.caption(Buffer.from(match[1]).toString(), match[2], number);
  });
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
    if (keep.takes(splitOf(value))) records.record(value, number, () => `line ${number}, $`);
  });
  return describeLine;
}

/** What a record says of its split; TextCaps calls it set_name. */
function splitOf({ split, set_name }: JsonObject): unknown {
  return split ?? set_name;
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
  'dataset_type',
  'dataset_name',
  'dataset_version',
  'version',
  'description',
]);

/** VizWiz marks "Quality issues are too severe to recognize visual content." and captions of spammers. */
function isRejected(value: unknown): boolean {
  return isObject(value) && (value.is_rejected === true || value.is_precanned === true);
}

async function readJson(context: Context): Promise<Describe> {
  const { source, notes } = context;
  let listKey: string | undefined;
  let rejected = 0;
  const walker = new JsonWalker(source.name, (entry) => {
    if (isRejected(entry.value)) {
      rejected += 1;
      return;
    }
    if (entry.key !== undefined && entry.index >= 0 && isObject(entry.value)) listKey = entry.key;
    readJsonEntry(context, entry);
  });
  for await (const piece of source.pieces) walker.push(piece);
  walker.end();
  if (rejected > 0)
    notes.push(
      `${source.name}: left out ${plural(rejected, 'caption')} that VizWiz marks as rejected or precanned, as its own evaluation does.`,
    );
  return (place) => (typeof place === 'string' ? place : jsonPath(listKey, place));
}

function readJsonEntry(context: Context, entry: JsonEntry): void {
  const { source, role, records, keep } = context;
  const { key, index, value } = entry;
  const path = (): string => jsonPath(key, index);
  if (key === undefined) {
    // [{image_id, caption}], or a list of captions (or of lists of references) in the images' order.
    if (isObject(value)) {
      if (keep.takes(splitOf(value))) records.record(value, index, path);
    } else records.texts(undefined, value, index, path);
    return;
  }
  if (asides.has(key)) return;
  if (key === 'images' && index >= 0) {
    if (!isObject(value))
      throw new InputError(
        `${source.name}: ${path()} should be an object but is ${typeName(value)}.`,
      );
    if (Array.isArray(value.sentences)) readKarpathy(context, value, index, path);
    else readCocoImage(context, value, path);
    return;
  }
  if (key === 'videos' && index >= 0 && isObject(value) && 'video_id' in value) {
    readMsrVttVideo(context, value, path);
    return;
  }
  if (isObject(value)) {
    if (records.namesImage(value, index >= 0)) {
      if (keep.takes(splitOf(value))) records.record(value, index >= 0 ? index : path(), path);
    } else records.named(key, value, path(), path);
    return;
  }
  // {image: caption} or {image: [captions]}.
  if (role === 'candidates' && index > 0)
    throw new InputError(
      `${source.name}: ${jsonPath(key, -1)} holds several captions; a candidate file has exactly one caption an image.`,
    );
  records.texts(key, value, path(), path);
}

function readKarpathy(
  context: Context,
  image: JsonObject,
  index: number,
  path: () => string,
): void {
  const { source, sink, records, keep } = context;
  if (!keep.takes(image.split)) return;
  const field = ['filename', 'file_name', 'cocoid', 'imgid'].find((name) => name in image);
  if (field === undefined)
    throw new InputError(`${source.name}: ${path()} has no "filename"; name the image there.`);
  const name = records.id(image[field], () => `${path()}.${field}`);
  const { filepath } = image;
  const folder = typeof filepath === 'string' && field.startsWith('file') ? filepath : '';
  const id = karpathyId(context, name, folder);
  if (folder !== '') sink.alias?.(id, `${folder}/${name}`, 'file');
  const number = image.cocoid ?? image.imgid;
  if (number !== undefined)
    sink.alias?.(
      id,
      records.id(number, () => `${path()}.cocoid`),
      'number',
    );
  records.texts(id, image.sentences, index, () => `${path()}.sentences`);
}

/** MSR-VTT says of its videos which split they are in, and of its sentences which video they are of. */
function readMsrVttVideo({ sink, records }: Context, video: JsonObject, path: () => string): void {
  const id = records.id(video.video_id, () => `${path()}.video_id`);
  sink.image?.(id);
  if (typeof video.split === 'string') sink.splitOf?.(id, video.split);
}

function readCocoImage({ sink, records }: Context, image: JsonObject, path: () => string): void {
  if (image.id === undefined) return;
  const id = records.id(image.id, () => `${path()}.id`);
  sink.image?.(id);
  if (typeof image.file_name === 'string') sink.alias?.(id, image.file_name, 'file');
}

/** The file name, as Karpathy's ids are; with its folder where another folder has that name too. */
function karpathyId({ folders }: Context, name: string, folder: string): string {
  const other = folders.get(name);
  if (other === undefined) folders.set(name, folder);
  return other === undefined || other === folder ? name : `${folder}/${name}`;
}
