/** `refcap/web`: captions in a page, by a model that runs there; nothing leaves the computer. */
export { InputError } from '../base/errors.ts';
export type { Caption, ImageCaption, Word } from '../caption/result.ts';
export type { ExplainedWord, Explanation } from '../explain/explanation.ts';
export type { MethodName } from '../explain/methods/names.ts';
export { type FillAltOptions, type FilledAlt, fillAltTexts } from './alt-texts.ts';
export {
  Captioner,
  type WebCaptionerOptions,
  type WebCaptionOptions,
  type WebExplainOptions,
} from './captioner.ts';
export type { LoadProgress } from './download/model-files.ts';
export { type CaptionElementOptions, defineCaptionElement } from './element.ts';
export type { PictureSource } from './picture.ts';
export type { WebDevice } from './worker/device.ts';
