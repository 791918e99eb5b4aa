/** Pictures in, captions out. */
export {
  bundledModel,
  Captioner,
  type CaptionerOptions,
  type CaptionOptions,
} from './captioner.ts';
export type { ImageSource, PreparedImage } from './prepare.ts';
export type { Caption, ImageCaption, Word } from './result.ts';
