/** A model folder with further members: `member-2`, `member-3` ..., each a model folder of its own, write with it. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError, UsageError } from '../../base/errors.ts';

/** The folder of a member in the first one's; they are counted from 1, which is the folder itself. */
export function memberFolder(folder: string, number: number): string {
  return join(folder, `member-${number}`);
}

/** The number of the member that a folder's name speaks of, if it does. */
export function memberNumber(name: string): number | undefined {
  const number = Number(/^member-(\d+)$/.exec(name)?.[1] ?? 0);
  return number > 1 ? number : undefined;
}

/**
 * Folders of the members after the first; one weight file is meant alone.
 * @param wanted how many write together, the first included; undefined: all
 * @throws UsageError when there are not so many; InputError when one in between is missing
 */
export async function memberFolders(folder: string, wanted?: number): Promise<string[]> {
  const names = (await stat(folder)).isDirectory() ? await readdir(folder) : [];
  const numbers = names.flatMap((name) => memberNumber(name) ?? []).sort((a, b) => a - b);
  const count = 1 + numbers.length;
  const missing = numbers.findIndex((number, i) => number !== i + 2);
  if (missing >= 0)
    throw new InputError(
      `${folder}: there is a member-${numbers[missing]} but no member-${missing + 2}; number the members without gaps.`,
    );
  if (wanted !== undefined && (!Number.isInteger(wanted) || wanted < 1 || wanted > count))
    throw new UsageError(
      `members (${wanted}): ${folder} has ${count === 1 ? 'one' : `${count}, so 1 to ${count} can write together`}`,
    );
  return numbers.slice(0, (wanted ?? count) - 1).map((number) => memberFolder(folder, number));
}
