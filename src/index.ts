/** The library: what `import ... from 'refcap'` gives. */
export { InputError, UsageError } from './base/errors.ts';
export {
  type Caption,
  Captioner,
  type CaptionerOptions,
  type CaptionOptions,
  type GenerationOptions,
  type ImageCaption,
  type ImageSource,
  loadModel,
  type ModelToSave,
  type PretrainedModel,
  type SaveModelOptions,
  saveModel,
  storeWeights,
  type Word,
} from './caption/index.ts';
