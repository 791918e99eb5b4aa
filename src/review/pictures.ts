/** The pictures of drafts: where they are, and what is shown of them. */
import { basename, join, resolve } from 'node:path';
import { isThere } from '../base/files.ts';
import { inParallel } from '../base/parallel.ts';
import { perceptualHash } from '../data/images/perceptual-hash.ts';
import type { DraftCaption } from './sources/draft.ts';
import { filesAtOnce } from './sources/texts.ts';

/** The path of a draft's picture, or undefined where it is in none of the folders. */
export async function findPicture(
  { file: name, path: given }: DraftCaption,
  folders: readonly string[],
): Promise<string | undefined> {
  const file = given ?? name;
  if (/^https?:/i.test(file)) return undefined;
  const named = folders.map((folder) => resolve(folder, file));
  const alone = folders.map((folder) => join(folder, basename(file)));
  for (const path of [...named, ...alone]) if (await isThere(path)) return path;
  return undefined;
}

/**
 * Hashes of what the pictures look like, in their order; undefined where one cannot be read.
 * @throws the signal's reason when aborted
 */
export async function hashPictures(
  drafts: readonly DraftCaption[],
  folders: readonly string[],
  { signal, onDone }: { readonly signal: AbortSignal; readonly onDone: () => void },
): Promise<(bigint | undefined)[]> {
  return inParallel(drafts, filesAtOnce, async (draft) => {
    signal.throwIfAborted();
    const path = await findPicture(draft, folders);
    const hash = path === undefined ? undefined : await perceptualHash(path).catch(() => undefined);
    onDone();
    return hash;
  });
}
