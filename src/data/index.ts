/** The data room: images, text tokenizers and captioned datasets. */

export {
  type CheckedImage,
  type CheckOptions,
  checkImages,
  type Duplicates,
  findDuplicates,
  type HashedMember,
  leakageNote,
  usableImages,
} from './datasets/check-images.ts';
export {
  type CaptionDataset,
  type DatasetImage,
  dealSplits,
  imagesOfSplit,
  parseSplit,
  type SplitName,
  type SplitShares,
  splitNames,
} from './datasets/dataset.ts';
export { type DatasetReport, type InspectOptions, inspectDataset } from './datasets/inspect.ts';
export {
  type DatasetOptions,
  type DatasetSurvey,
  readDataset,
  surveyDataset,
} from './datasets/read.ts';
export { type DatasetFormat, datasetFormats } from './datasets/sources.ts';
export { type Augmentation, augment, mayFlip, randomCrop } from './images/augment.ts';
export {
  type DecodedImage,
  type DecodeOptions,
  decodeImage,
  defaultMaxBytes,
  defaultMaxPixels,
  type RgbImage,
} from './images/decode.ts';
export { type ImageFolder, listImages } from './images/folder.ts';
export { type ImageFormat, imageExtensions } from './images/formats.ts';
export {
  blipPreprocessing,
  createPreprocessor,
  type Preprocessing,
  type Preprocessor,
  parsePreprocessing,
  preprocessingToJson,
} from './images/preprocess.ts';
export { type ResizeFilter, resizeRgb } from './images/resize.ts';
export { captionWords, cleanCaption } from './text/clean.ts';
export { loadTokenizer } from './text/load.ts';
export {
  type CaptionTokenizer,
  createTokenizer,
  type SpecialIds,
  type TokenizerOptions,
  tokenizerFromVocabulary,
} from './text/tokenizer.ts';
export {
  makeVocabulary,
  type Vocabulary,
  type VocabularyOptions,
  writeVocabulary,
} from './text/vocabulary.ts';
export { parseVocabulary, specialTokens, wordPieceFiles, wordPieceJson } from './text/wordpiece.ts';
