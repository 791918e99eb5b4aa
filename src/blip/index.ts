/** The model: loading, captioning, saving. */
export type { Caption, ImageCaption, Word } from './caption-result.ts';
export {
  bundledModel,
  Captioner,
  type CaptionerOptions,
  type CaptionOptions,
  type ImageSource,
  type PreparedImage,
} from './captioner.ts';
export { type BlipConfig, parseBlipConfig } from './config.ts';
export {
  type GenerationOptions,
  type GenerationSettings,
  generationDefaults,
} from './generation-options.ts';
export {
  type LoadModelOptions,
  loadModel,
  loadParameters,
  type PretrainedModel,
} from './pretrained.ts';
export {
  type ModelToSave,
  type SavedDtype,
  type SaveModelOptions,
  savedDtypes,
  saveModel,
  storeWeights,
} from './save.ts';
