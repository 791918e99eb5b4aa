/** The scores of every image as JSON lines or CSV. */
import { extname } from 'node:path';
import { csvLines } from '../base/csv.ts';
import { UsageError } from '../base/errors.ts';
import { isStream } from '../base/streams.ts';

/** One image of one system. */
export interface ImageScores {
  image: string;
  system: string;
  caption: string;
  /** In the order of the names. */
  scores: readonly number[];
}

export type PerImageFormat = 'jsonl' | 'csv';

/**
 * The format that the ending of `path` says; pipes and devices, whose names say nothing, take JSON lines.
 * @throws UsageError when it is neither .jsonl nor .csv
 */
export async function perImageFormat(path: string): Promise<PerImageFormat> {
  const ending = extname(path).toLowerCase();
  if (ending === '' && (await isStream(path))) return 'jsonl';
  if (ending === '.jsonl' || ending === '.csv') return ending === '.csv' ? 'csv' : 'jsonl';
  throw new UsageError(`--per-image ${path}: the file's ending says its format, .jsonl or .csv.`);
}

/** Rows that are made into text at a time. */
const rowsAtATime = 500;

/** The lines of the file, several at a time. */
export function* perImageLines(
  format: PerImageFormat,
  names: readonly string[],
  images: Iterable<ImageScores>,
): Generator<string> {
  if (format === 'csv') yield csvLines([['image_id', 'system', 'caption', ...names]]);
  let rows: ImageScores[] = [];
  for (const image of images) {
    rows.push(image);
    if (rows.length < rowsAtATime) continue;
    yield linesOf(format, names, rows);
    rows = [];
  }
  yield linesOf(format, names, rows);
}

function linesOf(
  format: PerImageFormat,
  names: readonly string[],
  rows: readonly ImageScores[],
): string {
  if (format === 'csv')
    return csvLines(
      rows.map(({ image, system, caption, scores }) => [image, system, caption, ...scores]),
    );
  return rows
    .map(({ image, system, caption, scores }) => {
      const named = Object.fromEntries(names.map((name, i) => [name, scores[i]]));
      return `${JSON.stringify({ image_id: image, system, caption, ...named })}\n`;
    })
    .join('');
}
