/** Drafts in text files beside the pictures: the first line is the draft, further ones are other candidates. */
import { join } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { readTextIfThere, writeFileAtomic } from '../../base/files.ts';
import { inParallel } from '../../base/parallel.ts';
import { pairSidecars } from '../../data/datasets/sidecars.ts';
import type { ImageFolder } from '../../data/images/folder.ts';
import { isAccepted, type ReviewDecision } from '../decisions/decision.ts';
import type { DraftCaption } from './draft.ts';

/** Files that are read at a time. */
export const filesAtOnce = 32;

/** @throws InputError when a text is not UTF-8 */
export async function readTextDrafts(folder: ImageFolder): Promise<DraftCaption[]> {
  const { textOf } = pairSidecars(folder);
  const drafts = await inParallel(
    [...textOf],
    filesAtOnce,
    async ([file, text]): Promise<DraftCaption[]> => {
      const [draft, ...others] = await linesOf(join(folder.folder, text));
      if (draft === undefined) return [];
      return [{ file, candidates: [draft, ...others].map((line) => ({ text: line })) }];
    },
  );
  return drafts.flat();
}

/**
 * Writes accepted captions into the text files, alone; the text file of a wrong draft becomes empty. Who decided what
 * has no place there, and stays in the journals.
 */
export async function writeTextDrafts(
  folder: ImageFolder,
  decided: ReadonlyMap<string, ReviewDecision>,
): Promise<number> {
  let count = 0;
  for (const [file, text] of pairSidecars(folder).textOf) {
    const decision = decided.get(file);
    if (!decision) continue;
    const path = join(folder.folder, text);
    const content = isAccepted(decision) ? `${decision.text}\n` : '';
    if ((await readTextIfThere(path)) === content) continue;
    await writeFileAtomic(path, content);
    count += 1;
  }
  return count;
}

async function linesOf(path: string): Promise<string[]> {
  const text = (await readTextIfThere(path)) ?? '';
  if (text.includes('\ufffd'))
    throw new InputError(`${path}: not valid UTF-8; convert it, for example with iconv.`);
  return text
    .replace(/^\ufeff/, '')
    .split(/\r\n|\n|\r/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
