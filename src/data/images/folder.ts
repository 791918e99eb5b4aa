/** Finds the files of a dataset's images, whichever way the captions name them; also in zips, as COCO comes. */
import { stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { isFilmName } from '../films/names.ts';
import { formatAddress } from '../shards/address.ts';
import { FileFinder, withoutExtension } from './find.ts';
import { pictureKind } from './formats.ts';
import { listBelow } from './walk.ts';

/** The image files below a folder, and films where they were asked for. Paths are relative to it, with slashes, sorted. */
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
  /** Where one of the files is: its path, or its address in a zip. */
  pathOf(file: string): string;
  /** The path of the file that `id` names: by relative path, file name, or name without extension. */
  find(id: string): string | undefined;
}

const textExtensions: ReadonlySet<string> = new Set(['.txt', '.caption']);

/** COCO's own names: such zips stand for the folders that they unpack to. */
const datasetZip = /(?:^|\/)((?:train|val|test|unlabeled)\d{4})\.zip$/i;

/**
 * Lists the images below `folder`, also behind links, and in COCO's zips that are not unpacked. Hidden files and
 * folders are passed over.
 * @param folder may be a zip
 * @param withFilms whether films count too, where no picture beside them has their name: some cameras give a picture one
 * @throws InputError when the folder or a zip cannot be read.
 */
export async function listImages(folder: string, withFilms = false): Promise<ImageFolder> {
  const isFile = await stat(folder).then(
    (found) => found.isFile(),
    () => false,
  );
  const isZip = isFile && /\.zip$/i.test(folder);
  const listing = isZip ? undefined : await listBelow(folder);
  const {
    files: outside,
    links,
    nameless,
  } = listing ?? { files: [], links: new Map(), nameless: [] };
  const addresses = await inZips(
    isZip ? [folder] : zipsAmong(outside).map((zip) => join(folder, zip)),
  );
  const all = [...outside, ...addresses.keys()];
  const pathOf = (file: string): string => addresses.get(file) ?? join(folder, file);
  const sorted = sortedNames(all);
  const ofKind = (kind: ReturnType<typeof pictureKind>): string[] =>
    sorted.filter((file) => pictureKind(extname(file).toLowerCase()) === kind);
  const pictures = ofKind('read');
  const films = withFilms ? filmsAmong(outside, pictures) : [];
  const files = films.length === 0 ? pictures : sortedNames([...pictures, ...films]);
  const finder = new FileFinder(files, links);
  return {
    folder,
    files,
    texts: sorted.filter((file) => textExtensions.has(extname(file).toLowerCase())),
    passedOver: ofKind('passed over'),
    nameless,
    finder,
    pathOf,
    find: (id) => {
      const found = finder.find(id);
      return found && 'file' in found ? pathOf(found.file) : undefined;
    },
  };
}

function sortedNames(names: readonly string[]): string[] {
  return [...names].sort((a, b) => (a < b ? -1 : 1));
}

function filmsAmong(files: readonly string[], pictures: readonly string[]): string[] {
  const taken = new Set(pictures.map(withoutExtension));
  return files.filter((file) => isFilmName(file) && !taken.has(withoutExtension(file)));
}

/** COCO's zips beside which they are not unpacked. */
function zipsAmong(files: readonly string[]): string[] {
  const zips = files.filter((file) => datasetZip.test(file));
  if (zips.length === 0) return [];
  const folders = new Set(files.map((file) => file.slice(0, file.lastIndexOf('/') + 1)));
  return zips.filter((zip) => !folders.has(`${zip.replace(/\.zip$/i, '')}/`));
}

/** The address of each file of the zips. Of a name that two have, the first one's. */
async function inZips(zips: string[]): Promise<Map<string, string>> {
  const addresses = new Map<string, string>();
  if (zips.length === 0) return addresses;
  const { openZip } = await import('../shards/zip.ts');
  for (const shard of zips.sort())
    for (const member of (await openZip(shard)).files)
      if (!addresses.has(member))
        addresses.set(member, formatAddress({ kind: 'zip', member, shard }));
  return addresses;
}
