/** Writes captions for batches of prepared pictures, by models that are open; the same in Node and in browsers. */
import type { GenerationContext, Sequence } from '../../generation/context.ts';
import { forcedLogprobs, withMeanToken } from '../../generation/dependence.ts';
import { generate } from '../../generation/generate.ts';
import type { Decoder, EncodedImages } from '../../generation/inference.ts';
import { joinImages } from '../../generation/joined.ts';
import type { Ensemble } from '../../generation/members.ts';
import { seenConcepts } from '../../generation/seen.ts';
import type { DescribedModel } from '../../model/checkpoint/description.ts';
import { batchOf } from './batch.ts';
import type { GenerationRequest } from './request.ts';

export interface WriterOptions {
  /** Awaited before each run, where a thread hears of aborts in between alone. */
  readonly pause?: () => Promise<void>;
}

export class CaptionWriter implements Disposable {
  readonly #model: Pick<DescribedModel, 'config' | 'preprocessing'>;
  readonly #inference: Ensemble;
  readonly #pause: (() => Promise<void>) | undefined;

  /** @param inference is disposed with the writer */
  constructor(
    model: Pick<DescribedModel, 'config' | 'preprocessing'>,
    inference: Ensemble,
    { pause }: WriterOptions = {},
  ) {
    this.#model = model;
    this.#inference = inference;
    this.#pause = pause;
  }

  /**
   * Writes captions for a batch.
   * @returns for each image, or so many read as one, its sequences, the best first where they are ranked
   * @throws InputError when a length does not fit the model; the signal's reason when aborted
   */
  async generate(
    request: GenerationRequest,
    options: Pick<GenerationContext, 'signal' | 'onId'> = {},
  ): Promise<Sequence[][]> {
    const { images, imagesEach = 1, settings, withoutPicture = false, ...rest } = request;
    const { concepts: given, ...context } = rest;
    options.signal?.throwIfAborted();
    await this.#pause?.();
    options.signal?.throwIfAborted();
    const encoded = await this.#inference.encode(batchOf(images, this.#model.preprocessing), given);
    const joined = encoded.map((member) => joinImages(member, imagesEach));
    const config = this.#model.config.text_config;
    const written = await generate(this.#decode(joined), settings, {
      config,
      ...context,
      ...options,
    });
    const concepts = given ?? seenConcepts(joined);
    const sequences = concepts
      ? written.map((own, image) => own.map((each) => ({ ...each, concepts: concepts[image] })))
      : written;
    if (!withoutPicture) return sequences;
    return this.#withoutPicture(joined, sequences, context.prompt.length, options.signal);
  }

  /**
   * Natural log of the probability of each id after the first of a caption that stands fixed.
   * @param pixels [3, size, size]
   */
  async logprobs(pixels: Float32Array, ids: readonly number[]): Promise<number[]> {
    const encoded = await this.#inference.encode(batchOf([pixels], this.#model.preprocessing));
    const [logprobs] = await forcedLogprobs(this.#decode(encoded), [ids], 1);
    return logprobs;
  }

  /** The sequences with their probabilities without the picture, candidate by candidate. */
  async #withoutPicture(
    encoded: readonly EncodedImages[],
    sequences: readonly (readonly Sequence[])[],
    promptLength: number,
    signal: AbortSignal | undefined,
  ): Promise<Sequence[][]> {
    const blind = encoded.map(withMeanToken);
    const told: Sequence[][] = sequences.map(() => []);
    for (let candidate = 0; candidate < sequences[0].length; candidate++) {
      signal?.throwIfAborted();
      const ids = sequences.map((own) => own[candidate].ids);
      const logprobs = await forcedLogprobs(this.#decode(blind), ids, promptLength);
      for (const [i, own] of sequences.entries())
        told[i].push({ ...own[candidate], withoutPicture: logprobs[i] });
    }
    return told;
  }

  #decode(encoded: readonly EncodedImages[]): Decoder {
    const decoder = this.#inference.decode(encoded);
    return this.#pause ? pausing(decoder, this.#pause) : decoder;
  }

  [Symbol.dispose](): void {
    this.#inference[Symbol.dispose]();
  }
}

/** The same decoder, which pauses before each step. */
function pausing(decoder: Decoder, pause: () => Promise<void>): Decoder {
  return {
    get images() {
      return decoder.images;
    },
    select: (images, parents) => decoder.select(images, parents),
    async step(ids, length) {
      await pause();
      return decoder.step(ids, length);
    },
  };
}
