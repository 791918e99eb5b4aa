/** Pictures in, captions out: a model with its tokenizer, over an executor that runs it. */
import { Opened } from '../base/disposal.ts';
import { InputError } from '../base/errors.ts';
import type { ConfidenceConfig } from '../confidence/config.ts';
import type { TextTokenizer } from '../data/text/tokenizer.ts';
import type { GenerationContext, SeenConcept } from '../generation/context.ts';
import { longestLength } from '../generation/generate.ts';
import { bundledModel } from '../hub/bundled.ts';
import { resolveModel } from '../hub/resolve.ts';
import type { GenerationOptions } from '../model/checkpoint/generation-config.ts';
import type { BlipConfig } from '../model/config.ts';
import {
  allowedConcepts,
  type ConceptScoresByName,
  nameIds,
  scoredConcepts,
} from './concepts/names.ts';
import type { Executor, ExecutorOptions, UserConcepts } from './executor/executor.ts';
import { LocalExecutor } from './executor/local.ts';
import { CaptionJudge } from './judge.ts';
import type { CaptionOptions } from './options.ts';
import type { ImageSource, PreparedImage } from './prepare.ts';
import { type ImageCaption, type Word, WordCollector } from './result.ts';
import { captionSettings, imageCaption } from './settings.ts';
import { wordStream } from './stream.ts';

export interface CaptionerOptions extends ExecutorOptions {
  /**
   * Worker threads that run the model, each with sessions of its own, so that the caller's thread stays free.
   * Default 0: the caller's thread runs it. On a GPU at most 1. `threads` is then of each worker; by default
   * they share the cores.
   */
  readonly workers?: number;
}

/** Where a captioner's model lies, and how it was opened. */
export interface ModelSource {
  readonly path: string;
  readonly options: ExecutorOptions;
}

/** Writes captions. Dispose it when done: its memory is not the garbage collector's. */
export class Captioner implements Disposable {
  readonly config: BlipConfig;
  readonly tokenizer: TextTokenizer;
  /** The model's own defaults of generation. */
  readonly defaults: GenerationOptions;
  /** What the model's confidence is computed by; a model that was not calibrated has none. */
  readonly confidence: ConfidenceConfig | undefined;
  /** The model's folder or file, and how it was opened, for others who open it beside the captioner. */
  readonly source: ModelSource;
  readonly #executor: Executor;
  readonly #concepts: UserConcepts | undefined;
  readonly #owned = new Opened();
  #judge: CaptionJudge | undefined;

  private constructor(executor: Executor, source: ModelSource) {
    this.source = source;
    this.config = executor.model.config;
    this.tokenizer = executor.model.tokenizer;
    this.defaults = executor.model.generation;
    this.confidence = executor.model.confidence;
    this.#executor = executor;
    this.#concepts = source.options.concepts;
    if (this.confidence) this.#openJudge();
  }

  #openJudge(): CaptionJudge {
    this.#judge ??= new CaptionJudge(this.confidence, this.tokenizer);
    return this.#judge;
  }

  /**
   * Opens a model: a folder or weight file, the name of a bundled model, or a hub id.
   * @throws InputError naming what is missing or does not fit
   */
  static async load(
    model: string = bundledModel,
    options: CaptionerOptions = {},
  ): Promise<Captioner> {
    const { workers = 0, ...given } = options;
    const { path } = await resolveModel(model, given.hub);
    const source = { path, options: given };
    if (workers === 0) return new Captioner(await LocalExecutor.open(path, given), source);
    const { WorkerExecutor } = await import('./executor/workers.ts');
    return new Captioner(await WorkerExecutor.open(path, workers, given), source);
  }

  /**
   * Those of a user's names of concepts that the model cannot be told of: words outside its vocabulary, more than two
   * words, or, where its own scores choose, names that it does not look for.
   */
  unknownConcepts(names: readonly string[]): string[] {
    const { concept_config: config } = this.config;
    if (config && this.#concepts?.kind === 'names')
      return [...allowedConcepts(config, this.tokenizer, names).unknown];
    return names.filter((name) => nameIds(name, this.tokenizer) === undefined);
  }

  /** Disposes of the item with the captioner. @returns it */
  own<T extends Disposable>(item: T): T {
    return this.#owned.use(item);
  }

  /** Batches that are worked on at a time beside the caller's thread; 0: that thread does the work. */
  get workers(): number {
    return this.#executor.workers;
  }

  /**
   * Captions one picture.
   * @throws InputError for a picture or an option that cannot be used; the signal's reason when aborted
   */
  async caption(image: ImageSource, options: CaptionOptions = {}): Promise<ImageCaption> {
    const [result] = await this.captionAll([image], options);
    return result;
  }

  /** Captions several pictures as one batch. @throws as `caption` */
  async captionAll(
    images: readonly ImageSource[],
    options: CaptionOptions = {},
  ): Promise<ImageCaption[]> {
    if (images.length === 0) return [];
    const prepared = await Promise.all(images.map((image) => this.prepare(image, options)));
    return this.captionPrepared(prepared, options);
  }

  /**
   * Decodes and preprocesses a picture: what may be done ahead while another batch runs.
   * @throws InputError when it cannot be read; the signal's reason when aborted
   */
  async prepare(image: ImageSource, options: CaptionOptions = {}): Promise<PreparedImage> {
    const { signal, decode } = options;
    return this.#executor.prepare(image, { ...decode, ...(signal && { signal }) });
  }

  /**
   * Checks options without running anything.
   * @throws InputError naming an option that is unknown, wrong, or does not fit the model
   */
  check(options: CaptionOptions): void {
    const { settings, prompt } = captionSettings(options, this.#executor.model);
    longestLength(settings, { config: this.config.text_config, prompt });
  }

  /**
   * Captions prepared pictures as one batch.
   * @param onWord told each word of an image's best caption as soon as it is whole. Not told of the last one, nor with
   *   beams of any: those are known when all captions are, with `words`
   * @throws as `caption`
   */
  async captionPrepared(
    images: readonly PreparedImage[],
    options: CaptionOptions = {},
    onWord?: (image: number, word: Word) => void,
  ): Promise<ImageCaption[]> {
    if (!onWord) return this.#captionPrepared(images, options);
    const collectors = images.map(() => new WordCollector(this.tokenizer));
    return this.#captionPrepared(images, options, (image, candidate, id, logprob) => {
      const word = candidate === 0 ? collectors[image].push(id, logprob) : undefined;
      if (word) onWord(image, word);
    });
  }

  /**
   * Writes one caption of several pictures, such as the frames of a scene: their tokens stand end to end where the
   * decoder looks at the picture.
   * @param images one at least; the size of the first is that of the result
   * @throws as `caption`
   */
  async captionTogether(
    images: readonly PreparedImage[],
    options: CaptionOptions = {},
  ): Promise<ImageCaption> {
    const [result] = await this.captionGroups(images, images.length, options);
    return result;
  }

  /**
   * The same for several groups as one batch.
   * @param images `each` of a group, one group after the other
   * @throws as `caption`
   */
  captionGroups(
    images: readonly PreparedImage[],
    each: number,
    options: CaptionOptions = {},
  ): Promise<ImageCaption[]> {
    return this.#captionPrepared(images, options, undefined, each);
  }

  /**
   * Captions one picture, giving each word of the best caption as soon as it is whole; the generator
   * returns the result. Beam search settles a caption only at its end, so with beams all words come then.
   * @throws as `caption`
   */
  async *stream(
    image: ImageSource,
    options: CaptionOptions = {},
  ): AsyncGenerator<Word, ImageCaption> {
    const prepared = await this.prepare(image, options);
    return yield* wordStream(options.signal, async (signal, onWord) => {
      const [done] = await this.captionPrepared(
        [prepared],
        { ...options, signal, words: true },
        (_, word) => onWord(word),
      );
      return done;
    });
  }

  async #captionPrepared(
    images: readonly PreparedImage[],
    options: CaptionOptions,
    onId?: GenerationContext['onId'],
    imagesEach = 1,
  ): Promise<ImageCaption[]> {
    const { seed, signal, imageNumbers, dependence = false, evidence = false } = options;
    const words = options.words === true || dependence;
    const concepts = this.#given(images.length, options.concepts);
    const { settings, prompt } = captionSettings(options, this.#executor.model);
    const all = await this.#executor.generate(
      {
        images: images.map(({ pixels }) => pixels),
        ...(imagesEach > 1 && { imagesEach }),
        settings,
        prompt,
        ...(seed !== undefined && { seed }),
        ...(imageNumbers && { imageNumbers }),
        ...(dependence && { withoutPicture: true }),
        ...(concepts && { concepts }),
      },
      { ...(signal && { signal }), ...(onId && { onId }) },
    );
    const judge = evidence ? this.#openJudge() : this.#judge;
    const results = all.map(async (sequences, i) => {
      const size = images[i * imagesEach];
      const result = imageCaption(sequences, this.tokenizer, prompt.length, words, size);
      if (!judge) return result;
      const judged = await Promise.all(
        sequences.map((sequence) => judge.judge(sequence, prompt.length, evidence)),
      );
      return { ...result, captions: result.captions.map((each, k) => ({ ...each, ...judged[k] })) };
    });
    return Promise.all(results);
  }

  /** @throws InputError where concepts are to be given and are not, or the other way round */
  #given(
    images: number,
    scores: readonly ConceptScoresByName[] | undefined,
  ): SeenConcept[][] | undefined {
    const isWanted = this.#concepts?.kind === 'scores';
    if (isWanted !== (scores !== undefined) || (scores && scores.length !== images))
      throw new InputError(
        isWanted
          ? `concepts: the captioner was opened to be given scores for each of the ${images} images.`
          : "concepts: open the captioner with concepts: { kind: 'scores' } to give scores with images.",
      );
    return scores?.map((own) => scoredConcepts(this.tokenizer, own));
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
    this.#executor[Symbol.dispose]();
  }
}
