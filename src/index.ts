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
  saveModel,
  type Word,
} from './blip/index.ts';
