/** Captions for requests: pictures are admitted, prepared, put into batches with those of others, and captioned. */
import type { Captioner } from '../../caption/captioner.ts';
import type { CaptionOptions } from '../../caption/options.ts';
import type { PreparedImage } from '../../caption/prepare.ts';
import type { ImageCaption, Word } from '../../caption/result.ts';
import { fetchImage } from '../../caption/sources/address.ts';
import { Admission, type Ticket } from '../batching/admission.ts';
import { type BatchContext, Batcher } from '../batching/batcher.ts';
import { HttpError, toHttpError } from '../http/errors.ts';
import type { ServerMetrics } from '../metrics.ts';
import { type CaptionEvent, EventQueue, type Outcome, type Picture } from './events.ts';
import { Limiter } from './limiter.ts';

/** What the service needs of a captioner; tests give one that invents its captions. */
export type CaptionModel = Pick<
  Captioner,
  'workers' | 'defaults' | 'check' | 'prepare' | 'captionPrepared'
>;

export interface ServiceOptions {
  readonly maxBatch: number;
  /** Milliseconds. */
  readonly maxDelay: number;
  /** Pictures that may wait. */
  readonly queue: number;
  /** Milliseconds that a picture may wait. */
  readonly timeout: number;
  /** Of a picture, and of what is fetched. */
  readonly maxPixels: number;
  readonly maxBytes: number;
  /** Told of errors whose reason no client is told. */
  readonly onFault: (error: unknown) => void;
}

interface Task {
  readonly image: PreparedImage;
  readonly options: CaptionOptions;
  /** The picture's place in its request: sampling draws by it. */
  readonly number: number;
  readonly onWord: (word: Word) => void;
  readonly added: number;
}

/** Pictures that are decoded at a time: each takes the memory of its pixels. */
const mostPreparing = 4;

/** What the newest batch weighs in the time of a picture, by which `Retry-After` is estimated. */
const smoothing = 0.1;

export class CaptionService {
  readonly model: CaptionModel;
  readonly #options: ServiceOptions;
  readonly #metrics: ServerMetrics;
  readonly #admission: Admission;
  readonly #batcher: Batcher<Task, ImageCaption>;
  readonly #preparing = new Limiter(mostPreparing);
  #secondsEach = 0.5;
  #isDraining = false;

  constructor(model: CaptionModel, options: ServiceOptions, metrics: ServerMetrics) {
    this.model = model;
    this.#options = options;
    this.#metrics = metrics;
    this.#admission = new Admission(options.queue, () => this.#batcher.look());
    this.#batcher = new Batcher((tasks, context) => this.#run(tasks, context), {
      ...options,
      workers: Math.max(1, model.workers),
      isMoreComing: () => this.#admission.taken > this.#batcher.waiting,
    });
    metrics.watchQueue(() => this.#admission.taken);
  }

  /** Whether new requests are taken. */
  get isReady(): boolean {
    return !this.#isDraining;
  }

  /** Takes no new requests from now on; those that were taken are finished. */
  drain(): void {
    this.#isDraining = true;
  }

  /** Room for a request, to be asked for before its body is read. @throws HttpError 503 where there is none */
  enter(): Ticket {
    if (this.#isDraining)
      throw new HttpError(503, 'The server is shutting down; try again later.', { retryAfter: 5 });
    try {
      return this.#admission.enter();
    } catch (error) {
      throw this.#told(error, 400);
    }
  }

  /**
   * Captions the pictures of a request, telling of each word and result as it comes.
   * @param ticket the request's room, which it gives back
   * @param signal aborted when the client has gone: what waits is dropped, and a batch that nobody else is in stops
   * @throws HttpError at once where the options are wrong or there is no room for so many; the signal's reason
   */
  async *caption(
    pictures: readonly Picture[],
    options: CaptionOptions,
    { ticket, signal }: { readonly ticket: Ticket; readonly signal: AbortSignal },
  ): AsyncGenerator<CaptionEvent, void> {
    const started = performance.now();
    using _ = ticket;
    try {
      this.model.check(options);
      ticket.grow(pictures.length);
    } catch (error) {
      throw this.#told(error, 400);
    }
    const events = new EventQueue<CaptionEvent>();
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    const work = pictures.map(async (picture, index) => {
      const onWord = (word: Word): void => events.add({ kind: 'word', index, word });
      events.add(
        await this.#one({ picture, index, options, ticket, signal: either, onWord, started }),
      );
    });
    const done = Promise.allSettled(work).then(() => events.close());
    try {
      yield* events.read();
      signal.throwIfAborted();
    } finally {
      stop.abort();
      await done;
    }
  }

  async #one({
    picture,
    index,
    options,
    ticket,
    signal,
    onWord,
    started,
  }: {
    readonly picture: Picture;
    readonly index: number;
    readonly options: CaptionOptions;
    readonly ticket: Ticket;
    readonly signal: AbortSignal;
    readonly onWord: (word: Word) => void;
    readonly started: number;
  }): Promise<Outcome> {
    let given = 0;
    const count = (word: Word): void => {
      given += 1;
      onWord(word);
    };
    try {
      const image = await this.#prepared(picture, ticket, signal);
      const task = { image, options, number: index, onWord: count, added: performance.now() };
      const key = JSON.stringify(options);
      const result = await this.#batcher.add(key, task, signal, () => ticket.leave());
      // The last word, or with beams all of them, are known only now.
      for (const word of (result.captions[0].words ?? []).slice(given)) onWord(word);
      this.#metrics.captions.inc();
      return { kind: 'captioned', index, result, ms: Math.round(performance.now() - started) };
    } catch (error) {
      if (signal.aborted) throw error;
      return { kind: 'failed', index, error: this.#told(error, 422) };
    }
  }

  async #prepared(picture: Picture, ticket: Ticket, signal: AbortSignal): Promise<PreparedImage> {
    try {
      return await this.#preparing.run(async () => {
        signal.throwIfAborted();
        const started = performance.now();
        const { name, source } = picture;
        const { maxBytes, maxPixels } = this.#options;
        const bytes =
          source instanceof URL ? await fetchImage(source.href, { maxBytes, signal }) : source;
        const image = await this.model.prepare(bytes, {
          signal,
          decode: { name, maxBytes, maxPixels },
        });
        this.#metrics.stage('prepare', performance.now() - started);
        return image;
      });
    } catch (error) {
      ticket.leave();
      throw error;
    }
  }

  async #run(tasks: readonly Task[], { signal }: BatchContext): Promise<readonly ImageCaption[]> {
    const started = performance.now();
    for (const { added } of tasks) this.#metrics.stage('queue', started - added);
    this.#metrics.batches.observe(tasks.length);
    const results = await this.model.captionPrepared(
      tasks.map(({ image }) => image),
      {
        ...tasks[0].options,
        words: true,
        imageNumbers: tasks.map(({ number }) => number),
        signal,
      },
      (i, word) => tasks[i].onWord(word),
    );
    const ms = performance.now() - started;
    this.#metrics.stage('generate', ms);
    const each = ms / 1000 / tasks.length;
    this.#secondsEach += smoothing * (each - this.#secondsEach);
    return results;
  }

  #told(error: unknown, inputStatus: 400 | 422): HttpError {
    const seconds = (this.#admission.taken * this.#secondsEach) / Math.max(1, this.model.workers);
    const told = toHttpError(error, inputStatus, Math.max(1, Math.ceil(seconds)));
    this.#metrics.failures.inc({ status: told.status });
    if (told.status === 500) this.#options.onFault(error);
    return told;
  }
}
