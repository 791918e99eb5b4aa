/** Which shards a name stands for: braces (`x-{000000..000123}.tar`), patterns (`x-*.tar`) or a name alone. */
import { InputError } from '../../base/errors.ts';
import { isThere } from '../../base/files.ts';
import { isRemote } from './address.ts';

/** More shards than any data set has. */
const most = 10_000_000;

/**
 * The shards in the order of the braces, those of a pattern in the order of their names. Braces name their shards
 * whether they are there or not; a pattern finds those that are.
 * @returns a pattern that finds none as it is
 */
export async function expandShards(name: string): Promise<string[]> {
  if (await isThere(name)) return [name];
  const { expand } = await import('brace-expansion');
  const { glob, isDynamicPattern } = await import('tinyglobby');
  const shards: string[] = [];
  for (const part of expand(name, { max: most })) {
    if (isRemote(part) && part.includes('*'))
      throw new InputError(`${part}: patterns find files; name the shards of a store by braces.`);
    // A question mark in an address begins its query.
    const isPattern = !isRemote(part) && isDynamicPattern(part);
    const found = isPattern
      ? await glob(part, { absolute: false, onlyFiles: true, expandDirectories: false })
      : [];
    if (found.length === 0) shards.push(part);
    for (const file of found.sort()) shards.push(file);
  }
  return shards;
}
