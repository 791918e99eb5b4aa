/** Recognises the format of a caption file by its content. */
import { fieldKey, imageFields, isFileName, numberedText, textFields } from './fields.ts';
import { lineEnds } from './source.ts';

export const captionFormats = ['json', 'jsonl', 'csv', 'tsv', 'flickr', 'msvd', 'text'] as const;

/**
 * json: COCO results and annotations, Karpathy's dataset_*.json, {id: caption or captions}, lists.
 * jsonl: an object a line. csv, tsv: a row a caption. flickr: `NAME#N<tab>caption` lines.
 * msvd: `VIDEO_START_END caption` lines.
 * text: a caption a line.
 */
export type CaptionFormat = (typeof captionFormats)[number];

/** A line of Flickr8k.token.txt: image, caption number, caption. */
export const flickrLine = /^(\S[^\t]*)#(\d+)\t(.*)$/s;

/** A line of MSVD's AllVideoDescriptions.txt: YouTube's name of the video, first and last second, caption. */
export const msvdLine = /^([\w-]{11}_\d+_\d+) (.*)$/s;

/** How a table's columns are separated, and whether its first row names them. */
export interface TableShape {
  delimiter: string;
  header: boolean;
}

/**
 * @param head The start of the file.
 * @param whole Whether `head` is all of it.
 */
export function recognizeFormat(head: string, whole: boolean): CaptionFormat {
  const start = head.trimStart();
  if (/^\[\s*(?:[[{"\]]|$)/.test(start)) return 'json';
  if (/^\{\s*(?:["}]|$)/.test(start)) return isJsonLines(start, whole) ? 'jsonl' : 'json';
  const lines = firstLines(head, whole);
  if (lines.length > 0 && lines.every((line) => flickrLine.test(line))) return 'flickr';
  const described = lines.filter((line) => !line.startsWith('#'));
  if (described.length > 0 && described.every((line) => msvdLine.test(line))) return 'msvd';
  const shape = tableShape(head, whole);
  if (shape) return shape.delimiter === '\t' ? 'tsv' : 'csv';
  return 'text';
}

/** Objects a line each: the first line is complete by itself, and does not wrap the captions. */
function isJsonLines(start: string, whole: boolean): boolean {
  const end = start.search(lineEnds(start));
  if (end < 0 && !whole) return false;
  try {
    const first: unknown = JSON.parse(end < 0 ? start : start.slice(0, end));
    if (end >= 0 && start.slice(end).trim() !== '') return true;
    // One object is all there is: a line if it is a record, else a document.
    const keys = Object.keys(first as object).map(fieldKey);
    return keys.some((key) => imageFields.has(key)) && keys.some((key) => textKeys.has(key));
  } catch {
    // The first line is broken JSON: lines if the second starts a new object.
    return end >= 0 && /^\{\s*"/.test(start.slice(end + 1)) && start.slice(0, end).includes(':');
  }
}

const textKeys = new Set([...textFields.candidates, ...textFields.references]);

/** The table's shape if the text is one, or undefined. */
export function tableShape(head: string, whole: boolean): TableShape | undefined {
  const lines = firstLines(head, whole);
  const [first, ...others] = lines;
  if (first === undefined) return undefined;
  for (const delimiter of ['\t', '|', ';', ',']) {
    const cells = first.split(delimiter).map((cell) => cell.trim().replace(/^"(.*)"$/s, '$1'));
    if (cells.length < 2) continue;
    const keys = cells.map(fieldKey);
    const known = keys.filter((key) => isKnown(key));
    if (known.length >= 2) return { delimiter, header: true };
    // A column has some other name: better asked about than taken for a caption.
    const isHeader = imageFields.has(keys[0]) && cells.every((cell) => /^[a-z]\w*$/i.test(cell));
    if (isHeader || isUnlikeTheRest(cells, others, delimiter)) return { delimiter, header: true };
  }
  // Without a header only the unmistakable counts: tabs, or a file name before the first comma.
  const cells = first.split('\t').length;
  if (cells > 1 && lines.every((line) => line.split('\t').length === cells))
    return { delimiter: '\t', header: false };
  if (lines.every((line) => isFileName(/^"?([^,]+?)"?,/.exec(line)?.[1])))
    return { delimiter: ',', header: false };
  return undefined;
}

function isKnown(key: string): boolean {
  return imageFields.has(key) || textKeys.has(key) || numberedText.test(key);
}

/** A header of names never seen: the rows below hold file names in a column in which it holds none. */
function isUnlikeTheRest(cells: readonly string[], others: readonly string[], delimiter: string) {
  if (others.length === 0 || cells.some((cell) => isFileName(cell))) return false;
  const rows = others.map((line) => line.split(delimiter).map((cell) => cell.replaceAll('"', '')));
  return cells.some((_, column) => rows.every((row) => isFileName(row[column]?.trim())));
}

function firstLines(head: string, whole: boolean): string[] {
  const lines = head.split(lineEnds(head));
  if (!whole && lines.length > 1) lines.pop();
  return lines.filter((line) => line.trim() !== '').slice(0, 20);
}
