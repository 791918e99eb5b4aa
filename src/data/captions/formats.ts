/** Recognises the format of a caption file by its content. */
import { idFields, textFields } from './records.ts';

export const captionFormats = ['json', 'jsonl', 'csv', 'tsv', 'flickr', 'text'] as const;

/**
 * json: COCO results and annotations, Karpathy's dataset_*.json, {id: caption or captions}, lists.
 * jsonl: an object a line. csv, tsv: a row a caption. flickr: `NAME#N<tab>caption` lines.
 * text: a caption a line.
 */
export type CaptionFormat = (typeof captionFormats)[number];

/** A line of Flickr8k.token.txt: image, caption number, caption. */
export const flickrLine = /^(\S[^\t]*)#(\d+)\t(.*)$/s;

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
  const shape = tableShape(head, whole);
  if (shape) return shape.delimiter === '\t' ? 'tsv' : 'csv';
  return 'text';
}

/** Objects a line each: the first line is complete by itself, and does not wrap the captions. */
function isJsonLines(start: string, whole: boolean): boolean {
  const end = start.indexOf('\n');
  if (end < 0 && !whole) return false;
  try {
    const first: unknown = JSON.parse(end < 0 ? start : start.slice(0, end));
    if (end >= 0 && start.slice(end).trim() !== '') return true;
    // One object is all there is: a line if it is a record, else a document.
    const has = (names: string[]): boolean =>
      names.some((name) => Object.hasOwn(first as object, name));
    return has(idFields) && has([...textFields.candidates, ...textFields.references]);
  } catch {
    // The first line is broken JSON: lines if the second starts a new object.
    return end >= 0 && /^\{\s*"/.test(start.slice(end + 1)) && start.slice(0, end).includes(':');
  }
}

/** The table's shape if the text is one, or undefined. */
export function tableShape(head: string, whole: boolean): TableShape | undefined {
  const lines = firstLines(head, whole);
  const [first] = lines;
  if (first === undefined) return undefined;
  const names = new Set(
    [...idFields, ...textFields.candidates, ...textFields.references].map(columnName),
  );
  const ids = new Set(idFields.map(columnName));
  for (const delimiter of ['\t', '|', ';', ',']) {
    const cells = first.split(delimiter).map(columnName);
    const known = cells.filter((cell) => names.has(cell) || numberedText.test(cell));
    if (cells.length >= 2 && known.length >= 2) return { delimiter, header: true };
    // The captions' column has some other name: better asked about than taken for a caption.
    const isHeader = ids.has(cells[0]) && cells.every((cell) => /^[a-z]\w*$/.test(cell));
    if (cells.length >= 2 && isHeader) return { delimiter, header: true };
  }
  // Without a header only the unmistakable counts: tabs, or a file name before the first comma.
  const cells = first.split('\t').length;
  if (cells > 1 && lines.every((line) => line.split('\t').length === cells))
    return { delimiter: '\t', header: false };
  if (lines.every((line) => /^"?[^\s,]+\.(jpe?g|png|webp|gif|bmp|tiff?)"?,/i.test(line)))
    return { delimiter: ',', header: false };
  return undefined;
}

/** Columns such as caption_1 or "reference 2". */
export const numberedText = /^(?:caption|reference|ref|comment|sentence|text)[ _-]?\d+$/;

/** A header cell as field names are compared here: lower case, no quotes, no spaces around it. */
export function columnName(cell: string): string {
  return cell
    .trim()
    .replace(/^"(.*)"$/s, '$1')
    .trim()
    .toLowerCase();
}

function firstLines(head: string, whole: boolean): string[] {
  const lines = head.split(/\r?\n/);
  if (!whole && lines.length > 1) lines.pop();
  return lines.filter((line) => line.trim() !== '').slice(0, 20);
}
