/** What is decided of a run before images are read: where it starts, what is trained and how. */
import { UsageError } from '../../base/errors.ts';
import { longestLength } from '../../generation/generate.ts';
import { resolveModel } from '../../hub/resolve.ts';
import type { BlipConfig } from '../../model/config.ts';
import type { Group } from '../../nn/parameter-store.ts';
import type { ParameterSpec } from '../../nn/scope.ts';
import { valueCount } from '../../weights/weight.ts';
import { checkSameRun, type SavedRun } from '../checkpoint/resume.ts';
import type { FittedConcepts } from '../concepts/fit.ts';
import type { TrainConfig } from '../config/config.ts';
import { usualHeads, withLayerHeads } from '../config/layers.ts';
import { parameterGroups, type TrainingGraphs, trainingGraphs } from '../objective/graphs.ts';
import { fitMicroBatch } from '../objective/memory.ts';
import type { DescribedData } from './description.ts';
import { neverWritten, samplingSettings } from './generation.ts';
import { type RunOptions, tokensDtype } from './options.ts';
import type { RewardedImages } from './scoring.ts';
import type { OpenSplit } from './splits.ts';
import { type Start, startFromModel, startFromTower, type TrainingTexts } from './start.ts';
import type { StepSource } from './steps.ts';

/** A run before its first step. */
export interface PreparedRun {
  readonly plan: RunPlan;
  readonly source: StepSource;
  readonly dev: OpenSplit;
  readonly data: DescribedData;
  /** What people wrote for the training images, where drawn captions are rewarded by it. */
  readonly rewarded: RewardedImages;
  /** What was fitted to training images, where the model has concepts. */
  readonly concepts?: FittedConcepts;
  /** Captions without pictures. */
  readonly alone: readonly (readonly string[])[];
}

/** What a plan needs to know of the images. */
export interface PlannedData {
  readonly hasClips: boolean;
  /** Captions of an image, at most. */
  readonly mostCaptions: number;
}

/** @throws UsageError and InputError naming what cannot be started from */
export async function openStart(
  { start, config, hub }: RunOptions,
  texts: TrainingTexts,
): Promise<Start> {
  if ('model' in start)
    return startFromModel((await resolveModel(start.model, hub)).path, config, hub);
  if (config.stage === 'scst')
    throw new UsageError(
      'stage scst needs a trained captioner: give --model, not --tower (a fresh decoder draws no captions worth a reward)',
    );
  if (config.lora)
    throw new UsageError(
      'lora adapts a trained captioner: give --model, not --tower (a fresh decoder would stay as it is)',
    );
  if (config.stream && config.vocabulary === null)
    throw new UsageError(
      'stream: a fresh decoder makes its vocabulary from all captions, which a stream does not read before it trains; give vocabulary (a vocab.txt), --set stream.countWords=true (one pass over all captions first), or --model',
    );
  return startFromTower(start.tower, config, texts);
}

/** What is decided before images are read. */
export interface RunPlan {
  readonly start: Start;
  readonly config: TrainConfig;
  readonly graphs: TrainingGraphs;
  readonly groups: (spec: ParameterSpec) => Group;
  /** The ids that every caption begins with, [DEC] first, and the most that one has. */
  readonly prompt: readonly number[];
  readonly maxLength: number;
  /** Ids that are never written. */
  readonly suppressed: readonly number[];
}

/**
 * Decides all that needs no image, so that what does not fit is found before any feature is computed.
 * @throws UsageError and InputError naming what does not fit the model, or the run that goes on
 */
export function planRun(
  options: RunOptions,
  start: Start,
  data: PlannedData,
  before: SavedRun | undefined,
): RunPlan {
  const { model, tokenizer, generation, fingerprint } = start;
  const { text_config: text } = model;
  const fitted = withLayerHeads(options.config, text);
  for (const name of ['refinement', 'alignment'] as const)
    if (options.config[name]?.heads === null && fitted[name]?.heads !== usualHeads)
      options.onNote(
        `${name}.heads is ${fitted[name]?.heads}, as in the decoder, whose width of ${text.hidden_size} ${usualHeads} does not divide`,
      );
  const groups = parameterGroups(fitted, model.vision_config);
  const prompt = [text.bos_token_id, ...tokenizer.encode(fitted.prompt, { specialTokens: false })];
  const maxLength = Math.min(prompt.length + fitted.maxWords + 1, text.max_position_embeddings + 1);
  const suppressed = neverWritten(generation, text.sep_token_id);
  longestLength(samplingSettings(suppressed, maxLength), { prompt, config: text });
  if (fitted.texts && !model.concept_config)
    throw new UsageError(
      'texts: captions without pictures teach a model with concepts alone; set concepts too (or start from a model that has them)',
    );
  const frames = framesOf(fitted, data, model);
  const graphs = trainingGraphs(fitted, model, {
    tokensDtype: tokensDtype(options),
    suppressed,
    frames,
  });
  const config = withMicroBatch(options, fitted, graphs, data, before?.train.microBatch);
  if (before) {
    const ranks = options.peers?.size ?? 1;
    const now = {
      train: config,
      start: { ...options.start, fingerprint },
      ranks,
      data: before.data,
    };
    checkSameRun(before, now, options.output, options.allowChanges ?? false);
  }
  return { start, config, graphs, groups, prompt, maxLength, suppressed };
}

/** How many values a run trains. */
export function trainedValues({ graphs, groups }: RunPlan): number {
  return valueCount(graphs.scope.parameters.filter((spec) => groups(spec) !== 'frozen'));
}

/**
 * Frames that are read as one image: several where there are clips.
 * @throws UsageError naming what goes with one frame alone
 */
function framesOf(
  { frames, alignment }: TrainConfig,
  { hasClips }: PlannedData,
  { concept_config: concepts }: BlipConfig,
): number {
  if (frames === 1 || !hasClips) return 1;
  const fault = concepts ? 'concepts' : alignment?.grounding ? 'alignment.grounding' : undefined;
  if (fault !== undefined)
    throw new UsageError(
      `frames (${frames}): a model with ${fault} learns from one frame of a clip; set frames to 1, or leave ${fault} out`,
    );
  return frames;
}

/**
 * The settings with micro-batches that fit the memory limit, if there is one. A run that goes on keeps
 * those that a limit once gave it, as long as they fit the one of now.
 */
function withMicroBatch(
  options: RunOptions,
  config: TrainConfig,
  graphs: TrainingGraphs,
  data: PlannedData,
  before: unknown,
): TrainConfig {
  const { memoryLimit } = options;
  if (config.microBatch !== null) return config;
  const kept = typeof before === 'number' ? { ...config, microBatch: before } : config;
  if (memoryLimit === undefined) return kept;
  const most = data.mostCaptions;
  const captions = Math.min(config.captionsPerImage ?? most, most);
  const microBatch = fitMicroBatch(config, graphs, captions, memoryLimit);
  if (kept.microBatch !== null && kept.microBatch <= microBatch) return kept;
  options.onNote(
    `micro-batches of ${microBatch} of ${config.batchSize} images fit the memory limit`,
  );
  return { ...config, microBatch };
}
