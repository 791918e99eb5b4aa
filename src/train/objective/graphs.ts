/** The graphs of a run, and which of their parameters are trained. */

import { UsageError } from '../../base/errors.ts';
import { isRefinerParameter } from '../../model/checkpoint/refiner.ts';
import { isConceptScorer } from '../../model/concepts/concepts.ts';
import type { BlipConfig, VisionConfig } from '../../model/config.ts';
import { type RefinerConfig, refinerFault, refinerSchema } from '../../model/refiner/refiner.ts';
import { towerOf } from '../../model/towers/towers.ts';
import { type Group, usualGroup } from '../../nn/parameter-store.ts';
import { type Adapters, type ParameterSpec, Scope } from '../../nn/scope.ts';
import type { TrainConfig } from '../config/config.ts';
import { withLayerHeads } from '../config/layers.ts';
import { type ObjectiveOutputs, objectiveGraph } from './objective.ts';

/** What a run computes. */
export interface TrainingGraphs {
  readonly scope: Scope;
  /** Cross-entropy and what goes with it, with dropout. */
  readonly objective: ObjectiveOutputs;
  /** The same on drawn captions weighted by their advantages. */
  readonly policy?: ObjectiveOutputs;
  /** The base path's on captions without pictures. */
  readonly texts?: ObjectiveOutputs;
  /** The objective's parts without dropout and label smoothing. */
  readonly validation: ObjectiveOutputs;
  readonly images: 'pixels' | 'tokens';
  /** Frames of a clip that are read as one image. */
  readonly frames: number;
  readonly tokensDtype: 'f16' | 'f32';
  /** Whether training images come with concepts, or a model's own are computed of them. */
  readonly shown: 'given' | 'computed';
  readonly vision: VisionConfig;
  readonly refiner?: RefinerConfig;
  readonly adapters?: Adapters;
}

export interface GraphSettings {
  /** Of tokens that are fed. Default f16. */
  readonly tokensDtype?: TrainingGraphs['tokensDtype'];
  /** Ids that are never written. */
  readonly suppressed?: readonly number[];
  /** Frames of a clip that are read as one image. Default 1. */
  readonly frames?: number;
}

/**
 * @throws UsageError naming both fields that do not fit
 */
export function trainingGraphs(
  config: TrainConfig,
  model: BlipConfig,
  { tokensDtype = 'f16', suppressed = [], frames = 1 }: GraphSettings = {},
): TrainingGraphs {
  const images = decodesPictures(config) ? 'pixels' : 'tokens';
  const refiner = refinerOf(config, model);
  const adapters = adaptersOf(config, model.vision_config);
  const scope = new Scope(adapters);
  const { baseWeight, distillationWeight, distillationTemperature, refinedGradient } = config;
  const shared = {
    images,
    frames,
    tokensDtype,
    baseWeight,
    distillationWeight,
    distillationTemperature,
    refinedGradient,
    imageDropout: config.imageDropout,
    ...(refiner && { refiner }),
  } as const;
  const dropout = drawsDropout(config);
  // Fitted scorers are those of the tower before it was trained.
  const taught = { scorerWeight: config.visionBlocks === 0 ? 0 : config.conceptWeight };
  // Where scorers are fitted, training images are shown with concepts scored by layers that had not seen them.
  const shown = fitsConcepts(config) ? 'given' : 'computed';
  const drawing = { concepts: shown, dropout } as const;
  const objective = objectiveGraph(scope, model, {
    ...shared,
    ...drawing,
    labelSmoothing: config.labelSmoothing,
    ...taught,
    // People's boxes are known of given captions of training images.
    groundingWeight: config.alignment?.grounding?.weight ?? 0,
  });
  if (config.lora && !scope.parameters.some(({ name }) => isAdapter(name)))
    throw new UsageError(
      `lora.layers: no layer's name ends in ${config.lora.layers.join(' or ')}, so nothing would be trained; such as query and value`,
    );
  return {
    scope,
    images,
    frames,
    tokensDtype,
    shown,
    vision: model.vision_config,
    objective,
    ...(config.stage === 'scst' && {
      policy: objectiveGraph(scope, model, {
        ...shared,
        ...drawing,
        labelSmoothing: 0,
        ...taught,
        advantages: { temperature: config.scst.temperature, suppressed },
      }),
    }),
    ...(config.texts && {
      texts: objectiveGraph(scope, model, {
        ...textsOnly,
        labelSmoothing: config.labelSmoothing,
        dropout,
      }),
    }),
    validation: objectiveGraph(scope, model, {
      ...shared,
      concepts: 'computed',
      labelSmoothing: 0,
      dropout: false,
    }),
    ...(refiner && { refiner }),
    ...(adapters && { adapters }),
  };
}

/** The base path alone, with concepts in the place of pictures. */
const textsOnly = {
  images: 'none',
  concepts: 'given',
  baseWeight: 1,
  distillationWeight: 0,
  distillationTemperature: 1,
  refinedGradient: 'whole',
} as const;

/**
 * Whether a run fits what scores concepts to its own pictures. A captioner that goes on over its frozen tower keeps
 * what it has, which may know far more pictures, unless `concepts` are asked for.
 */
export function fitsConcepts({ concepts, texts, visionBlocks }: TrainConfig): boolean {
  return concepts !== null || texts !== null || visionBlocks !== 0;
}

/** Whether steps are fed pixels: the tower is trained, or its features are not to be kept. */
function decodesPictures({ visionBlocks, stream }: TrainConfig): boolean {
  return visionBlocks !== 0 || stream?.features === 'computed';
}

/** Whether dropout is drawn at all, so that its seed is an input. */
export function drawsDropout(config: TrainConfig): boolean {
  const { dropout, imageDropout, refinement, alignment } = config;
  const rates = [dropout, imageDropout, refinement?.dropout ?? 0, alignment?.dropout ?? 0];
  return Math.max(...rates) > 0;
}

function refinerOf(config: TrainConfig, model: BlipConfig): RefinerConfig | undefined {
  const { refinement, alignment, readLayer } = withLayerHeads(config, model.text_config);
  if (!refinement && !alignment) return undefined;
  const { grounding: _, ...layer } = alignment ?? {};
  const refiner = refinerSchema.parse({ refinement, alignment: alignment && layer, readLayer });
  const fault = refinerFault(refiner, model.text_config);
  if (fault !== undefined) throw new UsageError(fault);
  return refiner;
}

function adaptersOf(
  { lora, visionBlocks }: TrainConfig,
  vision: VisionConfig,
): Adapters | undefined {
  if (!lora) return undefined;
  const inTower = trainedInTower(vision, visionBlocks);
  return {
    rank: lora.rank,
    scale: lora.alpha / lora.rank,
    adapts: (layer) =>
      (layer.startsWith('text_decoder.') || inTower(`${layer}.`)) &&
      lora.layers.some((end) => layer.endsWith(`.${end}`)),
  };
}

/** The group of each parameter under these settings. */
export function parameterGroups(
  { lora, visionBlocks }: TrainConfig,
  vision: VisionConfig,
): (spec: ParameterSpec) => Group {
  const inTower = trainedInTower(vision, visionBlocks);
  return (spec) => {
    const { name } = spec;
    if (isAdapter(name)) return 'plain';
    if (isRefinerParameter(name)) return usualGroup(spec);
    if (isConceptScorer(name)) return visionBlocks === 0 ? 'frozen' : scorerGroup(spec);
    const isTrained = name.startsWith('vision_model.') ? inTower(name) : true;
    return isTrained && !lora ? usualGroup(spec) : 'frozen';
  };
}

/** Calibrations are fitted apart. */
function scorerGroup(spec: ParameterSpec): Group {
  return spec.name.startsWith('concepts.calibration.') ? 'frozen' : usualGroup(spec);
}

export function isAdapter(name: string): boolean {
  return name.endsWith('.lora_A') || name.endsWith('.lora_B');
}

/** Which of the tower's parameters are trained with its last `blocks` blocks. */
function trainedInTower(
  vision: VisionConfig,
  blocks: TrainConfig['visionBlocks'],
): (name: string) => boolean {
  if (blocks === 'all') return (name) => name.startsWith('vision_model.');
  if (blocks === 0) return () => false;
  const all = towerOf(vision).blocks;
  if (blocks > all.length)
    throw new UsageError(
      `visionBlocks (${blocks}) is more than the ${all.length} blocks of the vision tower; 'all' trains the whole tower`,
    );
  const trained = all.slice(-blocks);
  return (name) => trained.some((prefix) => name.startsWith(`vision_model.${prefix}`));
}
