/** `refcap/data` without Node: pixels to a model's input, text to token ids and back. */
export { type Augmentation, augment, mayFlip, randomCrop } from './images/augment.ts';
export {
  blipPreprocessing,
  createPreprocessor,
  type Preprocessing,
  type Preprocessor,
  parsePreprocessing,
  preprocessingToJson,
} from './images/preprocess.ts';
export { type ResizeFilter, resizeRgb } from './images/resize.ts';
export type { RgbImage } from './images/rgb.ts';
export { captionWords, cleanCaption } from './text/clean.ts';
export {
  createTextTokenizer,
  type SpecialIds,
  type TextTokenizer,
  type TokenizerOptions,
  tokenizerFromVocabulary,
} from './text/tokenizer.ts';
export { parseVocabulary, specialTokens, wordPieceFiles, wordPieceJson } from './text/wordpiece.ts';
