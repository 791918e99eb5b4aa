/** The data room: images, text tokenizers and captioned datasets. */

export { cleanCaption } from './clean.ts';
export {
  type CaptionDataset,
  type DatasetImage,
  dealSplits,
  imagesOfSplit,
  parseSplit,
  type SplitName,
  type SplitShares,
  splitNames,
} from './dataset.ts';
export { type DatasetOptions, readDataset } from './dataset-read.ts';
export { type ImageFormat, imageExtensions } from './formats.ts';
export {
  type DecodedImage,
  type DecodeOptions,
  decodeImage,
  defaultMaxBytes,
  defaultMaxPixels,
  type RgbImage,
} from './image.ts';
export { type ImageFolder, listImages } from './image-folder.ts';
export { loadMeteorData, loadParaphraseTable } from './meteor-data.ts';
export {
  blipPreprocessing,
  createPreprocessor,
  type Preprocessing,
  type Preprocessor,
  parsePreprocessing,
  preprocessingToJson,
  readPreprocessing,
} from './preprocess.ts';
export { type ResizeFilter, resizeRgb } from './resize.ts';
export {
  type CaptionTokenizer,
  createTokenizer,
  loadTokenizer,
  type SpecialIds,
  type TokenizerOptions,
  tokenizerFromVocabulary,
} from './tokenizer.ts';
export {
  makeVocabulary,
  type Vocabulary,
  type VocabularyOptions,
  writeVocabulary,
} from './vocabulary.ts';
export { parseVocabulary, specialTokens, wordPieceFiles, wordPieceJson } from './wordpiece.ts';
