/** The pictures of an evaluation, which each measure goes through: decoded once, captioned once. */
import type { Captioner } from '../../caption/captioner.ts';
import type { PreparedImage } from '../../caption/prepare.ts';
import { withoutEnd } from '../words.ts';

/** Bytes of pixels that are kept; pictures beyond are decoded again. */
const mostBytes = 2 ** 30;

export class PreparedPictures {
  readonly #captioner: Captioner;
  readonly #signal: AbortSignal | undefined;
  readonly #prepared = new Map<string, PreparedImage>();
  readonly #captions = new Map<string, readonly number[]>();
  #bytes = 0;

  constructor(captioner: Captioner, signal: AbortSignal | undefined) {
    this.#captioner = captioner;
    this.#signal = signal;
  }

  /** A picture, ready for the model. @throws InputError when it cannot be read */
  async prepared(path: string): Promise<PreparedImage> {
    const known = this.#prepared.get(path);
    if (known) return known;
    const image = await this.#captioner.prepare(path);
    if (this.#bytes + image.pixels.byteLength <= mostBytes) {
      this.#bytes += image.pixels.byteLength;
      this.#prepared.set(path, image);
    }
    return image;
  }

  /** The ids of what the captioner writes of a picture, without the end. @throws as `prepared` */
  async caption(path: string): Promise<readonly number[]> {
    const known = this.#captions.get(path);
    if (known) return known;
    const signal = this.#signal;
    const [{ captions }] = await this.#captioner.captionPrepared([await this.prepared(path)], {
      ...(signal && { signal }),
    });
    const ids = withoutEnd(captions[0].ids, this.#captioner.config.text_config);
    this.#captions.set(path, ids);
    return ids;
  }
}
