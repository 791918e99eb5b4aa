/** Everywhere that a picture's XMP may be. */
import { open } from 'node:fs/promises';
import { sidecarNamings } from './choices.ts';
import { canCarry, type EmbeddedOptions, embeddedPlace } from './embed/embedded.ts';
import { sidecarPlace, type XmpPlace, xmpSidecarPath } from './places.ts';

/** The files beside the picture, which may be missing, and the picture itself, where it is one that XMP can be in. */
export async function placesOf(file: string, options: EmbeddedOptions): Promise<XmpPlace[]> {
  const beside = sidecarNamings.map((naming) => sidecarPlace(xmpSidecarPath(file, naming)));
  return (await isCarrier(file)) ? [...beside, embeddedPlace(file, options)] : beside;
}

/** Known by its first bytes. A picture may be missing whose XMP file is there. */
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
