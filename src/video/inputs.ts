/** Which films are meant: files, and those of folders by their names' endings. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../base/errors.ts';
import { isFilmName } from '../data/films/names.ts';
import { listBelow } from '../data/images/walk.ts';

/**
 * The films in the inputs' order, those of a folder by name.
 * @throws InputError for a folder that cannot be read or has no films
 */
export async function listFilms(inputs: readonly string[], recursive: boolean): Promise<string[]> {
  const films: string[] = [];
  for (const input of inputs) {
    const found = await stat(input).catch(() => undefined);
    if (!found?.isDirectory()) films.push(input);
    else films.push(...(await filmsIn(input, recursive)));
  }
  return films;
}

async function filmsIn(folder: string, recursive: boolean): Promise<string[]> {
  const names = recursive ? (await listBelow(folder)).files : await shownFiles(folder);
  const films = names.filter(isFilmName);
  if (films.length === 0)
    throw new InputError(
      recursive
        ? `${folder}: there are no films in this folder or below.`
        : `${folder}: there are no films in this folder (--recursive looks below it).`,
    );
  return films.toSorted().map((name) => join(folder, name));
}

async function shownFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => {
    throw new InputError(`${folder}: the folder cannot be read.`);
  });
  return entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name);
}
