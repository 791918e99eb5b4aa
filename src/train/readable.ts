/** Pictures that cannot be decoded are left out of training, and told. */
import { InputError } from '../base/errors.ts';
import type { DatasetImage } from '../data/dataset.ts';
import { decodeImage } from '../data/image.ts';

/** Pictures decoded at a time. */
const atOnce = 8;
/** Sentences that are told one by one. */
const mostTold = 10;

/** The images that decode, in their order; the others are told with their reasons. */
export async function readableImages(
  images: readonly DatasetImage[],
  onNote: (note: string) => void,
  signal?: AbortSignal,
): Promise<DatasetImage[]> {
  const readable: DatasetImage[] = [];
  let failed = 0;
  for (let start = 0; start < images.length; start += atOnce) {
    signal?.throwIfAborted();
    const part = images.slice(start, start + atOnce);
    const reasons = await Promise.all(part.map(({ path }) => fault(path)));
    for (const [i, reason] of reasons.entries()) {
      if (reason === undefined) readable.push(part[i]);
      else if (++failed <= mostTold) onNote(`left out: ${reason}`);
    }
  }
  if (failed > mostTold) onNote(`left out: ${failed - mostTold} more pictures that cannot be read`);
  return readable;
}

async function fault(path: string): Promise<string | undefined> {
  try {
    await decodeImage(path);
    return undefined;
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
}
