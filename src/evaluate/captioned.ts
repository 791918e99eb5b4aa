/** Captions of a dataset's pictures, batch after batch. */
import { InputError } from '../base/errors.ts';
import type { Captioner } from '../caption/captioner.ts';
import type { CaptionOptions } from '../caption/options.ts';
import type { PreparedImage } from '../caption/prepare.ts';
import type { Caption } from '../caption/result.ts';
import { type DatasetImage, imagesOfSplit, type SplitName } from '../data/datasets/dataset.ts';
import { type DatasetOptions, readDataset } from '../data/datasets/read.ts';
import { isFilmName } from '../data/films/names.ts';
import { sampleFrames } from '../data/films/sample.ts';

/** Pictures of a split. */
export interface SplitOptions {
  /** A dataset as `readDataset` takes it. */
  readonly data: string;
  readonly reading?: DatasetOptions;
  readonly split: SplitName;
  /** The first so many images alone. */
  readonly limit?: number;
  onNote(note: string): void;
}

/** @throws InputError when a file is at fault, or the split has no image with a caption */
export async function imagesWithCaptions(options: SplitOptions): Promise<DatasetImage[]> {
  const { data, reading, split, limit, onNote } = options;
  const dataset = await readDataset(data, reading);
  for (const note of dataset.notes) onNote(note);
  const images = imagesOfSplit(dataset, split).filter(({ captions }) => captions.length > 0);
  if (images.length === 0)
    throw new InputError(`${data}: the ${split} split has no image with a caption.`);
  return images.slice(0, limit);
}

export interface CaptioningOptions {
  readonly decoding: CaptionOptions;
  readonly batchSize: number;
  /** Frames that a clip is captioned from. Default: as many as the model learned to read, else the middle one. */
  readonly frames?: number;
  readonly signal?: AbortSignal;
  onNote(note: string): void;
  onCaptioned(done: number, total: number): void;
}

/** A picture with the best caption that was written for it. */
export interface DatasetCaption<Image extends DatasetImage = DatasetImage> {
  readonly image: Image;
  readonly caption: Caption;
}

/** Frames that each image is captioned from: several where some are clips, of which a picture is one that stands still. */
export function framesEach(
  images: readonly DatasetImage[],
  { frames }: Pick<CaptioningOptions, 'frames'>,
  { config: { clip_frames: learned = 1 } }: Pick<Captioner, 'config'>,
): number {
  return images.some(({ path }) => isFilmName(path)) ? (frames ?? learned) : 1;
}

/**
 * The best caption of each image; the next batch is decoded while one is captioned. Pictures that cannot be read are
 * told of and left out.
 * @throws as `Captioner.captionPrepared`
 */
export async function captionDataset<Image extends DatasetImage>(
  captioner: Captioner,
  images: readonly Image[],
  options: CaptioningOptions,
): Promise<DatasetCaption<Image>[]> {
  const { batchSize, decoding, signal, onNote, onCaptioned } = options;
  const each = framesEach(images, options, captioner);
  const prepareOne = async (path: string): Promise<PreparedImage[]> => {
    if (!isFilmName(path)) {
      const picture = await captioner.prepare(path, decoding);
      return Array.from({ length: each }, () => picture);
    }
    const frames = await sampleFrames(path, each, signal ? { signal } : {});
    return Promise.all(frames.map((frame) => captioner.prepare(frame, decoding)));
  };
  const prepare = (start: number): Promise<(PreparedImage[] | InputError)[]> =>
    Promise.all(
      images.slice(start, start + batchSize).map(({ path }) =>
        prepareOne(path).catch((error: unknown) => {
          if (error instanceof InputError) return error;
          throw error;
        }),
      ),
    );
  const written: DatasetCaption<Image>[] = [];
  let next = prepare(0);
  for (let start = 0; start < images.length; start += batchSize) {
    const prepared = await next;
    next = start + batchSize < images.length ? prepare(start + batchSize) : Promise.resolve([]);
    next.catch(() => undefined);
    signal?.throwIfAborted();
    const batch: { image: Image; pixels: PreparedImage[]; number: number }[] = [];
    for (const [i, pixels] of prepared.entries()) {
      if (pixels instanceof InputError) onNote(`left out: ${pixels.message}`);
      else batch.push({ image: images[start + i], pixels, number: start + i });
    }
    const imageNumbers = batch.map(({ number }) => number);
    const results =
      batch.length === 0
        ? []
        : await captioner.captionGroups(
            batch.flatMap(({ pixels }) => pixels),
            each,
            { ...decoding, imageNumbers, ...(signal && { signal }) },
          );
    for (const [i, { captions }] of results.entries())
      written.push({ image: batch[i].image, caption: captions[0] });
    onCaptioned(Math.min(start + batchSize, images.length), images.length);
  }
  return written;
}
