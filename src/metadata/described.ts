/** What the metadata of a picture says of it, wherever that is: in files beside it, or in the picture. */
import { readFile } from 'node:fs/promises';
import { errorCode } from '../base/files.ts';
import { sidecarNamings } from './choices.ts';
import { canCarry, readEmbedded, readOlderIptc } from './embed/embedded.ts';
import { sidecarPlace, xmpSidecarPath } from './places.ts';
import { type DescribedPicture, readDescribed } from './xmp/caption.ts';

/**
 * The words of the first place that has some: photo.jpg.xmp, photo.xmp, XMP in the picture, IPTC in it.
 * @throws InputError when there is XMP that is broken, or a picture that is damaged before it
 */
export async function describedPicture(file: string): Promise<DescribedPicture | undefined> {
  for (const naming of sidecarNamings) {
    const path = xmpSidecarPath(file, naming);
    const packet = await sidecarPlace(path).read();
    const found = packet === undefined ? undefined : readDescribed(packet, path);
    if (found && hasWords(found)) return found;
  }
  const bytes = await readFile(file).catch((error) => {
    // A picture that is missing is told when it is decoded.
    if (errorCode(error) !== undefined) return Buffer.alloc(0);
    throw error;
  });
  if (!canCarry(bytes)) return undefined;
  const packet = readEmbedded(bytes, file);
  const found = packet === undefined ? undefined : readDescribed(packet, file);
  if (found && hasWords(found)) return found;
  const { caption, keywords } = readOlderIptc(bytes, file);
  if (caption === undefined) return undefined;
  return {
    description: caption,
    altText: undefined,
    keywords,
    isOurs: false,
    isMachineMade: false,
    isReviewed: false,
  };
}

function hasWords({ description, altText }: DescribedPicture): boolean {
  return (description ?? altText) !== undefined;
}
