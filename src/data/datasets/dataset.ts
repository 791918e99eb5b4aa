/** What a captioned dataset is, and how images are dealt out to its splits. */
import { InputError } from '../../base/errors.ts';

export const splitNames = ['train', 'dev', 'test'] as const;
export type SplitName = (typeof splitNames)[number];

/** An image, or a clip, whose file is there, with what people wrote about it. */
export interface DatasetImage {
  /** Its name in the caption file. */
  readonly id: string;
  readonly path: string;
  readonly split: SplitName;
  /** At least one, in the order of the file, white space at the ends removed. */
  readonly captions: readonly string[];
  /** Whether a person accepted or wrote a caption of it, by `refcap review`. */
  readonly isReviewed?: boolean;
}

export interface CaptionDataset {
  /** The folder or file that it was read from. */
  readonly name: string;
  /** In the order of the caption file, or of the split lists where there are such. */
  readonly images: readonly DatasetImage[];
  /** Images named in the captions that have no file, by split. */
  readonly missing: Readonly<Record<SplitName, number>>;
  /** Sentences for the person: what was left out and what was assumed. */
  readonly notes: readonly string[];
}

/** The images of one split. */
export function imagesOfSplit(dataset: CaptionDataset, split: SplitName): DatasetImage[] {
  return dataset.images.filter((image) => image.split === split);
}

const splitAliases: Readonly<Record<string, SplitName>> = {
  train: 'train',
  training: 'train',
  restval: 'train', // Karpathy's COCO split: validation images that are left for training
  dev: 'dev',
  val: 'dev',
  valid: 'dev',
  validation: 'dev',
  validate: 'dev', // MSR-VTT
  test: 'test',
  testing: 'test',
};

/** The split that a word such as "val" or "Training" means, or undefined. */
export function parseSplit(word: string): SplitName | undefined {
  const key = word.trim().toLowerCase();
  return Object.hasOwn(splitAliases, key) ? splitAliases[key] : undefined;
}

/** How many images go to the dev and to the test split where a dataset does not say. */
export interface SplitShares {
  /** Shares of all images, from 0 up to and without 1 together. Default 0.1 each. */
  readonly dev?: number;
  readonly test?: number;
  /** Default 0. */
  readonly seed?: number;
}

/**
 * Deals images out to splits by a hash of seed and id: the same whatever the order of the ids, and
 * an image more or less moves only few of the others.
 * @throws InputError when the shares are not between 0 and 1.
 */
export function dealSplits(ids: readonly string[], shares: SplitShares = {}): SplitName[] {
  const { dev = 0.1, test = 0.1, seed = 0 } = shares;
  if (!(dev >= 0 && test >= 0 && dev + test < 1))
    throw new InputError(
      `the dev share ${dev} and the test share ${test} must be 0 or more and under 1 together.`,
    );
  const order = ids
    .map((id, place) => ({ place, id, key: hash(`${seed} ${id}`) }))
    .sort((a, b) => a.key - b.key || (a.id < b.id ? -1 : 1));
  const devCount = Math.round(ids.length * dev);
  const testCount = Math.round(ids.length * test);
  const splits = new Array<SplitName>(ids.length).fill('train');
  order.forEach(({ place }, rank) => {
    if (rank < devCount) splits[place] = 'dev';
    else if (rank < devCount + testCount) splits[place] = 'test';
  });
  return splits;
}

/** FNV-1a over UTF-16 units, finished by MurmurHash3's mixer. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
