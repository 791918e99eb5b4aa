/** The pictures that a page may have, made ready for the worker. */
import { InputError } from '../base/errors.ts';
import type { SentPicture } from './worker/pixels.ts';

/** A file or its bytes; or what the browser has decoded: an element, a bitmap, pixels. */
export type PictureSource =
  | Blob
  | HTMLImageElement
  | HTMLCanvasElement
  | OffscreenCanvas
  | HTMLVideoElement
  | ImageBitmap
  | ImageData;

/**
 * A picture that can be sent to a worker, and what of it is handed over.
 * @throws InputError when it cannot be read, or is of another site that does not share it
 */
export async function sendPicture(
  picture: PictureSource,
): Promise<{ sent: SentPicture; transfer: Transferable[] }> {
  if (picture instanceof Blob) return { sent: picture, transfer: [] };
  if (picture instanceof HTMLImageElement) await decoded(picture);
  const bitmap = await createImageBitmap(picture).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(`the picture cannot be read: ${reason.replace(/\.$/, '')}.`);
  });
  checkShared(bitmap);
  return { sent: bitmap, transfer: [bitmap] };
}

async function decoded(image: HTMLImageElement): Promise<void> {
  await image.decode().catch(() => {
    throw new InputError(
      `${image.currentSrc || 'the picture'}: this is no picture that this browser reads.`,
    );
  });
}

/** @throws InputError where no script may see the pixels */
function checkShared(bitmap: ImageBitmap): void {
  const context = new OffscreenCanvas(1, 1).getContext('2d');
  try {
    context?.drawImage(bitmap, 0, 0);
    context?.getImageData(0, 0, 1, 1);
  } catch {
    bitmap.close();
    throw new InputError(
      'the picture is of another site, which does not share it (by CORS, with crossorigin="anonymous" on the element); give its file.',
    );
  }
}
