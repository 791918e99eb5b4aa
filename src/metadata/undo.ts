/** Takes refcap's words out of the metadata of a picture, wherever they are. */
import { open } from 'node:fs/promises';
import { sidecarNamings } from './choices.ts';
import { canCarry, type EmbeddedOptions, embeddedPlace } from './embed/embedded.ts';
import { sidecarPlace, type XmpPlace, xmpSidecarPath } from './places.ts';
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

async function placesOf(file: string, options: EmbeddedOptions): Promise<XmpPlace[]> {
  const beside = sidecarNamings.map((naming) => sidecarPlace(xmpSidecarPath(file, naming)));
  return (await isCarrier(file)) ? [...beside, embeddedPlace(file, options)] : beside;
}

/** Whether it is a picture that XMP can be in; a picture may be missing whose XMP file is there. */
async function isCarrier(file: string): Promise<boolean> {
  const handle = await open(file).catch(() => undefined);
  if (!handle) return false;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(16), 0, 16, 0);
    return canCarry(buffer.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}
