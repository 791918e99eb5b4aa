/** Captions the bundled photos one after the other, so that each is there as soon as it can be. */
import { InputError } from '../base/errors.ts';
import type { SamplePhoto } from '../data/datasets/sample-photos.ts';
import { type DecodedImage, decodeImage } from '../data/images/decode.ts';
import type { GenerationOptions } from '../model/checkpoint/generation-config.ts';
import type { Captioner } from './captioner.ts';
import type { CaptionOptions } from './options.ts';
import type { ImageCaption } from './result.ts';

/** A photo and its captions, or why it has none. */
export interface DemoResult {
  readonly photo: SamplePhoto;
  readonly result: ImageCaption | InputError;
}

/**
 * Yields the photos in order. The next photo is decoded while one is captioned, the first while the
 * model loads.
 * @throws InputError when the model cannot be used; the signal's reason when aborted
 */
export async function* captionPhotos(
  loading: Promise<Captioner>,
  photos: readonly SamplePhoto[],
  options: CaptionOptions,
): AsyncGenerator<DemoResult> {
  let next = decode(photos[0]);
  const captioner = await loading;
  captioner.check(options);
  for (const [i, photo] of photos.entries()) {
    const image = await next;
    if (i + 1 < photos.length) next = decode(photos[i + 1]);
    // Awaited only after this photo.
    next.catch(() => undefined);
    const result =
      image instanceof InputError
        ? image
        : await captioner.caption(image, { ...options, imageNumbers: [i] });
    yield { photo, result };
  }
}

async function decode({ path }: SamplePhoto): Promise<DecodedImage | InputError> {
  try {
    return await decodeImage(path);
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}

/** How a model searches for captions, in words. */
export function describeDecoding({ do_sample, num_beams = 1 }: GenerationOptions): string {
  if (do_sample) return 'drawing words by chance';
  return num_beams > 1 ? `${num_beams} beams` : 'greedy search';
}
