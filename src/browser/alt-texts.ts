/** Fills missing alt texts of a page. */
import { InputError } from '../base/errors.ts';
import type { Captioner, WebCaptionOptions } from './captioner.ts';

export interface FillAltOptions extends WebCaptionOptions {
  /** Pictures smaller than this, in pixels of the page, say nothing. Default 48. */
  readonly smallest?: number;
}

/** A picture that was looked at: what was written, or why nothing was. */
export type FilledAlt =
  | { readonly image: HTMLImageElement; readonly alt: string }
  | { readonly image: HTMLImageElement; readonly reason: string };

/**
 * Gives each picture below `root` that has no attribute alt a text, and `data-alt-by="refcap"` beside it. (An empty alt was
 * written by someone: it says that the picture is ornament.)
 * @returns the pictures that had none, as they are looked at
 * @throws the signal's reason when aborted
 */
export async function* fillAltTexts(
  root: ParentNode,
  captioner: Pick<Captioner, 'altText'>,
  { smallest = 48, ...options }: FillAltOptions = {},
): AsyncGenerator<FilledAlt, void> {
  for (const image of root.querySelectorAll<HTMLImageElement>('img:not([alt])')) {
    const { width, height } = image.getBoundingClientRect();
    if (width < smallest || height < smallest) continue;
    // Pictures that wait to be scrolled to would be waited for.
    image.loading = 'eager';
    try {
      const alt = await captioner.altText(image, options);
      if (alt === '') {
        yield { image, reason: 'the model has no words for it' };
        continue;
      }
      image.alt = alt;
      image.dataset.altBy = 'refcap';
      yield { image, alt };
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!(error instanceof InputError)) throw error;
      yield { image, reason: error.message };
    }
  }
}
