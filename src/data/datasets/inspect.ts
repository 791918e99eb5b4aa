/** Figures of a dataset and all that is not in order with it. */

import { captionWords } from '../text/clean.ts';
import { countWords } from '../text/vocabulary.ts';
import {
  type CheckedImage,
  type CheckOptions,
  checkImages,
  findDuplicates,
} from './check-images.ts';
import { type DatasetImage, type SplitName, splitNames } from './dataset.ts';
import { type DatasetOptions, type DatasetSurvey, surveyDataset } from './read.ts';

/** What can be wrong with a dataset. None of it keeps the rest from being used. */
export const problemKinds = [
  'duplicate images across splits',
  'duplicate images within a split',
  'images without a file',
  'unreadable images',
  'images of kinds that are not read',
  'names that are not UTF-8',
  'shards that are missing or damaged',
  'images without a caption',
  'images in no split',
  'text files without an image',
  'empty captions',
  'captions repeated at one image',
  'captions over the length limit',
  'splits without an image',
] as const;
export type ProblemKind = (typeof problemKinds)[number];

export interface DatasetProblem {
  readonly kind: ProblemKind;
  readonly count: number;
  /** Each case: a name, a sentence, or names joined by " = ". */
  readonly cases: readonly string[];
}

export interface SplitFigures {
  /** Images that can be used: the file is there and is decoded. */
  readonly images: number;
  readonly missing: number;
  readonly unreadable: number;
  /** Of the images that can be used. */
  readonly captions: number;
  readonly captionsPerImage: {
    readonly least: number;
    readonly mean: number;
    readonly most: number;
  };
}

/** What a vocabulary of the words used at least `minCount` times in the training captions covers. */
export interface Coverage {
  readonly minCount: number;
  readonly words: number;
  /** Shares of the uses, from 0 to 1; `dev` is undefined where there are no dev captions. */
  readonly train: number;
  readonly dev: number | undefined;
}

export interface DatasetReport {
  readonly name: string;
  /** Caption files; empty where each image has a text file. */
  readonly captionFiles: readonly string[];
  /** Shards that hold images and captions, where there are such. */
  readonly shards: readonly string[];
  readonly imageFolder: string;
  readonly splitsFrom: DatasetSurvey['splitsFrom'];
  readonly splits: Readonly<Record<SplitName | 'all', SplitFigures>>;
  /** Words a caption, after cleaning: the mean, and percentiles by nearest rank (0 the least, 100 the most). */
  readonly captionWords: {
    readonly mean: number;
    readonly percentiles: Readonly<Record<number, number>>;
  };
  readonly vocabulary: {
    /** Uses of words in the training captions, different words, and words used once. */
    readonly uses: number;
    readonly words: number;
    readonly once: number;
    readonly coverage: readonly Coverage[];
  };
  /** Captions that several images share, word for word: usual, and no problem. */
  readonly sharedCaptions: number;
  readonly maxWords: number;
  readonly problems: readonly DatasetProblem[];
  /** What reading the source had to say. */
  readonly notes: readonly string[];
}

export interface InspectOptions extends DatasetOptions, CheckOptions {
  /** The longest caption in words; training cuts longer ones. Default 22. */
  readonly maxWords?: number;
}

const percentiles = [0, 1, 5, 25, 50, 75, 95, 99, 100];
const minCounts = [1, 2, 3, 5, 10, 20];

/**
 * Reads the captions and every image of the dataset at `path`, as training does.
 * @throws InputError when a caption file is at fault or nothing can be used
 */
export async function inspectDataset(
  path: string,
  options: InspectOptions = {},
): Promise<DatasetReport> {
  const { maxWords = 22 } = options;
  const survey = await surveyDataset(path, options);
  const { images, notes } = survey.dataset;
  const checked = await checkImages(
    images.map((image) => image.path),
    options,
  );
  const usable = images.filter((_, i) => checked[i].fault === undefined);
  return {
    name: path,
    captionFiles: survey.source.captions?.map((file) => file.path) ?? [],
    shards: survey.source.shards ?? [],
    imageFolder: survey.source.images,
    splitsFrom: survey.splitsFrom,
    splits: splitFigures(survey, checked),
    captionWords: wordFigures(usable),
    vocabulary: vocabularyFigures(usable, maxWords),
    sharedCaptions: countShared(usable),
    maxWords,
    problems: findProblems(survey, checked, maxWords),
    notes,
  };
}

function splitFigures(
  { dataset: { images }, missing }: DatasetSurvey,
  checked: readonly CheckedImage[],
): DatasetReport['splits'] {
  const figures = (isMember: (split: SplitName) => boolean): SplitFigures => {
    const own = images.flatMap((image, i) => (isMember(image.split) ? [{ image, i }] : []));
    const usable = own.filter(({ i }) => checked[i].fault === undefined);
    const counts = usable.map(({ image }) => image.captions.length);
    const captions = counts.reduce((sum, count) => sum + count, 0);
    return {
      images: usable.length,
      missing: missing.filter(({ split }) => isMember(split)).length,
      unreadable: own.length - usable.length,
      captions,
      captionsPerImage: {
        least: counts.reduce((least, count) => Math.min(least, count), counts[0] ?? 0),
        mean: usable.length === 0 ? 0 : captions / usable.length,
        most: counts.reduce((most, count) => Math.max(most, count), 0),
      },
    };
  };
  return {
    train: figures((split) => split === 'train'),
    dev: figures((split) => split === 'dev'),
    test: figures((split) => split === 'test'),
    all: figures(() => true),
  };
}

function wordFigures(images: readonly DatasetImage[]): DatasetReport['captionWords'] {
  const lengths = images
    .flatMap(({ captions }) => captions.map((caption) => captionWords(caption).length))
    .sort((a, b) => a - b);
  const rank = (p: number): number =>
    lengths[Math.max(0, Math.ceil((p / 100) * lengths.length) - 1)] ?? 0;
  const sum = lengths.reduce((total, length) => total + length, 0);
  return {
    mean: lengths.length === 0 ? 0 : sum / lengths.length,
    percentiles: Object.fromEntries(percentiles.map((p) => [p, rank(p)])),
  };
}

/** Words as a vocabulary is made of them: of cleaned captions, cut at the length limit. */
function vocabularyFigures(
  images: readonly DatasetImage[],
  maxWords: number,
): DatasetReport['vocabulary'] {
  const count = (split: SplitName): Map<string, number> =>
    countWords(
      images
        .filter((image) => image.split === split)
        .flatMap(({ captions }) => captions)
        .map((caption) => captionWords(caption).slice(0, maxWords).join(' ')),
    );
  const train = count('train');
  const dev = count('dev');
  const covered = (counts: ReadonlyMap<string, number>, minCount: number): number => {
    let all = 0;
    let known = 0;
    for (const [word, uses] of counts) {
      all += uses;
      if ((train.get(word) ?? 0) >= minCount) known += uses;
    }
    return all === 0 ? 0 : known / all;
  };
  const counts = [...train.values()];
  return {
    uses: counts.reduce((sum, uses) => sum + uses, 0),
    words: counts.length,
    once: counts.filter((uses) => uses === 1).length,
    coverage: minCounts.map((minCount) => ({
      minCount,
      words: counts.filter((uses) => uses >= minCount).length,
      train: covered(train, minCount),
      dev: dev.size === 0 ? undefined : covered(dev, minCount),
    })),
  };
}

function countShared(images: readonly DatasetImage[]): number {
  const users = new Map<string, number>();
  for (const { captions } of images)
    for (const text of new Set(captions.map((caption) => captionWords(caption).join(' '))))
      users.set(text, (users.get(text) ?? 0) + 1);
  return [...users.values()].filter((count) => count > 1).length;
}

function findProblems(
  survey: DatasetSurvey,
  checked: readonly CheckedImage[],
  maxWords: number,
): DatasetProblem[] {
  const { images } = survey.dataset;
  const duplicates = findDuplicates(
    images.map(({ id, split }, i) => ({ id, split, hash: checked[i].hash })),
  );
  const repeated = images.flatMap(({ id, captions }) => {
    const texts = captions.map((caption) => captionWords(caption).join(' '));
    return texts.filter((text, i) => texts.indexOf(text) < i).map(() => id);
  });
  const long = images.flatMap(({ id, captions }) =>
    captions
      .map((caption) => captionWords(caption).length)
      .filter((words) => words > maxWords)
      .map((words) => `${id}: ${words} words`),
  );
  const cases: Readonly<Record<ProblemKind, readonly string[]>> = {
    'duplicate images across splits': duplicates.acrossSplits.map((group) =>
      group.map(({ id, split }) => `${id} (${split})`).join(' = '),
    ),
    'duplicate images within a split': duplicates.withinSplit.map((group) =>
      group.map(({ id }) => id).join(' = '),
    ),
    'images without a file': survey.missing.map(
      ({ id, split, reason }) => `${id} (${split})${reason === undefined ? '' : `: ${reason}`}`,
    ),
    'unreadable images': checked.flatMap(({ fault }) => fault ?? []),
    'images of kinds that are not read': survey.passedOver,
    'names that are not UTF-8': survey.nameless,
    'shards that are missing or damaged': survey.shardFaults,
    'images without a caption': survey.withoutCaption,
    'images in no split': survey.withoutSplit,
    'text files without an image': survey.strayTexts,
    'empty captions': survey.emptyCaptions,
    'captions repeated at one image': repeated,
    'captions over the length limit': long,
    'splits without an image': splitNames.filter((name) =>
      images.every(({ split }, i) => split !== name || checked[i].fault !== undefined),
    ),
  };
  return problemKinds.flatMap((kind) =>
    cases[kind].length === 0 ? [] : [{ kind, count: cases[kind].length, cases: cases[kind] }],
  );
}
