/** Pictures in, captions out. */
export {
  bundledModel,
  Captioner,
  type CaptionerOptions,
  type CaptionOptions,
  type ImageSource,
  type PreparedImage,
} from './captioner.ts';
export type { Caption, ImageCaption, Word } from './result.ts';
