/** Takes refcap's words out of the metadata of a picture, wherever they are. */
import { placesOf } from './all-places.ts';
import type { EmbeddedOptions } from './embed/embedded.ts';
import { undoCaption } from './xmp/undo.ts';

/** A place that was changed. */
export interface UndonePlace {
  /** The file. */
  readonly name: string;
  /** Parts that a person has changed since, and that stay. */
  readonly changedSince: readonly string[];
}

/**
 * Undoes what refcap wrote, in a picture and in the files beside it.
 * @throws InputError when there is XMP that is broken, or that cannot be written
 */
export async function undoPicture(
  file: string,
  options: EmbeddedOptions = {},
): Promise<UndonePlace[]> {
  const done: UndonePlace[] = [];
  for (const place of await placesOf(file, options)) {
    const packet = await place.read();
    if (packet === undefined) continue;
    const undone = undoCaption(packet, place.name);
    if (!undone.isChanged) continue;
    await place.write(undone.packet);
    done.push({ name: place.name, changedSince: undone.changedSince });
  }
  return done;
}
