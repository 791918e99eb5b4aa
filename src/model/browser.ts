/** `refcap/model` without Node: a captioner's config, its graphs, and a checkpoint's weights matched with them. */
export {
  cachedHeads,
  encoderGraph,
  type GraphOptions,
  imageInput,
  stepGraph,
  visionTower,
} from './blip.ts';
export { type GenerationOptions, parseGenerationConfig } from './checkpoint/generation-config.ts';
export type { NameLayout } from './checkpoint/names.ts';
export {
  matchWeights,
  modelParameters,
  type PretrainedWeights,
  type PretrainedWeightsOptions,
} from './checkpoint/weights.ts';
export { type BlipConfig, parseBlipConfig, type TextConfig } from './config.ts';
export {
  crossKeyValues,
  type DecoderInput,
  type DecoderOutput,
  languageHead,
  textDecoder,
} from './decoder.ts';
export type { RefinerConfig } from './refiner/refiner.ts';
export type { Tower, TowerKind } from './towers/tower.ts';
export { type TowerName, towerNames, towerOf, towers, type VisionConfig } from './towers/towers.ts';
