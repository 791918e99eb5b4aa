/** Reads the captions of a dataset's caption files by image. */
import { InputError } from '../../base/errors.ts';
import { plural } from '../../base/plural.ts';
import type { CaptionFormat } from '../captions/formats.ts';
import { type ReadResult, readCaptionFile } from '../captions/readers.ts';
import type { CaptionHandler, Columns, Place } from '../captions/records.ts';
import { parseSplit, type SplitName } from './dataset.ts';
import type { CaptionFile } from './sources.ts';

/** An image as the captions tell it, before its file is looked for. */
export interface NamedImage {
  readonly captions: string[];
  /** Undefined: in no split. */
  split: SplitName | undefined;
  /** Names of the file where the id is none, such as COCO's; empty: the id is the name. */
  readonly files: string[];
  /** Whether a person accepted or wrote a caption of it (`refcap review`). */
  isReviewed?: boolean;
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
  for (const file of files) {
    const reader = new DatasetSink(images, file);
    const read = await readCaptionFile(
      file.path,
      'references',
      { ...options, isDataset: true },
      reader,
    );
    reader.end(read);
    notes.push(...read.notes);
  }
  return images;
}

function isApproved(verdict: string | undefined): boolean {
  return verdict === 'accepted' || verdict === 'chosen' || verdict === 'edited';
}

/** Takes the captions of one file, and remembers its first faults. */
class DatasetSink implements CaptionHandler {
  readonly #images: NamedImages;
  readonly #file: CaptionFile;
  readonly #aliases = new Map<string, string[]>();
  /** Of images whose splits stand apart from their captions. */
  readonly #splits = new Map<string, string>();
  #split: string | undefined;
  #verdict: string | undefined;
  #wrong = 0;
  #conflict: { id: string; place: Place } | undefined;
  #unknown: { word: string; place: Place } | undefined;
  #anonymous: Place | undefined;

  constructor(images: NamedImages, file: CaptionFile) {
    this.#images = images;
    this.#file = file;
  }

  split(word: string | undefined): void {
    this.#split = word === undefined || word.trim() === '' ? undefined : word;
  }

  splitOf(name: string, word: string): void {
    this.#splits.set(this.#within(name), word);
  }

  review(verdict: string | undefined): void {
    this.#verdict = verdict;
  }

  caption(name: string | undefined, text: string, place: Place): void {
    // Other candidates than the one that a reviewer took.
    if (this.#verdict === 'unchosen') return;
    if (this.#verdict === 'wrong') {
      this.#wrong += 1;
      return;
    }
    if (name === undefined) {
      this.#anonymous ??= place;
      return;
    }
    const id = this.#within(name);
    const split = this.#split === undefined ? this.#file.split : parseSplit(this.#split);
    if (this.#split !== undefined && split === undefined)
      this.#unknown ??= { word: this.#split, place };
    const image = this.#images.get(id) ?? { captions: [], split, files: [] };
    this.#images.set(id, image);
    if (image.split !== split) this.#conflict ??= { id, place };
    image.captions.push(text.trim());
    if (isApproved(this.#verdict)) image.isReviewed = true;
  }

  alias(name: string, other: string, kind: 'file' | 'number'): void {
    // The picture is the file, whatever number stands beside its name.
    if (kind === 'number') return;
    const id = this.#within(name);
    const list = this.#aliases.get(id);
    if (!list) this.#aliases.set(id, [this.#within(other)]);
    else if (!list.includes(this.#within(other))) list.push(this.#within(other));
  }

  /** @throws InputError at a fault that shows only when the file is read */
  end({ name, describe, notes }: ReadResult): void {
    if (this.#wrong > 0)
      notes.push(
        `${name}: ${plural(this.#wrong, 'caption')} that a reviewer called wrong left out.`,
      );
    if (this.#anonymous !== undefined)
      throw new InputError(
        `${name}: ${describe(this.#anonymous)} does not say which image it belongs to; a dataset's captions name their images.`,
      );
    if (this.#unknown)
      throw new InputError(
        `${name}: ${describe(this.#unknown.place)} is of the unknown split "${this.#unknown.word}"; write train, dev or test.`,
      );
    if (this.#conflict)
      throw new InputError(
        `${name}: ${describe(this.#conflict.place)} puts image ${this.#conflict.id} into a second split; an image belongs to one.`,
      );
    this.#applySplits(name);
    for (const [id, others] of this.#aliases) this.#images.get(id)?.files.push(...others);
  }

  #applySplits(name: string): void {
    for (const [id, word] of this.#splits) {
      const split = parseSplit(word);
      if (split === undefined)
        throw new InputError(
          `${name}: ${id} is of the unknown split "${word}"; write train, dev or test.`,
        );
      const image = this.#images.get(id);
      if (image) image.split = split;
    }
  }

  /** Names in a folder of its own are meant from there. */
  #within(name: string): string {
    const { folder = '' } = this.#file;
    return folder === '' || name.startsWith('/')
      ? name
      : `${folder}/${name.replace(/^(?:\.\/)+/, '')}`;
  }
}
