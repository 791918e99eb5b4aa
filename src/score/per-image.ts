/** The scores of every image as JSON lines or CSV. */
import { extname } from 'node:path';
import { UsageError } from '../base/errors.ts';
import { csvCell } from './report.ts';

/** One image of one system. */
export interface ImageScores {
  image: string;
  system: string;
  caption: string;
  /** In the order of the names. */
  scores: readonly number[];
}

export type PerImageFormat = 'jsonl' | 'csv';

/** @throws UsageError when the ending of `path` is neither .jsonl nor .csv. */
export function perImageFormat(path: string): PerImageFormat {
  const ending = extname(path).toLowerCase();
  if (ending === '.jsonl' || ending === '.csv') return ending === '.csv' ? 'csv' : 'jsonl';
  throw new UsageError(`--per-image ${path}: the file's ending says its format, .jsonl or .csv.`);
}

/** The lines of the file, several at a time. */
export function* perImageLines(
  format: PerImageFormat,
  names: readonly string[],
  images: Iterable<ImageScores>,
): Generator<string> {
  let lines = format === 'csv' ? `${['image_id', 'system', 'caption', ...names].join(',')}\n` : '';
  for (const { image, system, caption, scores } of images) {
    lines +=
      format === 'csv'
        ? `${[csvCell(image), csvCell(system), csvCell(caption), ...scores].join(',')}\n`
        : `${JSON.stringify({
            image_id: image,
            system,
            caption,
            ...Object.fromEntries(names.map((name, i) => [name, scores[i]])),
          })}\n`;
    if (lines.length > 1 << 16) {
      yield lines;
      lines = '';
    }
  }
  yield lines;
}
