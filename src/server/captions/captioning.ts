/** Captions for prepared pictures of any requests: those with the same options share batches. */
import type { Captioner } from '../../caption/captioner.ts';
import type { CaptionOptions } from '../../caption/options.ts';
import type { PreparedImage } from '../../caption/prepare.ts';
import type { ImageCaption, Word } from '../../caption/result.ts';
import { type BatchContext, Batcher, type BatcherOptions } from '../batching/batcher.ts';
import type { ServerMetrics } from '../metrics.ts';
import type { Limiter } from './limiter.ts';

/** What captioning needs of a captioner; tests give one that invents its captions. */
export type CaptionModel = Pick<
  Captioner,
  'workers' | 'defaults' | 'check' | 'prepare' | 'captionPrepared'
>;

/** A prepared picture's place in the server. */
export interface Turn {
  /** Its place in its request: sampling draws by it. */
  readonly index: number;
  readonly signal: AbortSignal;
  readonly onWord: (word: Word) => void;
  /** To be called when it no longer waits. */
  readonly onLeave: () => void;
}

interface Task extends Pick<Turn, 'index' | 'onWord'> {
  readonly image: PreparedImage;
  readonly options: CaptionOptions;
  readonly added: number;
}

/** What the newest batch weighs in the time of a picture, by which `Retry-After` is estimated. */
const smoothing = 0.1;

export class Captioning {
  readonly #model: CaptionModel;
  readonly #metrics: ServerMetrics;
  readonly #batcher: Batcher<Task, ImageCaption>;
  #secondsEach = 0.5;

  /** @param turns which the model's threads have in common */
  constructor(
    model: CaptionModel,
    options: BatcherOptions,
    metrics: ServerMetrics,
    turns: Limiter,
  ) {
    this.#model = model;
    this.#metrics = metrics;
    this.#batcher = new Batcher(
      (tasks, context) => turns.run(() => this.#run(tasks, context)),
      options,
    );
  }

  /** Pictures that wait for their batch. */
  get waiting(): number {
    return this.#batcher.waiting;
  }

  /** Of late, seconds of a worker that a picture took. */
  get secondsEach(): number {
    return this.#secondsEach;
  }

  /** Starts what is ripe; to be called also when less is on its way than before. */
  look(): void {
    this.#batcher.look();
  }

  /** @throws as `Batcher.add` */
  async caption(
    image: PreparedImage,
    options: CaptionOptions,
    { index, signal, onWord, onLeave }: Turn,
  ): Promise<ImageCaption> {
    let given = 0;
    const count = (word: Word): void => {
      given += 1;
      onWord(word);
    };
    const task = { image, options, index, onWord: count, added: performance.now() };
    const result = await this.#batcher.add(JSON.stringify(options), task, signal, onLeave);
    // The last word, or with beams all of them, are known only now.
    for (const word of (result.captions[0].words ?? []).slice(given)) onWord(word);
    this.#metrics.captions.inc();
    return result;
  }

  async #run(tasks: readonly Task[], { signal }: BatchContext): Promise<readonly ImageCaption[]> {
    signal.throwIfAborted();
    const started = performance.now();
    for (const { added } of tasks) this.#metrics.stage('queue', started - added);
    this.#metrics.batches.observe(tasks.length);
    const results = await this.#model.captionPrepared(
      tasks.map(({ image }) => image),
      {
        ...tasks[0].options,
        words: true,
        imageNumbers: tasks.map(({ index }) => index),
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
}
