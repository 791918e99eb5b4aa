/** The model: loading, captioning, saving. */

export { type GenerationSettings, generationDefaults } from '../generation/options.ts';
export type { GenerationOptions } from '../model/checkpoint/generation-config.ts';
export {
  type LoadModelOptions,
  loadModel,
  loadParameters,
  type PretrainedModel,
} from '../model/checkpoint/pretrained.ts';
export {
  type ModelToSave,
  type SavedDtype,
  type SaveModelOptions,
  savedDtypes,
  saveModel,
  storeWeights,
} from '../model/checkpoint/save.ts';
export { type BlipConfig, parseBlipConfig } from '../model/config.ts';
export {
  bundledModel,
  Captioner,
  type CaptionerOptions,
  type CaptionOptions,
  type ImageSource,
  type PreparedImage,
} from './captioner.ts';
export type { Caption, ImageCaption, Word } from './result.ts';
