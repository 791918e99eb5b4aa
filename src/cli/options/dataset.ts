/** Options of the commands that read a dataset. */
import { Option } from '@commander-js/extra-typings';
import type { DatasetOptions } from '../../data/datasets/read.ts';

export interface DatasetFlags {
  readonly images?: string;
  readonly imageColumn?: string;
  readonly captionColumn?: string;
  readonly captions?: 'xmp';
}

export const imagesOption = () =>
  new Option('--images <folder>', 'where the images are, if not beside the captions');

export const imageColumnOption = () =>
  new Option('--image-column <name>', "column or field of the image's name, if it is not told");

export const captionColumnOption = () =>
  new Option('--caption-column <name>', 'column or field of the caption, likewise');

export const captionsOption = () =>
  new Option('--captions <where>', "take captions from the pictures' metadata (xmp)").choices([
    'xmp',
  ]);

/** What the flags say of how the dataset is read. */
export function readingOf(flags: DatasetFlags): DatasetOptions {
  const { images, imageColumn, captionColumn, captions } = flags;
  return {
    ...(images !== undefined && { images }),
    ...(captions !== undefined && { format: captions }),
    ...((imageColumn ?? captionColumn) !== undefined && {
      columns: { image: imageColumn, caption: captionColumn },
    }),
  };
}
