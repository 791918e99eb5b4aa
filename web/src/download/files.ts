/** The captions on the page as files, of the forms that `refcap caption` writes. */
import { stringify } from 'csv-stringify/browser/esm/sync';
import { strToU8, zipSync } from 'fflate';
import { captionOf, type Picture } from '../pictures/picture.ts';

/** A finished picture's line. */
export interface Row {
  readonly file: string;
  readonly caption: string;
  /** Whether the reader rewrote it, so that the model's figures are not its own. */
  readonly edited: boolean;
  readonly logprob?: number;
  readonly meanLogprob?: number;
  readonly confidence?: number;
  readonly width: number;
  readonly height: number;
}

/** A line for each captioned picture, in the order of the page. */
export function rowsOf(pictures: readonly Picture[]): Row[] {
  return pictures.flatMap((picture) => {
    const state = picture.state.value;
    const caption = captionOf(picture);
    if (state.kind !== 'done' || caption === undefined) return [];
    const { captions, width, height } = state.result;
    const { text, logprob, meanLogprob, confidence } = captions[picture.chosen.value];
    const edited = caption !== text;
    const sure = confidence === undefined ? {} : { confidence };
    const figures = edited ? {} : { logprob, meanLogprob, ...sure };
    return [{ file: picture.name, caption, edited, ...figures, width, height }];
  });
}

export function toJsonLines(rows: readonly Row[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

const columns = [
  ...(['file', 'caption', 'logprob', 'meanLogprob', 'width', 'height'] as const),
  'confidence',
] as const;

export function toCsv(rows: readonly Row[]): string {
  const cells = rows.map((row) => columns.map((column) => row[column]));
  // As src/base/csv.ts does, which readers of carriage returns need.
  return stringify([[...columns], ...cells], { quoted_match: /\r/ });
}

/** A ZIP file with a text file for each picture, under the picture's name with .txt. */
export function toTextFiles(rows: readonly Row[]): Uint8Array<ArrayBuffer> {
  const names = textNames(rows.map(({ file }) => file));
  const files = rows.map(({ caption }, i) => [names[i], strToU8(`${caption}\n`)] as const);
  return new Uint8Array(zipSync(Object.fromEntries(files)));
}

/** Names that no two files share, also where case does not count: photo.txt, photo (2).txt. */
export function textNames(files: readonly string[]): string[] {
  const taken = new Set<string>();
  return files.map((file) => {
    const stem = safePath(file).replace(/(?<=[^/])\.[^./]*$/, '');
    let name = `${stem}.txt`;
    for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${stem} (${n}).txt`;
    taken.add(name.toLowerCase());
    return name;
  });
}

/** A path that stays in the folder where the archive is unpacked. */
function safePath(file: string): string {
  const parts = file.split(/[/\\]/).filter((part) => !/^\.{0,2}$/.test(part));
  return parts.join('/') || 'picture';
}
