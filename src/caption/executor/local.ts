/** Inference in the calling thread, which it keeps busy from one run of the model to the next. */
import { InputError } from '../../base/errors.ts';
import { createPreprocessor, type Preprocessor } from '../../data/images/preprocess.ts';
import type { DecodeOptions } from '../../data/images/rgb.ts';
import type { TextTokenizer } from '../../data/text/tokenizer.ts';
import { threadSettings } from '../../engine/runtime/thread-settings.ts';
import type { GenerationContext, Sequence } from '../../generation/context.ts';
import { Inference } from '../../generation/inference.ts';
import { Ensemble } from '../../generation/members.ts';
import type { InferenceOptions, ReadableWeights } from '../../generation/open-graph.ts';
import type { GraphOptions } from '../../model/blip.ts';
import type { PretrainedModel } from '../../model/checkpoint/pretrained.ts';
import { isRefinerParameter, openRefiner } from '../../model/checkpoint/refiner.ts';
import type { BlipConfig } from '../../model/config.ts';
import { valueCount } from '../../weights/weight.ts';
import { allowedConcepts } from '../concepts/names.ts';
import { type ImageSource, type PreparedImage, prepareImage } from '../prepare.ts';
import { claimDevice } from './device-owner.ts';
import type { Executor, ExecutorOptions, ModelDescription, UserConcepts } from './executor.ts';
import { memberModels } from './members.ts';
import type { GenerationRequest } from './request.ts';
import { CaptionWriter } from './writer.ts';

export class LocalExecutor implements Executor {
  readonly model: ModelDescription;
  readonly workers = 0;
  readonly writer: CaptionWriter;
  readonly #preprocessor: Preprocessor;
  readonly #device: Disposable;

  private constructor(model: ModelDescription, inference: Ensemble, device: Disposable) {
    this.model = model;
    this.writer = new CaptionWriter(model, inference);
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

  generate(
    request: GenerationRequest,
    options: Pick<GenerationContext, 'signal' | 'onId'> = {},
  ): Promise<Sequence[][]> {
    return this.writer.generate(request, options);
  }

  [Symbol.dispose](): void {
    this.writer[Symbol.dispose]();
    this.#device[Symbol.dispose]();
  }
}

async function openInference(
  { folder, config, tokenizer, weights }: PretrainedModel,
  { keepRefiner, concepts: asked, ...given }: ExecutorOptions,
): Promise<Inference> {
  const concepts = asked && conceptGraph(folder, config, tokenizer, asked);
  const options = sessionOptions(given, weights);
  if (!keepRefiner) return Inference.open(config, weights, options, concepts);
  await using refiner = await openRefiner(folder, config);
  const { source } = refiner;
  const all: ReadableWeights = {
    tensors: new Map([...weights.tensors, ...source.tensors]),
    readFloat32: (name, target) =>
      (isRefinerParameter(name) ? source : weights).readFloat32(name, target),
    rounded: (name) => (isRefinerParameter(name) ? undefined : weights.rounded(name)),
  };
  // Not closed before all of it is read.
  return await Inference.open(config, all, options, { ...concepts, refiner: refiner.config });
}

/**
 * How the graphs of a model take a user's concepts.
 * @throws InputError for a model without concepts, or one that knows none of the names
 */
function conceptGraph(
  folder: string,
  { concept_config: config }: BlipConfig,
  tokenizer: TextTokenizer,
  concepts: UserConcepts,
): Pick<GraphOptions, 'concepts' | 'allowedConcepts'> {
  if (!config)
    throw new InputError(
      `${folder}: this model has no concepts that it could be told; leave out the list of concepts, or take a model that was trained with concepts.`,
    );
  if (concepts.kind === 'scores') return { concepts: 'given' };
  const { allowed } = allowedConcepts(config, tokenizer, concepts.names);
  if (allowed.names.length + allowed.words.length === 0)
    throw new InputError(
      `${folder}: the model looks for none of the ${concepts.names.length} names in the list of concepts.`,
    );
  return { allowedConcepts: allowed };
}

/** How the sessions of these weights are opened. */
export function sessionOptions(
  {
    imageSize: _,
    members: __,
    hub: ___,
    keepRefiner: ____,
    concepts: _____,
    ignoreConfidence: ______,
    ...given
  }: ExecutorOptions,
  weights: Pick<ReadableWeights, 'tensors'>,
): InferenceOptions {
  const extra = { ...threadSettings(valueCount(weights.tensors.values())), ...given.extra };
  return { ...given, extra };
}
