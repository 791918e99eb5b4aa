/** What is said of a dataset that is not in order: sentences for notes and refusals. */
import { InputError } from '../../base/errors.ts';
import { plural } from '../../base/plural.ts';
import type { ImageFolder } from '../images/folder.ts';
import { describePassedOver } from '../images/formats.ts';
import { type SplitName, splitNames } from './dataset.ts';
import { captionsOfAnotherName, describeOtherData } from './sources.ts';

/** An image that the captions name and that has no file. */
export interface MissingImage {
  readonly id: string;
  readonly split: SplitName;
  readonly captions: number;
  /** Why, where more is known than that. */
  readonly reason?: string;
}

/** Of a dataset whose every image is missing. */
export function noneFound(
  path: string,
  { folder }: ImageFolder,
  missing: readonly MissingImage[],
): InputError {
  const known = missing.find(({ reason }) => reason !== undefined);
  const why = known
    ? `: of ${known.id} ${known.reason}.`
    : `, such as ${missing[0].id}; name their folder with --images.`;
  return new InputError(
    `${path}: none of ${plural(missing.length, 'captioned image')} is in ${folder}${why}`,
  );
}

/** Of a dataset without captions: what is there instead. */
export async function noCaptions(path: string, folder: ImageFolder): Promise<InputError> {
  const other = await describeOtherData(path);
  if (other !== undefined) return new InputError(`${path}: no captions found; ${other}.`);
  const [note] = folder.files.length === 0 ? describeFolder(folder) : [];
  const table = await captionsOfAnotherName(path);
  if (table !== undefined)
    return new InputError(
      `${path}: no captions found under a known name; if ${table} holds them, name that file.`,
    );
  return new InputError(
    `${path}: no captions found; ${note ?? 'put a caption file (captions.txt, metadata.jsonl, dataset_*.json) or a text file beside each image there.'}`,
  );
}

/** Sentences on what of a folder cannot be used. */
export function describeFolder({ passedOver, nameless }: ImageFolder): string[] {
  const notes = [describePassedOver(passedOver) ?? []].flat();
  if (nameless.length > 0)
    notes.push(
      `${plural(nameless.length, 'file or folder', 'files or folders')} left out whose name is not UTF-8, such as ${nameless[0]}; rename ${nameless.length === 1 ? 'it' : 'them'}, for example with convmv -f latin1 -t utf8.`,
    );
  return notes;
}

/** Notes how many images have no file, if any. */
export function describeMissing(
  missing: Record<SplitName, number>,
  all: number,
  folder: ImageFolder,
  lost: readonly MissingImage[],
  notes: string[],
): void {
  const total = splitNames.reduce((sum, split) => sum + missing[split], 0);
  if (total === 0) return;
  const parts = splitNames.filter((split) => missing[split] > 0).map((s) => `${s} ${missing[s]}`);
  const known = lost.find(({ reason }) => reason !== undefined);
  const why = known === undefined ? '' : `: of ${known.id} ${known.reason}`;
  notes.push(
    `${total} of ${plural(all, 'image')} ${total === 1 ? 'has' : 'have'} no file in ${folder.folder} (${parts.join(', ')}) and ${total === 1 ? 'is' : 'are'} left out${why}.`,
  );
}
