/** Pictures in, captions out: a model with its sessions, tokenizer and preprocessing. */
import { InputError } from '../base/errors.ts';
import { type DecodeOptions, decodeImage } from '../data/images/decode.ts';
import { createPreprocessor, type Preprocessor } from '../data/images/preprocess.ts';
import type { RgbImage } from '../data/images/rgb.ts';
import type { TextTokenizer } from '../data/text/tokenizer.ts';
import { type Tensor, tensor } from '../engine/runtime/tensor.ts';
import { threadSettings } from '../engine/runtime/thread-settings.ts';
import type { GenerationContext } from '../generation/context.ts';
import { generate, longestLength } from '../generation/generate.ts';
import { Inference, type InferenceOptions, type ReadableWeights } from '../generation/inference.ts';
import { Ensemble } from '../generation/members.ts';
import { type GenerationSettings, resolveGeneration } from '../generation/options.ts';
import { type ResolveOptions, resolveModel } from '../hub/resolve.ts';
import type { GenerationOptions } from '../model/checkpoint/generation-config.ts';
import { checkMember, memberFolders } from '../model/checkpoint/members.ts';
import {
  type LoadModelOptions,
  loadModel,
  type PretrainedModel,
} from '../model/checkpoint/pretrained.ts';
import { isRefinerParameter, openRefiner } from '../model/checkpoint/refiner.ts';
import type { BlipConfig } from '../model/config.ts';
import { valueCount } from '../weights/weight.ts';
import { type ImageCaption, toCaption, type Word, WordCollector } from './result.ts';

/** The model that comes with the package. */
export const bundledModel = 'refcap-small';

/** A picture: the path of a file, a file's bytes, or pixels. */
export type ImageSource = string | Uint8Array | RgbImage;

export interface CaptionerOptions extends InferenceOptions {
  /** Pixels a side other than the config's; position embeddings are interpolated. */
  readonly imageSize?: number;
  /** Keep the training-only layers saved beside the model: to measure what dropping them costs. */
  readonly keepRefiner?: boolean;
  /** Of a model with further members, how many write together. Default all; 1 is the fastest. */
  readonly members?: number;
  /** How a model that is not here is found and downloaded. */
  readonly hub?: ResolveOptions;
}

/** Options of generation, under transformers' names, and what goes beyond them. */
export interface CaptionOptions extends GenerationOptions {
  /** What every caption begins with, such as 'a picture of'. */
  readonly prompt?: string;
  /** Words (or phrases) that must not be written, beside `bad_words_ids`. */
  readonly bannedWords?: readonly string[];
  /** Seed of sampling. Default 0. */
  readonly seed?: number;
  /** Also give each word's log-probability. */
  readonly words?: boolean;
  /** Stops between runs of the model. */
  readonly signal?: AbortSignal;
  /** Limits of decoding. */
  readonly decode?: Omit<DecodeOptions, 'signal'>;
  /** Numbers of the images, by which sampling draws: the same number and seed give the same words. */
  readonly imageNumbers?: readonly number[];
}

/** A picture decoded and made fit for the model. */
export interface PreparedImage {
  /** [3, size, size]. */
  readonly pixels: Float32Array;
  readonly width: number;
  readonly height: number;
}

function loadOptions({ imageSize, hub }: CaptionerOptions): LoadModelOptions {
  return { hub, ...(imageSize !== undefined && { imageSize }) };
}

async function openInference(
  { folder, config, weights }: PretrainedModel,
  options: CaptionerOptions,
): Promise<Inference> {
  const { imageSize: _, hub: __, members: ___, keepRefiner, ...given } = options;
  const extra = { ...threadSettings(valueCount(weights.tensors.values())), ...given.extra };
  const inferenceOptions = { ...given, extra };
  if (!keepRefiner) return Inference.open(config, weights, inferenceOptions);
  await using refiner = await openRefiner(folder, config);
  const { source } = refiner;
  const all: ReadableWeights = {
    tensors: new Map([...weights.tensors, ...source.tensors]),
    readFloat32: (name, target) =>
      (isRefinerParameter(name) ? source : weights).readFloat32(name, target),
  };
  return Inference.open(config, all, inferenceOptions, { refiner: refiner.config });
}

/** Writes captions. Dispose it when done: its memory is not the garbage collector's. */
export class Captioner implements Disposable {
  readonly config: BlipConfig;
  readonly tokenizer: TextTokenizer;
  /** The model's own defaults of generation. */
  readonly defaults: GenerationOptions;
  readonly #inference: Ensemble;
  readonly #preprocessor: Preprocessor;

  private constructor(model: PretrainedModel, inference: Ensemble) {
    this.config = model.config;
    this.tokenizer = model.tokenizer;
    this.defaults = model.generation;
    this.#inference = inference;
    this.#preprocessor = createPreprocessor(model.preprocessing);
  }

  /**
   * Opens a model: a folder or weight file, the name of a bundled model, or a hub id.
   * @throws InputError naming what is missing or does not fit
   */
  static async load(
    model: string = bundledModel,
    options: CaptionerOptions = {},
  ): Promise<Captioner> {
    const { path } = await resolveModel(model, options.hub);
    const members: Inference[] = [];
    try {
      await using loaded = await loadModel(path, loadOptions(options));
      members.push(await openInference(loaded, options));
      for (const folder of await memberFolders(path, options.members)) {
        await using member = await loadModel(folder, loadOptions(options));
        checkMember(loaded, member);
        members.push(await openInference(member, options));
      }
      return new Captioner(loaded, new Ensemble(members));
    } catch (error) {
      for (const member of members) member[Symbol.dispose]();
      throw error;
    }
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
    const decoded =
      typeof image === 'string' || image instanceof Uint8Array
        ? await decodeImage(image, { ...decode, ...(signal && { signal }) })
        : image;
    const pixels = new Float32Array(this.#preprocessor.valuesPerImage);
    this.#preprocessor.write(decoded, pixels);
    return { pixels, width: decoded.width, height: decoded.height };
  }

  /**
   * Checks options without running anything.
   * @throws InputError naming an option that is unknown, wrong, or does not fit the model
   */
  check(options: CaptionOptions): void {
    const { settings, prompt } = this.#settings(options);
    longestLength(settings, { config: this.config.text_config, prompt });
  }

  /** Captions prepared pictures as one batch. @throws as `caption` */
  async captionPrepared(
    images: readonly PreparedImage[],
    options: CaptionOptions = {},
  ): Promise<ImageCaption[]> {
    return this.#captionPrepared(images, options);
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
    const collector = new WordCollector(this.tokenizer);
    const words: Word[] = [];
    let given = 0;
    let wake = (): void => undefined;
    const stop = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
    let result: ImageCaption | undefined;
    const work = this.#captionPrepared(
      [prepared],
      { ...options, signal, words: true },
      (_, candidate, id, logprob) => {
        const word = candidate === 0 ? collector.push(id, logprob) : undefined;
        if (word) words.push(word);
        wake();
      },
    ).then(([done]) => {
      // What is left: the last word, or with beams all of them.
      words.push(...(done.captions[0].words ?? []).slice(words.length));
      result = done;
    });
    const ended = work.then(wake, wake);
    try {
      for (;;) {
        while (given < words.length) yield words[given++];
        if (result) return result;
        const next = new Promise<void>((resolve) => {
          wake = resolve;
        });
        await Promise.race([next, work]);
      }
    } finally {
      stop.abort();
      await ended;
    }
  }

  async #captionPrepared(
    images: readonly PreparedImage[],
    options: CaptionOptions,
    onId?: GenerationContext['onId'],
  ): Promise<ImageCaption[]> {
    const { seed, words, signal, imageNumbers } = options;
    const { settings, prompt } = this.#settings(options);
    signal?.throwIfAborted();
    const encoded = await this.#inference.encode(this.#batch(images));
    const all = await generate(this.#inference.decode(encoded), settings, {
      config: this.config.text_config,
      prompt,
      ...(seed !== undefined && { seed }),
      ...(imageNumbers && { imageNumbers }),
      ...(signal && { signal }),
      ...(onId && { onId }),
    });
    return all.map((sequences, i) => {
      const captions = sequences.map((sequence) =>
        toCaption(sequence, this.tokenizer, prompt.length, words ?? false),
      );
      const { width, height } = images[i];
      return { caption: captions[0].text, captions, width, height };
    });
  }

  /** The options of generation with all defaults, and the ids that captions begin with. */
  #settings(options: CaptionOptions): { settings: GenerationSettings; prompt: number[] } {
    const own = new Set([
      'prompt',
      'bannedWords',
      'seed',
      'words',
      'signal',
      'decode',
      'imageNumbers',
    ]);
    const rest = Object.fromEntries(Object.entries(options).filter(([name]) => !own.has(name)));
    const settings = resolveGeneration(this.#withBanned(rest, options.bannedWords), this.defaults);
    return { settings, prompt: this.#promptIds(options.prompt) };
  }

  #batch(images: readonly PreparedImage[]): Tensor<'f32'> {
    const { width, height } = this.#preprocessor.preprocessing;
    const shape = [images.length, 3, height, width];
    if (images.length === 1) return tensor('f32', shape, images[0].pixels);
    const size = this.#preprocessor.valuesPerImage;
    const data = new Float32Array(images.length * size);
    for (const [i, { pixels }] of images.entries()) data.set(pixels, i * size);
    return tensor('f32', shape, data);
  }

  /** [DEC] and the prompt: BERT's [CLS] is replaced and its [SEP] dropped, as in transformers. */
  #promptIds(prompt = ''): number[] {
    const ids = this.tokenizer.encode(prompt, { specialTokens: false });
    return [this.config.text_config.bos_token_id, ...ids];
  }

  #withBanned(options: GenerationOptions, words: readonly string[] = []): GenerationOptions {
    if (words.length === 0) return options;
    const banned = words.map((word): [number, ...number[]] => {
      const [first, ...others] = this.tokenizer.encode(word, { specialTokens: false });
      if (first === undefined) throw new InputError(`the banned word '${word}' has no letters.`);
      return [first, ...others];
    });
    const others = options.bad_words_ids ?? this.defaults.bad_words_ids ?? [];
    return { ...options, bad_words_ids: [...others, ...banned] };
  }

  [Symbol.dispose](): void {
    this.#inference[Symbol.dispose]();
  }
}
