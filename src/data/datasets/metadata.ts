/** Reads captions from the metadata of images. */
import { join } from 'node:path';
import { InputError } from '../../base/errors.ts';
import { plural } from '../../base/plural.ts';
import { describedPicture } from '../../metadata/described.ts';
import type { DescribedPicture } from '../../metadata/xmp/caption.ts';
import type { ImageFolder } from '../images/folder.ts';
import type { NamedImages } from './captions.ts';
import { parseSplit } from './dataset.ts';

/**
 * The descriptions and alt texts of images, as XMP or IPTC beside or in them. Images that have none are left out;
 * those whose metadata are broken are told, and those that refcap described and nobody changed: a model learns
 * nothing from its own words.
 * @throws InputError when no image has any
 */
export async function readMetadata(
  { folder, files }: ImageFolder,
  notes: string[],
): Promise<NamedImages> {
  const images: NamedImages = new Map();
  const faults: string[] = [];
  let ours = 0;
  for (const file of files) {
    const found = await describedPicture(join(folder, file)).catch((error: unknown) => {
      if (!(error instanceof InputError)) throw error;
      faults.push(error.message);
      return undefined;
    });
    if (found?.isMachineMade) ours += 1;
    const captions = found && !found.isMachineMade ? captionsOf(found) : [];
    if (captions.length === 0) continue;
    const split = file.includes('/') ? parseSplit(file.split('/', 1)[0]) : undefined;
    images.set(file, { captions, split, files: [], isReviewed: found?.isReviewed ?? false });
  }
  if (ours > 0)
    notes.push(
      `${plural(ours, 'image that refcap described is', 'images that refcap described are')} left out: nobody changed the words since.`,
    );
  if (faults.length > 0)
    notes.push(
      `${faults.length === 1 ? "1 image's metadata" : `the metadata of ${faults.length} images`} cannot be read, the first: ${faults[0]}`,
    );
  if (images.size === 0)
    throw new InputError(
      `${folder}: no image has a description of a person in its metadata${notes.length > 0 ? ` (${notes.join(' ')})` : ''}; leave out --captions xmp, or name another folder.`,
    );
  return images;
}

/** Description and alt text, a line each, where they differ. */
function captionsOf({ description, altText }: DescribedPicture): string[] {
  const texts = [description, altText].flatMap((text) => text?.replace(/\s+/g, ' ').trim() ?? []);
  return [...new Set(texts)].filter((text) => text !== '');
}
