/** How results are written, and how what was written is recognised when a run is resumed. */
import { csvFields, csvLines } from '../../base/csv.ts';
import type { ImageCaption } from '../result.ts';
import { cocoRow } from './coco.ts';

export const captionOutputFormats = [
  ...(['text', 'json', 'jsonl', 'csv', 'coco', 'sidecar', 'xmp'] as const),
] as const;
export type CaptionOutputFormat = (typeof captionOutputFormats)[number];
/** The formats that make one stream of rows. */
export type RowFormat = Exclude<CaptionOutputFormat, 'sidecar' | 'xmp'>;

/** The result of one picture. */
export interface CaptionRow extends ImageCaption {
  /** As the input named it. */
  readonly file: string;
  /** Of a picture in a shard, the sample's key and the shard's name. */
  readonly key?: string;
  readonly shard?: string;
  /** Milliseconds of the model's work: its batch's time over the batch's pictures. Absent where rows are to be the same always. */
  readonly ms?: number;
  /** Further captions, drawn for the keywords. */
  readonly drawn?: readonly string[];
  /** Nouns on which the captions agree, where they were asked for. */
  readonly keywords?: readonly string[];
}

export interface RowFormatRules {
  /** What stands before the first row. */
  readonly head: string;
  /** What stands between a row and the next. */
  readonly between: string;
  /** What follows each row at once. */
  readonly after: string;
  /** What stands at the end, after so many rows. */
  tail(rows: number): string;
  /** Whether a picture is one line whatever the number of its captions. */
  readonly isOneLine: boolean;
  /** The picture's line, or a line for each caption, without the last line's end. */
  row(row: CaptionRow): string;
  /** Whether a line ends a row, and not a part of a quoted field. */
  isWhole(line: string): boolean;
  /** The file that a whole line belongs to; undefined for lines that hold no result. */
  fileOf(line: string): string | undefined;
}

const lines = {
  between: '',
  after: '\n',
  isOneLine: false,
  tail: () => '',
  isWhole: () => true,
} as const;

const array = {
  head: '[\n',
  between: ',\n',
  after: '',
  isOneLine: true,
  tail: (rows: number) => (rows > 0 ? '\n]\n' : ']\n'),
  isWhole: () => true,
} as const;

export const rowFormats: Readonly<Record<RowFormat, RowFormatRules>> = {
  text: {
    ...lines,
    head: '',
    row: ({ file, captions }) =>
      captions.map(({ text }) => `${escapeName(file)}\t${text}`).join('\n'),
    fileOf: (line) => (line.includes('\t') ? unescapeName(line.split('\t', 1)[0]) : undefined),
  },
  jsonl: { ...lines, isOneLine: true, head: '', row: jsonRow, fileOf: fileOfJson },
  json: { ...array, row: jsonRow, fileOf: fileOfJson },
  coco: {
    ...array,
    row: cocoRow,
    fileOf: (line) => memberOf(line, 'image_id')?.toString(),
  },
  csv: {
    ...lines,
    head: 'file,caption,logprob,meanLogprob,width,height,ms,confidence\n',
    row: ({ file, captions, width, height, ms }) =>
      csvLines(
        captions.map(({ text, logprob, meanLogprob, confidence }) => [
          file,
          text,
          logprob,
          meanLogprob,
          width,
          height,
          ms,
          confidence,
        ]),
      ).slice(0, -1),
    isWhole: (line) => line.split('"').length % 2 === 1,
    fileOf: fileOfCsv,
  },
};

function jsonRow(row: CaptionRow): string {
  const { file, key, shard, caption, captions, keywords, width, height, ms } = row;
  const [{ confidence }] = captions;
  const told = { file, key, shard, caption, confidence, captions, keywords, width, height, ms };
  return JSON.stringify(told);
}

function fileOfJson(line: string): string | undefined {
  const file = memberOf(line, 'file');
  return typeof file === 'string' ? file : undefined;
}

/** A text or number of a row's object; undefined of lines that are none. */
function memberOf(line: string, name: string): string | number | undefined {
  try {
    const row: unknown = JSON.parse(line.replace(/,$/, ''));
    if (typeof row !== 'object' || row === null) return undefined;
    const value: unknown = Object.entries(row).find(([key]) => key === name)?.[1];
    return typeof value === 'string' || typeof value === 'number' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Names keep to one line and one column: \, tab and line breaks are written as \\, \t, \n and \r. */
function escapeName(name: string): string {
  return name.replace(/[\\\t\n\r]/g, (c) => escapes[c] ?? c);
}

const escapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
};
const unescapes = new Map(Object.entries(escapes).map(([plain, escaped]) => [escaped, plain]));

function unescapeName(text: string): string {
  return text.replace(/\\[\\tnr]/g, (escaped) => unescapes.get(escaped) ?? escaped);
}

function fileOfCsv(line: string): string | undefined {
  try {
    const fields = csvFields(line);
    return fields.length > 1 ? fields[0] : undefined;
  } catch {
    return undefined;
  }
}

/** The formats that the endings of files stand for. */
export const formatEndings: Readonly<Record<string, RowFormat>> = {
  '.txt': 'text',
  '.tsv': 'text',
  '.json': 'json',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.csv': 'csv',
};
