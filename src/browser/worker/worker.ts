/** The worker that holds a captioner's model: it fetches, opens and runs it, so that the page stays free. */

import { InputError } from '../../base/errors.ts';
import { answering, type CallContext } from '../../base/threads/answer.ts';
import type { Request } from '../../base/threads/messages.ts';
import type { CaptionOptions } from '../../caption/options.ts';
import { type ImageCaption, type Word, WordCollector } from '../../caption/result.ts';
import type { Products } from '../../caption/self-test.ts';
import { captionSettings, imageCaption } from '../../caption/settings.ts';
import { createPreprocessor } from '../../data/images/preprocess.ts';
import { placeRuntime } from '../../engine/runtime/back-end/web.ts';
import type { GenerationOptions } from '../../model/checkpoint/generation-config.ts';
import { type LoadProgress, ModelFiles } from '../download/model-files.ts';
import { type OpenedModel, openModel, type Placement, type WebDevice } from './model.ts';
import { decodePicture, type SentPicture } from './pixels.ts';

export interface LoadRequest {
  /** The folder's address, with the slash. */
  readonly base: string;
  readonly device: WebDevice;
  readonly dtype?: Products | undefined;
  readonly members?: number | undefined;
  readonly threads?: number | undefined;
  /** Where the .wasm files of onnxruntime-web lie, with the slash. Default: where its script looks for them. */
  readonly runtime?: string | undefined;
}

/** What the page is told of the model. */
export interface LoadedModel extends Placement {
  readonly faults: readonly string[];
  readonly defaults: GenerationOptions;
}

export interface WorkerRequest {
  readonly picture: SentPicture;
  readonly options: Omit<CaptionOptions, 'signal' | 'decode' | 'imageNumbers'>;
  /** Whether words are told as they become whole. */
  readonly isStreamed: boolean;
}

let opened: OpenedModel | undefined;
/** The call before: a session runs one at a time. */
let last: Promise<unknown> = Promise.resolve();

const handlers = {
  async load(
    { base, device, dtype, members, threads = defaultThreads(), runtime }: LoadRequest,
    { signal, emit }: CallContext<LoadProgress>,
  ): Promise<LoadedModel> {
    if (runtime !== undefined) placeRuntime(runtime);
    const files = await ModelFiles.open(base, { signal, members, onProgress: emit });
    const products = chosenProducts(device, dtype, files);
    opened = await openModel(files, { device, dtype: products, threads, pause });
    const { placement, faults, model } = opened;
    return { ...placement, faults, defaults: model.generation };
  },

  /** Captions a picture. @throws InputError for a picture or an option that cannot be used */
  async caption(
    request: WorkerRequest,
    { signal, emit }: CallContext<Word>,
  ): Promise<ImageCaption> {
    const before = last;
    const work = before.then(() => write(request, signal, emit));
    last = work.catch(() => undefined);
    return work;
  },
};

export type CaptionWorker = typeof handlers;

async function write(
  { picture, options, isStreamed }: WorkerRequest,
  signal: AbortSignal,
  emit: (word: Word) => void,
): Promise<ImageCaption> {
  if (!opened) throw new Error('no model was opened');
  const { model, writer } = opened;
  const { settings, prompt } = captionSettings(options, model);
  signal.throwIfAborted();
  const decoded = await decodePicture(picture);
  const preprocessor = createPreprocessor(model.preprocessing);
  const pixels = new Float32Array(preprocessor.valuesPerImage);
  preprocessor.write(decoded, pixels);
  const { seed, dependence = false } = options;
  const request = {
    images: [pixels],
    settings,
    prompt,
    ...(seed !== undefined && { seed }),
    ...(dependence && { withoutPicture: true }),
  };
  const collector = new WordCollector(model.tokenizer);
  const onId = (_: number, candidate: number, id: number, logprob: number): void => {
    const word = candidate === 0 ? collector.push(id, logprob) : undefined;
    if (word) emit(word);
  };
  const [sequences] = await writer.generate(request, { signal, ...(isStreamed && { onId }) });
  const withWords = options.words === true || dependence || isStreamed;
  return imageCaption(sequences, model.tokenizer, prompt.length, withWords, decoded);
}

/** @throws InputError where the weights are not stored so, or the device has no such products */
function chosenProducts(
  device: WebDevice,
  wanted: Products | undefined,
  { manifest }: ModelFiles,
): Products {
  const isRounded = manifest.selfTest.int8 !== undefined;
  if (wanted === 'int8' && !isRounded)
    throw new InputError(
      'dtype int8: the weights of this model are not of 8 bits; export it with --dtype int8.',
    );
  if (wanted === 'int8' && device === 'webgpu')
    throw new InputError('dtype int8: WebGPU has no such products; use f32, or the device wasm.');
  return wanted ?? (isRounded && device === 'wasm' ? 'int8' : 'f32');
}

/** One where the page is not cross-origin isolated: WebAssembly's threads share memory. */
function defaultThreads(): number {
  return globalThis.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, 8) : 1;
}

const { port1, port2 } = new MessageChannel();

/** Lets messages in: the runs themselves are done before they return. */
function pause(): Promise<void> {
  return new Promise((resolve) => {
    port1.onmessage = () => resolve();
    port2.postMessage(undefined);
  });
}

// Where a bundler put ONNX Runtime into this file, its own threads run it too.
if (self.name !== 'em-pthread') {
  const answer = answering(handlers, (reply) => postMessage(reply));
  addEventListener('message', ({ data }: MessageEvent<Exclude<Request, { close: true }>>) => {
    void answer(data);
  });
}
