/** `refcap`: captions for pictures. The parts have entries of their own, such as `refcap/engine`. */
import './base/quiet.ts';

export { InputError, UsageError } from './base/errors.ts';
export {
  bundledModel,
  type Caption,
  Captioner,
  type CaptionerOptions,
  type CaptionOptions,
  type ImageCaption,
  type ImageSource,
  type PreparedImage,
  type Word,
} from './caption/index.ts';
export { confidenceOf } from './confidence/shown.ts';
export {
  type GenerationOptions,
  loadModel,
  type ModelToSave,
  type PretrainedModel,
  type SaveModelOptions,
  saveModel,
  storeWeights,
} from './model/index.ts';
