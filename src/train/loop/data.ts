/** The pictures with captions that a run trains on and is measured with. */
import { InputError } from '../../base/errors.ts';
import { plural } from '../../base/plural.ts';
import { leakageNote } from '../../data/datasets/check-images.ts';
import { type DatasetImage, imagesOfSplit } from '../../data/datasets/dataset.ts';
import {
  type DatasetOptions,
  type DatasetSurvey,
  surveyDataset,
} from '../../data/datasets/read.ts';
import type { TextTokenizer } from '../../data/text/tokenizer.ts';
import type { TrainConfig } from '../config/config.ts';

export interface DataOptions {
  /** A dataset as `readDataset` takes it. */
  readonly data: string;
  /** Further sources, and how often an epoch shows each of their pictures. */
  readonly moreData?: TrainConfig['moreData'];
  /** How often an epoch shows pictures whose captions a person reviewed; once by default. */
  readonly weightReviewed?: number;
  /** How it is read. */
  readonly reading?: DatasetOptions;
  /** Train on all of a source without splits, and measure training pictures. */
  readonly withoutDev?: boolean;
  readonly signal?: AbortSignal;
  /** A sentence for the person. */
  onNote(note: string): void;
}

/** An image of a run. */
export interface RunImage extends DatasetImage {
  /** The source that it comes from, where there are several. */
  readonly source?: string;
  /** How often an epoch shows it; once by default. */
  readonly repeat?: number;
}

export interface RunData {
  readonly train: readonly RunImage[];
  readonly dev: readonly RunImage[];
}

/** Training pictures that are measured where there is no dev split. */
export const mostMeasured = 500;

/** Images from which a tenth, rounded, is one. */
const fewestToDeal = 5;

/**
 * Reads the train and dev splits of all sources.
 * @throws InputError when a file is at fault, or a split has no image
 */
export async function readRunData(options: DataOptions): Promise<RunData> {
  const { moreData = [] } = options;
  const first = await readSource(options);
  if (moreData.length === 0) return first;
  const sources = [{ ...first, source: options.data, repeat: 1 }];
  for (const { data, repeat } of moreData)
    sources.push({ ...(await readSource({ ...options, data })), source: data, repeat });
  const all = (split: 'train' | 'dev') =>
    sources.flatMap(({ source, repeat, [split]: images }) =>
      images.map((image) => ({
        ...image,
        ...{ id: `${source}: ${image.id}`, source },
        repeat: repeat * (image.repeat ?? 1),
      })),
    );
  return { train: all('train'), dev: all('dev') };
}

async function readSource(options: DataOptions): Promise<RunData> {
  const { data, reading = {}, withoutDev = false, weightReviewed = 1, onNote, signal } = options;
  const survey = await surveyDataset(data, {
    ...reading,
    ...(withoutDev && { shares: { ...reading.shares, dev: 0, test: 0 } }),
  });
  const { dataset } = survey;
  for (const note of dataset.notes) onNote(note);
  const leak = await leakageNote(dataset.images, signal);
  if (leak !== undefined) onNote(leak);
  const [all, dev] = (['train', 'dev'] as const).map((split) =>
    imagesOfSplit(dataset, split).filter(({ captions }) => captions.length > 0),
  );
  const train = weightReviewed === 1 ? all : weighed(all, weightReviewed, options);
  if (train.length === 0)
    throw new InputError(`${data}: the train split has no image with a caption.`);
  if (withoutDev) {
    onNote('no dev split: the scores are of training pictures, and tell little of others.');
    return { train, dev: all.slice(0, mostMeasured) };
  }
  if (dev.length === 0) throw new InputError(withoutDevSentence(data, survey));
  return { train, dev };
}

/** Images that are shown more often where a person reviewed their captions. */
function weighed(
  images: readonly DatasetImage[],
  weight: number,
  { data, onNote }: DataOptions,
): RunImage[] {
  const reviewed = images.filter(({ isReviewed }) => isReviewed).length;
  onNote(
    reviewed === 0
      ? `${data}: no training image has a reviewed caption, so weightReviewed (${weight}) changes nothing there.`
      : `${data}: ${reviewed} of ${images.length} training images have reviewed captions; an epoch shows these ${weight} times.`,
  );
  return images.map((image) => (image.isReviewed ? { ...image, repeat: weight } : image));
}

function withoutDevSentence(data: string, { splitsFrom, dataset }: DatasetSurvey): string {
  const { length } = dataset.images;
  const needed =
    splitsFrom === 'seed'
      ? `${plural(length, 'image is', 'images are')} too few to deal one out: give ${fewestToDeal} or more`
      : 'mark some images as dev';
  return `${data}: the dev split has no image with a caption; ${needed}, or train without a dev split (--no-dev).`;
}

/** From this share on, captions are told to be of other words than the model's. */
const tellingShare = 0.1;

/**
 * A sentence on training captions whose words the model's vocabulary does not have, where they are many.
 * Tokens are counted, so that scripts without spaces count like others.
 */
export function unknownWordsNote(
  texts: readonly string[],
  tokenizer: TextTokenizer,
): string | undefined {
  const { unknown } = tokenizer.ids;
  let all = 0;
  let missed = 0;
  let example: string | undefined;
  for (const text of texts) {
    const ids = tokenizer.encode(text, { specialTokens: false });
    const here = ids.filter((id) => id === unknown).length;
    all += ids.length;
    missed += here;
    if (here > 0) example ??= text;
  }
  if (all === 0 || missed / all < tellingShare) return undefined;
  return `${Math.round((100 * missed) / all)} % of the words of the training captions are not in the model's vocabulary, such as in "${example}": it cannot learn to write them. A fresh decoder (--tower) makes its vocabulary from your captions.`;
}
