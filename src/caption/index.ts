/** Pictures in, captions out. */
export { bundledModel } from '../hub/bundled.ts';
export { Captioner, type CaptionerOptions } from './captioner.ts';
export type { CaptionOptions } from './options.ts';
export type { ImageSource, PreparedImage } from './prepare.ts';
export type { Caption, ImageCaption, Word } from './result.ts';
