/** What Prometheus reads: https://prometheus.io/docs/practices/naming/ */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Where a picture's time goes: fetching and decoding, waiting for its turn, and the model's work. */
export type ServingStage = 'prepare' | 'queue' | 'generate' | 'explain';

const seconds = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30];

export class ServerMetrics {
  readonly registry = new Registry();
  readonly #registers = [this.registry];
  readonly captions = new Counter({
    name: 'refcap_captions_total',
    help: 'Pictures that were captioned.',
    registers: this.#registers,
  });
  readonly explanations = new Counter({
    name: 'refcap_explanations_total',
    help: 'Pictures that were explained.',
    registers: this.#registers,
  });
  readonly failures = new Counter({
    name: 'refcap_failures_total',
    help: 'Pictures and requests that failed, by the HTTP status of the reason.',
    labelNames: ['status'],
    registers: this.#registers,
  });
  readonly batches = new Histogram({
    name: 'refcap_batch_pictures',
    help: 'Pictures of a batch.',
    buckets: [1, 2, 4, 8, 16, 32, 64],
    registers: this.#registers,
  });
  readonly #stages = new Histogram({
    name: 'refcap_stage_seconds',
    help: 'Time of a stage: prepare, queue and explain of a picture, generate of a batch.',
    labelNames: ['stage'],
    buckets: seconds,
    registers: this.#registers,
  });
  readonly #requests = new Histogram({
    name: 'refcap_request_seconds',
    help: 'Time of a request until all of its answer was sent.',
    labelNames: ['route', 'status'],
    buckets: seconds,
    registers: this.#registers,
  });

  constructor() {
    new Gauge({
      name: 'process_resident_memory_bytes',
      help: 'Resident memory of the process.',
      registers: this.#registers,
      collect() {
        this.set(process.memoryUsage.rss());
      },
    });
  }

  /** @param depth how many pictures wait now */
  watchQueue(depth: () => number): void {
    new Gauge({
      name: 'refcap_queue_pictures',
      help: 'Pictures that are read, decoded or wait for their batch.',
      registers: this.#registers,
      collect() {
        this.set(depth());
      },
    });
  }

  stage(stage: ServingStage, milliseconds: number): void {
    this.#stages.observe({ stage }, milliseconds / 1000);
  }

  /** @param route the pattern of its path, so that there are only so many */
  request(route: string, status: number, milliseconds: number): void {
    this.#requests.observe({ route, status }, milliseconds / 1000);
  }
}
