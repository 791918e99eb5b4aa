/** Finds the files of a dataset's images, whichever way the captions name them. */
import { extname, join } from 'node:path';
import { FileFinder } from './find.ts';
import { pictureKind } from './formats.ts';
import { listBelow } from './walk.ts';

/** The image files below a folder. Paths are relative to it, with slashes, sorted. */
export interface ImageFolder {
  readonly folder: string;
  readonly files: readonly string[];
  /** The text files that may stand beside them: .txt and .caption. */
  readonly texts: readonly string[];
  /** Pictures of kinds that are not read. */
  readonly passedOver: readonly string[];
  /** What cannot be opened because its name is not UTF-8. */
  readonly nameless: readonly string[];
  readonly finder: FileFinder;
  /** The path of the file that `id` names: by relative path, file name, or name without extension. */
  find(id: string): string | undefined;
}

const textExtensions: ReadonlySet<string> = new Set(['.txt', '.caption']);

/**
 * Lists the images below `folder`, also behind links. Hidden files and folders are passed over.
 * @throws InputError when the folder cannot be read.
 */
export async function listImages(folder: string): Promise<ImageFolder> {
  const { files: all, links, nameless } = await listBelow(folder);
  const sorted = [...all].sort((a, b) => (a < b ? -1 : 1));
  const ofKind = (kind: ReturnType<typeof pictureKind>): string[] =>
    sorted.filter((file) => pictureKind(extname(file).toLowerCase()) === kind);
  const files = ofKind('read');
  const finder = new FileFinder(files, links);
  return {
    folder,
    files,
    texts: sorted.filter((file) => textExtensions.has(extname(file).toLowerCase())),
    passedOver: ofKind('passed over'),
    nameless,
    finder,
    find: (id) => {
      const found = finder.find(id);
      return found && 'file' in found ? join(folder, found.file) : undefined;
    },
  };
}
