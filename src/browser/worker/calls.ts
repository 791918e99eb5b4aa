/** What a captioner's worker can be asked: to fetch and open a model, to caption and to explain. */

import { InputError } from '../../base/errors.ts';
import { answering, type CallContext } from '../../base/threads/answer.ts';
import type { CaptionOptions } from '../../caption/options.ts';
import { type ImageCaption, type Word, WordCollector } from '../../caption/result.ts';
import { type Products, testPixels } from '../../caption/self-test.ts';
import { type CaptionSettings, captionSettings, imageCaption } from '../../caption/settings.ts';
import { createPreprocessor } from '../../data/images/preprocess.ts';
import { type Explanation, explanationOf } from '../../explain/explanation.ts';
import { defaultMethod } from '../../explain/methods/default.ts';
import type { MethodName } from '../../explain/methods/names.ts';
import { explainPositions } from '../../explain/positions.ts';
import { captionIds, withoutEnd } from '../../explain/words.ts';
import type { GenerationOptions } from '../../model/checkpoint/generation-config.ts';
import { type LoadProgress, ModelFiles } from '../download/model-files.ts';
import { defaultThreads, type WebDevice } from './device.ts';
import { type OpenedModel, openModel, type Placement } from './model.ts';
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

export interface ExplainRequest extends Pick<WorkerRequest, 'picture' | 'options'> {
  /** Default: what the model writes. */
  readonly caption?: string | undefined;
  /** Default: that of the model's tower. */
  readonly method?: MethodName | undefined;
  readonly seed: number;
}

let opened: OpenedModel | undefined;
/** The call before: a session runs one at a time. */
let last: Promise<unknown> = Promise.resolve();

const handlers = {
  async load(
    { base, device, dtype, members, threads = defaultThreads() }: LoadRequest,
    { signal, emit }: CallContext<LoadProgress>,
  ): Promise<LoadedModel> {
    const files = await ModelFiles.open(base, { signal, members, onProgress: emit });
    const products = chosenProducts(device, dtype, files);
    opened = await openModel(files, { device, dtype: products, threads, pause });
    const { placement, faults, model } = opened;
    warmUpWhenIdle(opened, files);
    return { ...placement, faults, defaults: model.generation };
  },

  /** Captions a picture. @throws InputError for a picture or an option that cannot be used */
  async caption(
    request: WorkerRequest,
    { signal, emit }: CallContext<Word>,
  ): Promise<ImageCaption> {
    return inTurn(async () =>
      write(await prepare(request.picture, request.options, signal), request, signal, emit),
    );
  },

  /** Explains a caption. @throws InputError for a picture, a caption or an option that cannot be used */
  async explain(request: ExplainRequest, { signal }: CallContext<never>): Promise<Explanation> {
    return inTurn(() => explainPicture(request, signal));
  },
};

/** Milliseconds in which a page that has a picture sends it. */
const idleAfter = 200;

/** What was opened, run once while nobody waits: first runs are slow, as the browser compiles what they need. */
function warmUpWhenIdle({ model, writer }: OpenedModel, { manifest }: ModelFiles): void {
  const before = last;
  const { ids } = manifest.selfTest;
  setTimeout(() => {
    if (last === before)
      inTurn(() => writer.logprobs(testPixels(model.preprocessing), ids)).catch(() => undefined);
  }, idleAfter);
}

function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  const result = last.then(work);
  last = result.catch(() => undefined);
  return result;
}

export type CaptionWorker = typeof handlers;

/** A picture as the model reads it, how its caption is written, and the model. */
interface Prepared extends CaptionSettings, Pick<OpenedModel, 'model' | 'writer' | 'explained'> {
  /** [3, size, size], normalised. */
  readonly pixels: Float32Array;
  /** Of the picture itself. */
  readonly width: number;
  readonly height: number;
}

async function prepare(
  picture: SentPicture,
  options: WorkerRequest['options'],
  signal: AbortSignal,
): Promise<Prepared> {
  if (!opened) throw new Error('no model was opened');
  const { model } = opened;
  const settings = captionSettings(options, model);
  signal.throwIfAborted();
  const decoded = await decodePicture(picture);
  const preprocessor = createPreprocessor(model.preprocessing);
  const pixels = new Float32Array(preprocessor.valuesPerImage);
  preprocessor.write(decoded, pixels);
  const { width, height } = decoded;
  return { ...opened, ...settings, pixels, width, height };
}

async function write(
  { model, writer, settings, prompt, pixels, width, height }: Prepared,
  { options, isStreamed }: Omit<WorkerRequest, 'picture'>,
  signal: AbortSignal,
  emit: (word: Word) => void,
): Promise<ImageCaption> {
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
  const size = { width, height };
  return imageCaption(sequences, model.tokenizer, prompt.length, withWords, size);
}

async function explainPicture(
  { picture, caption, seed, options, ...request }: ExplainRequest,
  signal: AbortSignal,
): Promise<Explanation> {
  const prepared = await prepare(picture, options, signal);
  const { model, explained, pixels, width, height } = prepared;
  const { tokenizer, config } = model;
  const given =
    caption === undefined
      ? (await write(prepared, { options, isStreamed: false }, signal, () => undefined)).captions[0]
          .ids
      : captionIds(caption, tokenizer, config.text_config);
  const ids = withoutEnd(given, config.text_config);
  const { image_size: size } = config.vision_config;
  const { method = defaultMethod(config.vision_config) } = request;
  const positions = await explainPositions(explained, { pixels, size, ids, method, seed }, signal);
  return explanationOf(positions, { ids, method, width, height }, tokenizer);
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

const { port1, port2 } = new MessageChannel();

/** Lets messages in: the runs themselves are done before they return. */
function pause(): Promise<void> {
  return new Promise((resolve) => {
    port1.onmessage = () => resolve();
    port2.postMessage(undefined);
  });
}

/** Answers the page. @returns takes what it sends */
export function answerCalls(): ReturnType<typeof answering> {
  return answering(handlers, (reply, transfer) => postMessage(reply, { transfer }));
}
