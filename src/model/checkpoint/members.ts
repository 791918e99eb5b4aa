/** A model folder with further members: `member-2`, `member-3` ..., each a model folder of its own, write with it. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError, UsageError } from '../../base/errors.ts';
import type { PretrainedModel } from './pretrained.ts';

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

/** @throws InputError when a member has other words or wants other pictures than the first */
export function checkMember(first: PretrainedModel, member: PretrainedModel): void {
  const fault = (what: string) =>
    new InputError(
      `${member.folder}: its ${what} differs from that of ${first.folder}, so the two cannot write together.`,
    );
  const [a, b] = [first.tokenizer, member.tokenizer];
  const size = Math.max(a.size, b.size);
  for (let id = 0; id < size; id++) if (a.token(id) !== b.token(id)) throw fault('vocabulary');
  for (const id of ['bos_token_id', 'sep_token_id', 'pad_token_id', 'vocab_size'] as const)
    if (first.config.text_config[id] !== member.config.text_config[id]) throw fault(id);
  if (JSON.stringify(first.preprocessing) !== JSON.stringify(member.preprocessing))
    throw fault('preprocessing');
}
