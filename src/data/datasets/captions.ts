/** Reads the captions of a dataset's caption files by image. */
import { InputError } from '../../base/errors.ts';
import type { CaptionFormat } from '../captions/formats.ts';
import { readCaptionFile } from '../captions/readers.ts';
import type { Columns, Place } from '../captions/records.ts';
import { parseSplit, type SplitName } from './dataset.ts';
import type { CaptionFile } from './sources.ts';

/** An image as the captions tell it, before its file is looked for. */
export interface NamedImage {
  readonly captions: string[];
  /** Undefined: in no split. */
  split: SplitName | undefined;
  /** Names of the file where the id is none, such as COCO's; empty: the id is the name. */
  readonly files: string[];
}

export type NamedImages = Map<string, NamedImage>;

/**
 * Reads every caption of the files.
 * @param options What the files are and which columns they have, where their content misleads.
 * @throws InputError naming file and line of a fault
 */
export async function readCaptions(
  files: readonly CaptionFile[],
  notes: string[],
  options: { readonly format?: CaptionFormat | undefined; readonly columns?: Columns } = {},
): Promise<NamedImages> {
  const images: NamedImages = new Map();
  for (const { path, split: fileSplit, folder = '' } of files) {
    // Names in a folder of its own are meant from there.
    const within = (name: string): string =>
      folder === '' || name.startsWith('/') ? name : `${folder}/${name.replace(/^(?:\.\/)+/, '')}`;
    let split: string | undefined;
    let conflict: { id: string; place: Place } | undefined;
    let unknown: { word: string; place: Place } | undefined;
    let anonymous: Place | undefined;
    const aliases = new Map<string, string[]>();
    const {
      name,
      describe,
      notes: own,
    } = await readCaptionFile(
      path,
      'references',
      { ...options, isDataset: true },
      {
        split: (word) => {
          split = word === undefined || word.trim() === '' ? undefined : word;
        },
        caption: (name, text, place) => {
          if (name === undefined) {
            anonymous ??= place;
            return;
          }
          const id = within(name);
          const meant = split === undefined ? fileSplit : parseSplit(split);
          if (split !== undefined && meant === undefined) unknown ??= { word: split, place };
          const image = images.get(id);
          if (!image) images.set(id, { captions: [text.trim()], split: meant, files: [] });
          else {
            if (image.split !== meant) conflict ??= { id, place };
            image.captions.push(text.trim());
          }
        },
        alias: (name, other, kind) => {
          // The picture is the file, whatever number stands beside its name.
          if (kind === 'number') return;
          const id = within(name);
          const list = aliases.get(id);
          if (!list) aliases.set(id, [within(other)]);
          else if (!list.includes(within(other))) list.push(within(other));
        },
      },
    );
    notes.push(...own);
    if (anonymous !== undefined)
      throw new InputError(
        `${name}: ${describe(anonymous)} does not say which image it belongs to; a dataset's captions name their images.`,
      );
    if (unknown)
      throw new InputError(
        `${name}: ${describe(unknown.place)} is of the unknown split "${unknown.word}"; write train, dev or test.`,
      );
    if (conflict)
      throw new InputError(
        `${name}: ${describe(conflict.place)} puts image ${conflict.id} into a second split; an image belongs to one.`,
      );
    for (const [id, others] of aliases) images.get(id)?.files.push(...others);
  }
  return images;
}
