/**
 * Inference in worker threads, so that the caller's thread stays free. A thread that ends is an error for the
 * calls that it had; the next call gets a new one.
 */
import { availableParallelism } from 'node:os';
import { UsageError } from '../../base/errors.ts';
import { ThreadClient } from '../../base/threads/client.ts';
import { threadModule } from '../../base/threads/module.ts';
import { ThreadPool } from '../../base/threads/pool.ts';
import type { DecodeOptions } from '../../data/images/rgb.ts';
import type { GenerationContext, Sequence } from '../../generation/context.ts';
import type { ResolveOptions } from '../../hub/resolve.ts';
import { loadModel } from '../../model/checkpoint/pretrained.ts';
import type { ImageSource, PreparedImage } from '../prepare.ts';
import { oneAfterTheOther } from './batch.ts';
import { claimDevice } from './device-owner.ts';
import type { Executor, ExecutorOptions, ModelDescription } from './executor.ts';
import type { ChosenId, InferenceThread, OpenRequest } from './inference-thread.ts';
import { loadOptions } from './members.ts';
import { Preparation } from './preparation.ts';
import type { GenerationRequest } from './request.ts';

export class WorkerExecutor implements Executor {
  readonly model: ModelDescription;
  readonly workers: number;
  readonly #resources: Resources;

  private constructor(model: ModelDescription, workers: number, resources: Resources) {
    this.model = model;
    this.workers = workers;
    this.#resources = resources;
  }

  /**
   * Opens a model in each of `workers` threads, which share the cores unless `threads` says how many each takes.
   * @throws InputError naming what is missing or does not fit
   */
  static async open(
    path: string,
    workers: number,
    options: ExecutorOptions,
  ): Promise<WorkerExecutor> {
    if (!Number.isInteger(workers) || workers < 1)
      throw new UsageError(`workers (${workers}): a whole number, 0 for none.`);
    // What is wrong with the model's files is said by this thread, the same way every time; what they need of the hub
    // is downloaded here as well, while the others start.
    const device = claimDevice(options.device ?? 'cpu', workers);
    const loading = loadModel(path, loadOptions(options));
    const resources = new Resources(device, workers, loading, {
      path,
      options: workerOptions(options, workers),
    });
    try {
      await using model = await loading;
      await resources.opened;
      return new WorkerExecutor(model, workers, resources);
    } catch (error) {
      resources[Symbol.dispose]();
      throw error;
    }
  }

  prepare(image: ImageSource, options: DecodeOptions): Promise<PreparedImage> {
    return this.#resources.preparation.prepare(image, this.model.preprocessing, options);
  }

  generate(
    { images, ...request }: GenerationRequest,
    { signal, onId }: Pick<GenerationContext, 'signal' | 'onId'> = {},
  ): Promise<Sequence[][]> {
    return this.#resources.inference.run((thread) => {
      const { copies, memory } = oneAfterTheOther(images);
      const sent = { ...request, images: copies, isStreamed: onId !== undefined };
      const onEvent = onId && { onEvent: (id: ChosenId) => onId(...id) };
      return thread.call('generate', sent, { signal, transfer: [memory], ...onEvent });
    }, signal);
  }

  [Symbol.dispose](): void {
    this.#resources[Symbol.dispose]();
  }
}

/** The threads, and the device that they hold. */
class Resources implements Disposable {
  readonly inference: ThreadPool<InferenceThread>;
  readonly preparation: Preparation;
  /** Settled when every thread has opened the model. */
  readonly opened: Promise<unknown>;
  readonly #device: Disposable;

  constructor(
    device: Disposable,
    workers: number,
    loading: Promise<unknown>,
    request: OpenRequest,
  ) {
    this.#device = device;
    const opening: Promise<void>[] = [];
    let isLoaded = false;
    this.inference = new ThreadPool(workers, (onFree) => {
      const thread = new ThreadClient<InferenceThread>(inferenceModule, {
        name: 'inference',
        onFree,
      });
      const open = async (): Promise<void> => {
        if (!isLoaded) await loading;
        await thread.call('open', request);
      };
      const opened = open();
      // A thread without its model is of no use; whoever has a call behind it hears why.
      opened.catch((error: Error) => thread.close(error));
      opening.push(opened);
      return thread;
    });
    loading.then(
      () => {
        isLoaded = true;
      },
      () => undefined,
    );
    this.opened = Promise.all(opening);
    this.opened.catch(() => undefined);
    this.preparation = new Preparation();
  }

  [Symbol.dispose](): void {
    this.inference.close(new Error('the captioner was disposed'));
    this.preparation[Symbol.dispose]();
    this.#device[Symbol.dispose]();
  }
}

/** How one of `workers` threads opens a model that is here by then: with its share of the cores, unless it has `threads`. */
export function workerOptions(options: ExecutorOptions, workers: number): ExecutorOptions {
  const threads = options.threads ?? Math.max(1, Math.floor(availableParallelism() / workers));
  return { ...options, threads, hub: cacheAlone(options.hub) };
}

/** The part of the hub's options that another thread can have; what they may need is in the cache by then. */
function cacheAlone({
  revision,
  base,
  cacheFolder,
  bundledFolder,
  env,
}: ResolveOptions = {}): ResolveOptions {
  return { revision, base, cacheFolder, bundledFolder, env: env && { ...env }, offline: true };
}

const inferenceModule = threadModule('inference-thread', import.meta.url);
