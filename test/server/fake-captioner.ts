/** A captioner that invents its captions: what a picture's bytes say, and the options it was asked with. */
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '../../src/base/errors.ts';
import type { CaptionOptions } from '../../src/caption/options.ts';
import type { PreparedImage } from '../../src/caption/prepare.ts';
import type { ImageCaption } from '../../src/caption/result.ts';
import type { ExplainOptions } from '../../src/explain/explain.ts';
import type { Explanation } from '../../src/explain/explanation.ts';
import type { CaptionModel } from '../../src/server/captions/captioning.ts';
import type { ExplainModel } from '../../src/server/captions/explaining.ts';

export interface Batch {
  readonly texts: readonly string[];
  readonly options: CaptionOptions;
}

export class FakeCaptioner implements CaptionModel {
  readonly workers: number;
  readonly defaults = {};
  /** What was captioned, batch by batch. */
  readonly batches: Batch[] = [];
  /** Batches that were stopped. */
  stopped = 0;
  running = 0;
  mostRunning = 0;
  /** Milliseconds of a word. */
  delay = 0;
  /** What the next batch fails with. */
  failure: Error | undefined;

  constructor(workers = 1) {
    this.workers = workers;
  }

  /** Work on a picture begins, also on its explanation. */
  enter(): void {
    this.running += 1;
    this.mostRunning = Math.max(this.mostRunning, this.running);
  }

  check({ num_beams: beams = 1 }: CaptionOptions): void {
    if (beams === 13) throw new InputError('13 beams bring bad luck.');
  }

  async prepare(image: unknown, { decode }: CaptionOptions = {}): Promise<PreparedImage> {
    await sleep(0);
    const text = Buffer.from(image instanceof Uint8Array ? image : []).toString();
    if (text.startsWith('bad')) throw new InputError(`${decode?.name}: this is no picture.`);
    // The text is the picture.
    return { pixels: Float32Array.from(Buffer.from(text)), width: text.length, height: 1 };
  }

  async captionPrepared(
    images: readonly PreparedImage[],
    options: CaptionOptions = {},
    onWord?: Parameters<CaptionModel['captionPrepared']>[2],
  ): Promise<ImageCaption[]> {
    const texts = images.map(({ pixels }) => Buffer.from(Uint8Array.from(pixels)).toString());
    this.batches.push({ texts, options });
    this.enter();
    try {
      return await this.#write(texts, options, onWord);
    } catch (error) {
      if (options.signal?.aborted) this.stopped += 1;
      throw error;
    } finally {
      this.running -= 1;
    }
  }

  async #write(
    texts: readonly string[],
    { signal, num_return_sequences: candidates = 1, seed = 0, dependence }: CaptionOptions,
    onWord: Parameters<CaptionModel['captionPrepared']>[2],
  ): Promise<ImageCaption[]> {
    const words = texts.map((text) => `${text} of seed ${seed}`.split(' '));
    for (let i = 0; i < 3; i++) {
      await sleep(this.delay);
      signal?.throwIfAborted();
      for (const [image, all] of words.entries())
        if (i < all.length - 1) onWord?.(image, { text: all[i], logprob: -i });
    }
    if (this.failure) {
      const { failure } = this;
      this.failure = undefined;
      throw failure;
    }
    return words.map((all) => {
      const text = all.join(' ');
      const one = {
        text,
        ids: [1, 2, 102],
        logprob: -1,
        meanLogprob: -0.5,
        words: all.map((word, i) => ({
          ...{ text: word, logprob: -i },
          ...(dependence && { dependence: i }),
        })),
      };
      const captions = Array.from({ length: candidates }, () => one);
      return { caption: text, captions, width: text.length, height: 1 };
    });
  }
}

/** What is explained: word i of a caption looked at cell i of four, and owes i nats to the picture. */
export function inventedExplanation(
  caption: string,
  { method = 'gradient-attention' }: ExplainOptions,
  { width, height }: PreparedImage,
): Explanation {
  const words = caption.split(' ').map((text, i) => ({
    ...{ text, logprob: -0.1 * (i + 1), dependence: i, place: 'upper left' },
    map: Float32Array.from({ length: 4 }, (_, cell) => (cell === i % 4 ? 1 : 0)),
  }));
  return { caption, method, side: 2, words, width, height };
}

/** Explains what a picture's bytes say, in as little time as the captioner takes for three words. */
export class FakeExplainer implements ExplainModel {
  readonly asked: ExplainOptions[] = [];
  stopped = 0;
  delay = 0;
  /** Told when work begins and ends. */
  readonly #captioner: FakeCaptioner;

  constructor(captioner: FakeCaptioner) {
    this.#captioner = captioner;
  }

  check({ caption, generation = {} }: ExplainOptions): void {
    if (caption === 'zyx') throw new InputError("the model's vocabulary lacks 'zyx'.");
    this.#captioner.check(generation);
  }

  async explain(image: PreparedImage, options: ExplainOptions): Promise<Explanation> {
    const { signal, ...asked } = options;
    this.asked.push(asked);
    this.#captioner.enter();
    try {
      await sleep(this.delay, undefined, signal && { signal });
    } catch (error) {
      this.stopped += 1;
      throw error;
    } finally {
      this.#captioner.running -= 1;
    }
    const text = Buffer.from(Uint8Array.from(image.pixels)).toString();
    return inventedExplanation(options.caption ?? text, options, image);
  }
}
