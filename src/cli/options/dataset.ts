/** Options of the commands that read a dataset. */
import { Option } from 'commander';
import type { DatasetOptions } from '../../data/datasets/read.ts';

export interface DatasetFlags {
  readonly images?: string;
  readonly imageColumn?: string;
  readonly captionColumn?: string;
}

export const imagesOption = (): Option =>
  new Option('--images <folder>', 'where the images are, if not beside the captions');

export const imageColumnOption = (): Option =>
  new Option('--image-column <name>', "column or field of the image's name, if it is not told");

export const captionColumnOption = (): Option =>
  new Option('--caption-column <name>', 'column or field of the caption, likewise');

/** What the flags say of how the dataset is read. */
export function readingOf({ images, imageColumn, captionColumn }: DatasetFlags): DatasetOptions {
  return {
    ...(images !== undefined && { images }),
    ...((imageColumn ?? captionColumn) !== undefined && {
      columns: { image: imageColumn, caption: captionColumn },
    }),
  };
}
