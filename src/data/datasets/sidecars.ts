/** Reads captions from text files beside the images. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { plural } from '../../base/plural.ts';
import { refuseOtherKinds } from '../captions/kinds.ts';
import { withoutExtension } from '../images/find.ts';
import type { ImageFolder } from '../images/folder.ts';
import type { NamedImages } from './captions.ts';
import { parseSplit } from './dataset.ts';

/** The text files of images, by what they stand beside. */
export interface Sidecars {
  /** The text file of each image that has one. */
  readonly textOf: ReadonlyMap<string, string>;
  /** Text files that stand beside no image. */
  readonly stray: readonly string[];
  readonly notes: readonly string[];
}

/**
 * Pairs IMAGE.jpg with IMAGE.txt, IMAGE.jpg.txt or the same with .caption, in any capitals, composed or
 * not. Of several the longest name is read, then .txt.
 */
export function pairSidecars({ files, texts, passedOver }: ImageFolder): Sidecars {
  const exact = indexOf(texts, (name) => name);
  const loosely = indexOf(texts, (name) => name.normalize('NFC').toLowerCase());
  const textOf = new Map<string, string>();
  const used = new Set<string>();
  const doubled: string[] = [];
  const shared = new Map<string, string>();
  for (const file of files) {
    const names = [file, withoutExtension(file)];
    const found =
      firstOf(names, exact) ??
      firstOf(
        names.map((name) => name.normalize('NFC').toLowerCase()),
        loosely,
      );
    if (!found) continue;
    const [text, ...others] = found;
    if (others.length > 0) doubled.push(`${[text, ...others].join(' and ')}`);
    const neighbour = shared.get(text);
    if (neighbour !== undefined) doubled.push(`${neighbour} and ${file} share ${text}`);
    shared.set(text, file);
    textOf.set(file, text);
    for (const each of found) used.add(each);
  }
  // What stands beside a picture that is not read is not astray.
  const asides = new Set(passedOver.flatMap((file) => [file, withoutExtension(file)]));
  const stray = texts.filter((text) => !used.has(text) && !asides.has(withoutExtension(text)));
  return { textOf, stray, notes: notesOn(doubled) };
}

/** Text files by the name before their ending, .txt first. */
function indexOf(texts: readonly string[], form: (name: string) => string): Map<string, string[]> {
  const index = new Map<string, string[]>();
  const isPlain = (text: string): boolean => /\.txt$/i.test(text);
  for (const text of [...texts].sort((a, b) => Number(isPlain(b)) - Number(isPlain(a)))) {
    const key = form(withoutExtension(text));
    const list = index.get(key);
    if (list) list.push(text);
    else index.set(key, [text]);
  }
  return index;
}

function firstOf(
  names: readonly string[],
  index: ReadonlyMap<string, string[]>,
): readonly string[] | undefined {
  for (const name of names) {
    const found = index.get(name);
    if (found) return found;
  }
  return undefined;
}

function notesOn(doubled: readonly string[]): string[] {
  if (doubled.length === 0) return [];
  return [
    `${plural(doubled.length, 'image has', 'images have')} more than one text file or share one, such as ${doubled[0]}; the first text is read.`,
  ];
}

/**
 * The captions of the text files, a line each.
 * @throws InputError when one is not UTF-8
 */
export async function readSidecars(
  { textOf }: Sidecars,
  { folder }: ImageFolder,
): Promise<NamedImages> {
  const images: NamedImages = new Map();
  for (const [file, name] of textOf) {
    const textFile = join(folder, name);
    const bytes = await readFile(textFile);
    refuseOtherKinds(textFile, bytes);
    const text = bytes.toString('utf8');
    if (text.includes('\ufffd'))
      throw new InputError(`${textFile}: not valid UTF-8; convert it, for example with iconv.`);
    const captions = text
      .replace(/^\ufeff/, '')
      .split(/\r\n|\n|\r/)
      .map((line) => line.trim())
      .filter((line) => line !== '');
    const split = parseSplit(file.split('/', 1)[0]);
    images.set(file, { captions, split: file.includes('/') ? split : undefined, files: [] });
  }
  return images;
}
