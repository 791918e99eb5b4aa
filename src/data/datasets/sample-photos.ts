/** The photos that ship with the package, with where they came from and what they show. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError } from '../../base/errors.ts';
import { readTextIfThere } from '../../base/files.ts';
import { readDataset } from './read.ts';

/** A bundled photo. */
export interface SamplePhoto {
  readonly file: string;
  readonly path: string;
  /** Where it came from and who made it; undefined where SOURCES.md does not list it. */
  readonly source: string | undefined;
  readonly licence: string | undefined;
  /** What a person wrote of it. */
  readonly description: string | undefined;
}

/** `samples/` beside `src` or `dist`. */
const packageSamples = fileURLToPath(new URL('../../../samples', import.meta.url));

/**
 * Lists the bundled photos by name.
 * @throws InputError when there are none
 */
export async function samplePhotos(folder = packageSamples): Promise<SamplePhoto[]> {
  const names = await readdir(folder).catch((): string[] => []);
  const files = names.filter((name) => name.endsWith('.jpg')).sort();
  if (files.length === 0)
    throw new InputError(
      `${folder}: the photos that ship with refcap are not here; install it again, or caption photos of your own with refcap caption.`,
    );
  const sources = parseSources((await readTextIfThere(join(folder, 'SOURCES.md'))) ?? '');
  const descriptions = await readDescriptions(folder, names);
  return files.map((file) => ({
    file,
    path: join(folder, file),
    source: sources.get(file)?.source,
    licence: sources.get(file)?.licence,
    description: descriptions.get(file),
  }));
}

/** The rows of the table `| file | from | licence |`, as plain text. */
export function parseSources(markdown: string): Map<string, { source: string; licence: string }> {
  const rows = new Map<string, { source: string; licence: string }>();
  for (const line of markdown.split('\n')) {
    const [, file, source, licence] = line.split('|').map((cell) => cell.trim().replace(/`/g, ''));
    if (file?.endsWith('.jpg') && source && licence) rows.set(file, { source, licence });
  }
  return rows;
}

async function readDescriptions(
  folder: string,
  names: readonly string[],
): Promise<Map<string, string>> {
  if (!names.includes('captions.jsonl')) return new Map();
  const { images } = await readDataset(join(folder, 'captions.jsonl'));
  return new Map(images.map(({ id, captions }) => [id, captions[0]]));
}
