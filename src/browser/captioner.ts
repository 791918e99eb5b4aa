/** Pictures in, captions out, in a page: a model that a worker fetches, keeps and runs. */
import { type AltTextOptions, altText as altTextOf } from '../alt/text.ts';
import { InputError } from '../base/errors.ts';
import type { CaptionOptions } from '../caption/options.ts';
import type { ImageCaption, Word } from '../caption/result.ts';
import type { Products } from '../caption/self-test.ts';
import { wordStream } from '../caption/stream.ts';
import type { Explanation } from '../explain/explanation.ts';
import { checkMethod, type MethodName } from '../explain/methods/names.ts';
import type { GenerationOptions } from '../model/checkpoint/generation-config.ts';
import type { LoadProgress } from './download/model-files.ts';
import { type PictureSource, sendPicture } from './picture.ts';
import type { CaptionWorker, LoadedModel } from './worker/calls.ts';
import { WorkerClient } from './worker/client.ts';
import type { WebDevice } from './worker/device.ts';

export interface WebCaptionerOptions {
  /** Where the model runs. Default 'wasm'. A 'webgpu' that is missing or computes wrongly gives way to 'wasm'. */
  readonly device?: WebDevice;
  /** How products with weights are computed. Default: int8 where the weights are stored so and the device is 'wasm'. */
  readonly dtype?: Products;
  /** Of a model with further members, how many write together. Default all; 1 is the fastest and smallest. */
  readonly members?: number;
  /** Threads of WebAssembly. Default: the processor's, at most 8, in a cross-origin isolated page; elsewhere one. */
  readonly threads?: number;
  /** Address of the folder of onnxruntime-web's .wasm files. Default: where the bundler put them, or beside the script. */
  readonly runtime?: string | URL;
  /** Starts the worker, for pages that keep its script elsewhere. */
  readonly startWorker?: () => Worker;
  /** Told of bytes of weights as they come. */
  readonly onProgress?: (progress: LoadProgress) => void;
  readonly signal?: AbortSignal;
}

/** Options of generation, under transformers' names, and what goes beyond them. */
export type WebCaptionOptions = Omit<CaptionOptions, 'decode' | 'imageNumbers'>;

export interface WebExplainOptions {
  /** What is explained; by default what the captioner writes, with beams the best of them. */
  readonly caption?: string;
  /** Default: that of the model's tower; docs/explain.md compares them. */
  readonly method?: MethodName;
  /** How the captioner writes, where no caption is given. */
  readonly generation?: Omit<WebCaptionOptions, 'signal' | 'words'>;
  /** Of methods that draw by chance. Default 0. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

/** Writes captions. Dispose it when done: that ends its worker. */
export class Captioner implements Disposable {
  /** Where the model runs, which may be elsewhere than was asked for. */
  readonly device: WebDevice;
  readonly dtype: Products;
  /** Why it does not run as it was asked to, a sentence a reason; empty where it does. */
  readonly faults: readonly string[];
  /** The model's own defaults of generation. */
  readonly defaults: GenerationOptions;
  readonly #client: WorkerClient<CaptionWorker>;

  private constructor(client: WorkerClient<CaptionWorker>, loaded: LoadedModel) {
    this.#client = client;
    this.device = loaded.device;
    this.dtype = loaded.dtype;
    this.faults = loaded.faults;
    this.defaults = loaded.defaults;
  }

  /**
   * Opens a model in a worker of its own.
   * @param url the folder's address, relative to the page's; `refcap export --layout web` wrote the folder
   * @throws InputError naming what cannot be fetched, does not fit or runs nowhere; the signal's reason when aborted
   */
  static async load(url: string | URL, options: WebCaptionerOptions = {}): Promise<Captioner> {
    const { device = 'wasm', dtype, members, threads, runtime, onProgress, signal } = options;
    const where = { base: folderAddress(url), runtime: runtime && folderAddress(runtime) };
    const request = { ...where, device, dtype, members, threads };
    const client = new WorkerClient<CaptionWorker>((options.startWorker ?? startWorker)());
    try {
      const loaded = await client.call('load', request, { signal, onEvent: onProgress });
      return new Captioner(client, loaded);
    } catch (error) {
      client.close(closed());
      throw error;
    }
  }

  /**
   * Captions one picture.
   * @throws InputError for a picture or an option that cannot be used; the signal's reason when aborted
   */
  async caption(picture: PictureSource, options: WebCaptionOptions = {}): Promise<ImageCaption> {
    return this.#caption(picture, options);
  }

  /**
   * Captions one picture, giving each word of the best caption as soon as it is whole; the generator
   * returns the result. Beam search settles a caption only at its end, so with beams all words come then.
   * @throws as `caption`
   */
  stream(
    picture: PictureSource,
    options: WebCaptionOptions = {},
  ): AsyncGenerator<Word, ImageCaption> {
    return wordStream(options.signal, (signal, onWord) =>
      this.#caption(picture, { ...options, signal }, onWord),
    );
  }

  /**
   * An alt text for a picture: its caption in sentence case, of at most 125 characters, without "a picture of". Empty
   * where the model has no words for it.
   * @throws as `caption`
   */
  async altText(
    picture: PictureSource,
    { alt, ...options }: WebCaptionOptions & { readonly alt?: AltTextOptions } = {},
  ): Promise<string> {
    const { caption } = await this.caption(picture, options);
    return altTextOf(caption, alt);
  }

  /**
   * Says of each word of a caption where in the picture the model looked, and how much the word depends on it. The first
   * explanation opens the model with its gradients.
   * @throws UsageError for an unknown method; else as `caption`, and InputError for a caption with other words than the
   *   model has
   */
  async explain(
    picture: PictureSource,
    { caption, method, generation = {}, seed = 0, signal }: WebExplainOptions = {},
  ): Promise<Explanation> {
    checkMethod(method);
    signal?.throwIfAborted();
    const { sent, transfer } = await sendPicture(picture);
    const request = { picture: sent, caption, method, seed, options: generation };
    return this.#client.call('explain', request, { signal, transfer });
  }

  async #caption(
    picture: PictureSource,
    { signal, ...options }: WebCaptionOptions,
    onWord?: (word: Word) => void,
  ): Promise<ImageCaption> {
    signal?.throwIfAborted();
    const { sent, transfer } = await sendPicture(picture);
    const request = { picture: sent, options, isStreamed: onWord !== undefined };
    return this.#client.call('caption', request, { signal, onEvent: onWord, transfer });
  }

  /** Ends the worker; what is under way is rejected. */
  dispose(): void {
    this.#client.close(closed());
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function startWorker(): Worker {
  return new Worker(new URL('./worker/worker.js', import.meta.url), { type: 'module' });
}

function closed(): Error {
  return new Error('the captioner was disposed');
}

/** A folder's whole address, with the slash. @throws InputError when it is none */
function folderAddress(url: string | URL): string {
  try {
    const { href } = new URL(url, document.baseURI);
    return href.endsWith('/') ? href : `${href}/`;
  } catch {
    throw new InputError(`${url}: this is no address.`);
  }
}
