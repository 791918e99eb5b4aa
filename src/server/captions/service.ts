/** What is done for requests: pictures are admitted, prepared, and captioned or explained when it is their turn. */
import type { CaptionOptions } from '../../caption/options.ts';
import type { PreparedImage } from '../../caption/prepare.ts';
import type { ImageCaption, Word } from '../../caption/result.ts';
import { fetchImage } from '../../caption/sources/address.ts';
import type { ExplainOptions } from '../../explain/explain.ts';
import type { Explanation } from '../../explain/explanation.ts';
import { Admission, type Ticket } from '../batching/admission.ts';
import { HttpError, toHttpError } from '../http/errors.ts';
import type { ServerMetrics } from '../metrics.ts';
import { Captioning, type CaptionModel, type Turn } from './captioning.ts';
import { EventQueue, type Picture, type PictureEvent, type PictureOutcome } from './events.ts';
import { Explaining, type ExplainModel } from './explaining.ts';
import { Limiter } from './limiter.ts';

/** A model as the service uses it. */
export interface ServiceModel {
  readonly captions: CaptionModel;
  readonly explanations: ExplainModel;
}

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

/** What a request has been given: it gives the ticket back. */
export interface Room {
  readonly ticket: Ticket;
  /** Aborted when the client has gone: what waits is dropped, and a batch that nobody else is in stops. */
  readonly signal: AbortSignal;
}

/** What is done with a request's pictures. */
interface Work<Result> {
  check(): void;
  run(image: PreparedImage, turn: Turn): Promise<Result>;
}

/** Pictures that are decoded at a time: each takes the memory of its pixels. */
const mostPreparing = 4;

export class CaptionService {
  readonly model: CaptionModel;
  readonly #explainModel: ExplainModel;
  readonly #options: ServiceOptions;
  readonly #metrics: ServerMetrics;
  readonly #admission: Admission;
  readonly #captioning: Captioning;
  readonly #explaining: Explaining;
  readonly #preparing = new Limiter(mostPreparing);
  #isDraining = false;

  constructor(
    { captions, explanations }: ServiceModel,
    options: ServiceOptions,
    metrics: ServerMetrics,
  ) {
    this.model = captions;
    this.#explainModel = explanations;
    this.#options = options;
    this.#metrics = metrics;
    this.#admission = new Admission(options.queue, () => this.#captioning.look());
    const workers = Math.max(1, captions.workers);
    const isMoreComing = (): boolean =>
      this.#admission.taken > this.#captioning.waiting + this.#explaining.waiting;
    const shared = { ...options, workers, isMoreComing };
    // Captions and explanations are computed by threads of their own; more at a time would share the same cores.
    const turns = new Limiter(workers);
    this.#captioning = new Captioning(captions, shared, metrics, turns);
    this.#explaining = new Explaining(explanations, shared, metrics, turns);
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
   * @throws HttpError at once where the options are wrong or there is no room for so many; the signal's reason
   */
  caption(
    pictures: readonly Picture[],
    options: CaptionOptions,
    room: Room,
  ): AsyncGenerator<PictureEvent<ImageCaption>, void> {
    return this.#events(pictures, room, {
      check: () => this.model.check(options),
      run: (image, turn) => this.#captioning.caption(image, options, turn),
    });
  }

  /** Explains the pictures of a request, telling of each as it is done. @throws as `caption` */
  explain(
    pictures: readonly Picture[],
    options: ExplainOptions,
    room: Room,
  ): AsyncGenerator<PictureEvent<Explanation>, void> {
    return this.#events(pictures, room, {
      check: () => this.#explainModel.check(options),
      run: (image, turn) => this.#explaining.explain(image, options, turn),
    });
  }

  async *#events<Result>(
    pictures: readonly Picture[],
    { ticket, signal }: Room,
    work: Work<Result>,
  ): AsyncGenerator<PictureEvent<Result>, void> {
    const started = performance.now();
    using _ = ticket;
    try {
      work.check();
      ticket.grow(pictures.length);
    } catch (error) {
      throw this.#told(error, 400);
    }
    const events = new EventQueue<PictureEvent<Result>>();
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    const all = pictures.map(async (picture, index) => {
      const onWord = (word: Word): void => events.add({ kind: 'word', index, word });
      const turn = { index, signal: either, onWord, onLeave: () => ticket.leave() };
      events.add(await this.#one(picture, turn, work, started));
    });
    const done = Promise.allSettled(all).then(() => events.close());
    try {
      yield* events.read();
      signal.throwIfAborted();
    } finally {
      stop.abort();
      await done;
    }
  }

  async #one<Result>(
    picture: Picture,
    turn: Turn,
    work: Work<Result>,
    started: number,
  ): Promise<PictureOutcome<Result>> {
    const { index, signal } = turn;
    try {
      const image = await this.#prepared(picture, turn);
      const result = await work.run(image, turn);
      return { kind: 'done', index, result, ms: Math.round(performance.now() - started) };
    } catch (error) {
      if (signal.aborted) throw error;
      return { kind: 'failed', index, error: this.#told(error, 422) };
    }
  }

  async #prepared({ name, source }: Picture, { signal, onLeave }: Turn): Promise<PreparedImage> {
    try {
      return await this.#preparing.run(async () => {
        signal.throwIfAborted();
        const started = performance.now();
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
      onLeave();
      throw error;
    }
  }

  #told(error: unknown, inputStatus: 400 | 422): HttpError {
    const { secondsEach } = this.#captioning;
    const seconds = (this.#admission.taken * secondsEach) / Math.max(1, this.model.workers);
    const told = toHttpError(error, inputStatus, Math.max(1, Math.ceil(seconds)));
    this.#metrics.failures.inc({ status: told.status });
    if (told.status === 500) this.#options.onFault(error);
    return told;
  }
}
