/** Where a picture's metadata hold a caption that refcap wrote, and what a person said of it. */
import { placesOf } from './all-places.ts';
import type { EmbeddedOptions } from './embed/embedded.ts';
import type { XmpPlace } from './places.ts';
import { readDescribed } from './xmp/caption.ts';
import { captionProperties, recordOf, reviewProperties } from './xmp/names.ts';
import { findProperty, parsePacket, textOf } from './xmp/packet.ts';

/** Who decided, and when. */
export interface XmpReview {
  readonly by: string;
  readonly when: string;
}

export interface MachineMadePlace {
  readonly place: XmpPlace;
  readonly packet: string;
  /** What refcap wrote. */
  readonly draft: string;
  /** What is there now. */
  readonly text: string;
  readonly review: XmpReview | undefined;
}

/**
 * The first place whose description is refcap's, as it wrote it or as a reviewer left it.
 * @throws InputError when there is XMP that is broken, or a picture that is damaged before it
 */
export async function machineMadePlace(
  file: string,
  options: EmbeddedOptions = {},
): Promise<MachineMadePlace | undefined> {
  for (const place of await placesOf(file, options)) {
    const found = madePlace(place, await place.read());
    if (found) return found;
  }
  return undefined;
}

function madePlace(place: XmpPlace, text: string | undefined): MachineMadePlace | undefined {
  if (text === undefined) return undefined;
  const { isMachineMade, isReviewed } = readDescribed(text, place.name);
  if (!isMachineMade && !isReviewed) return undefined;
  const packet = parsePacket(text, place.name);
  const read = (name: Parameters<typeof findProperty>[1]): string | undefined =>
    textOf(findProperty(packet, name));
  const part = read(captionProperties.description) === undefined ? 'altText' : 'description';
  const now = read(captionProperties[part]);
  const draft = read(reviewProperties.draft) ?? read(recordOf(part).text);
  if (now === undefined || draft === undefined) return undefined;
  const [by, when] = [read(reviewProperties.reviewer), read(reviewProperties.reviewed)];
  const review = by === undefined ? undefined : { by, when: when ?? '' };
  return { place, packet: text, draft, text: now, review };
}
