/** Inference in the calling thread, which it keeps busy from one run of the model to the next. */
import type { DecodeOptions } from '../../data/images/decode.ts';
import { createPreprocessor, type Preprocessor } from '../../data/images/preprocess.ts';
import { type Tensor, tensor } from '../../engine/runtime/tensor.ts';
import { threadSettings } from '../../engine/runtime/thread-settings.ts';
import type { GenerationContext, Sequence } from '../../generation/context.ts';
import { forcedLogprobs, withMeanToken } from '../../generation/dependence.ts';
import { generate } from '../../generation/generate.ts';
import {
  type EncodedImages,
  Inference,
  type InferenceOptions,
  type ReadableWeights,
} from '../../generation/inference.ts';
import { joinImages } from '../../generation/joined.ts';
import { Ensemble } from '../../generation/members.ts';
import type { PretrainedModel } from '../../model/checkpoint/pretrained.ts';
import { isRefinerParameter, openRefiner } from '../../model/checkpoint/refiner.ts';
import { valueCount } from '../../weights/weight.ts';
import { type ImageSource, type PreparedImage, prepareImage } from '../prepare.ts';
import { claimDevice } from './device-owner.ts';
import type { Executor, ExecutorOptions, GenerationRequest, ModelDescription } from './executor.ts';
import { memberModels } from './members.ts';

export class LocalExecutor implements Executor {
  readonly model: ModelDescription;
  readonly workers = 0;
  readonly #inference: Ensemble;
  readonly #preprocessor: Preprocessor;
  readonly #device: Disposable;

  private constructor(model: ModelDescription, inference: Ensemble, device: Disposable) {
    this.model = model;
    this.#inference = inference;
    this.#device = device;
    this.#preprocessor = createPreprocessor(model.preprocessing);
  }

  /**
   * Opens a model's folder or file, and its members.
   * @throws InputError naming what is missing or does not fit
   */
  static async open(path: string, options: ExecutorOptions): Promise<LocalExecutor> {
    const device = claimDevice(options.device ?? 'cpu', 0);
    const members: Inference[] = [];
    let first: PretrainedModel | undefined;
    try {
      for await (const member of memberModels(path, options)) {
        first ??= member;
        members.push(await openInference(member, options));
      }
      if (!first) throw new Error(`${path}: no model was opened`);
      return new LocalExecutor(first, new Ensemble(members), device);
    } catch (error) {
      for (const member of members) member[Symbol.dispose]();
      device[Symbol.dispose]();
      throw error;
    }
  }

  prepare(image: ImageSource, options: DecodeOptions): Promise<PreparedImage> {
    const pixels = new Float32Array(this.#preprocessor.valuesPerImage);
    return prepareImage(image, this.#preprocessor, pixels, options);
  }

  async generate(
    { images, imagesEach = 1, settings, withoutPicture = false, ...context }: GenerationRequest,
    options: Pick<GenerationContext, 'signal' | 'onId'> = {},
  ): Promise<Sequence[][]> {
    options.signal?.throwIfAborted();
    const encoded = await this.#inference.encode(this.#batch(images));
    const joined = encoded.map((member) => joinImages(member, imagesEach));
    const config = this.model.config.text_config;
    const decoding = this.#inference.decode(joined);
    const sequences = await generate(decoding, settings, { config, ...context, ...options });
    if (!withoutPicture) return sequences;
    return this.#withoutPicture(joined, sequences, context.prompt.length, options.signal);
  }

  /** The sequences with their probabilities without the picture, candidate by candidate. */
  async #withoutPicture(
    encoded: readonly EncodedImages[],
    sequences: readonly (readonly Sequence[])[],
    promptLength: number,
    signal: AbortSignal | undefined,
  ): Promise<Sequence[][]> {
    const blind = encoded.map(withMeanToken);
    const told: Sequence[][] = sequences.map(() => []);
    for (let candidate = 0; candidate < sequences[0].length; candidate++) {
      signal?.throwIfAborted();
      const ids = sequences.map((own) => own[candidate].ids);
      const logprobs = await forcedLogprobs(this.#inference.decode(blind), ids, promptLength);
      for (const [i, own] of sequences.entries())
        told[i].push({ ...own[candidate], withoutPicture: logprobs[i] });
    }
    return told;
  }

  [Symbol.dispose](): void {
    this.#inference[Symbol.dispose]();
    this.#device[Symbol.dispose]();
  }

  #batch(images: readonly Float32Array[]): Tensor<'f32'> {
    const { width, height } = this.#preprocessor.preprocessing;
    const shape = [images.length, 3, height, width];
    // ONNX Runtime reads no shared memory.
    if (images.length === 1 && images[0].buffer instanceof ArrayBuffer)
      return tensor('f32', shape, images[0]);
    const size = this.#preprocessor.valuesPerImage;
    const data = new Float32Array(images.length * size);
    for (const [i, pixels] of images.entries()) data.set(pixels, i * size);
    return tensor('f32', shape, data);
  }
}

async function openInference(
  { folder, config, weights }: PretrainedModel,
  { keepRefiner, ...given }: ExecutorOptions,
): Promise<Inference> {
  const options = sessionOptions(given, weights);
  if (!keepRefiner) return Inference.open(config, weights, options);
  await using refiner = await openRefiner(folder, config);
  const { source } = refiner;
  const all: ReadableWeights = {
    tensors: new Map([...weights.tensors, ...source.tensors]),
    readFloat32: (name, target) =>
      (isRefinerParameter(name) ? source : weights).readFloat32(name, target),
  };
  return Inference.open(config, all, options, { refiner: refiner.config });
}

/** How the sessions of these weights are opened. */
export function sessionOptions(
  { imageSize: _, members: __, hub: ___, keepRefiner: ____, ...given }: ExecutorOptions,
  weights: Pick<ReadableWeights, 'tensors'>,
): InferenceOptions {
  const extra = { ...threadSettings(valueCount(weights.tensors.values())), ...given.extra };
  return { ...given, extra };
}
