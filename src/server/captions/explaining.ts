/** Explanations of prepared pictures, one at a time a worker. */
import type { PreparedImage } from '../../caption/prepare.ts';
import type { ExplainOptions } from '../../explain/explain.ts';
import type { Explanation } from '../../explain/explanation.ts';
import { Batcher, type BatcherOptions } from '../batching/batcher.ts';
import type { ServerMetrics } from '../metrics.ts';
import type { Turn } from './captioning.ts';
import type { Limiter } from './limiter.ts';

/** What explaining needs; tests give one that invents its maps. */
export interface ExplainModel {
  /** @throws InputError for options that cannot be used */
  check(options: ExplainOptions): void;
  /** @throws InputError for what cannot be explained; the signal's reason when aborted */
  explain(image: PreparedImage, options: ExplainOptions): Promise<Explanation>;
}

interface Task {
  readonly image: PreparedImage;
  readonly options: ExplainOptions;
  readonly added: number;
}

export class Explaining {
  readonly #batcher: Batcher<Task, Explanation>;
  readonly #metrics: ServerMetrics;

  /** @param turns which the model's threads have in common */
  constructor(
    model: ExplainModel,
    options: BatcherOptions,
    metrics: ServerMetrics,
    turns: Limiter,
  ) {
    this.#metrics = metrics;
    this.#batcher = new Batcher(
      ([{ image, options, added }], { signal }) =>
        turns.run(async () => {
          signal.throwIfAborted();
          const started = performance.now();
          metrics.stage('queue', started - added);
          const explanation = await model.explain(image, { ...options, signal });
          metrics.stage('explain', performance.now() - started);
          return [explanation];
        }),
      { ...options, maxBatch: 1 },
    );
  }

  /** Pictures that wait for their turn. */
  get waiting(): number {
    return this.#batcher.waiting;
  }

  /** @throws as `Batcher.add` */
  async explain(
    image: PreparedImage,
    options: ExplainOptions,
    { signal, onLeave }: Turn,
  ): Promise<Explanation> {
    const task = { image, options, added: performance.now() };
    const explanation = await this.#batcher.add('', task, signal, onLeave);
    this.#metrics.explanations.inc();
    return explanation;
  }
}
