/** The data room: images, text tokenizers and captioned datasets. */

export { type Augmentation, augment, mayFlip, randomCrop } from './augment.ts';
export {
  type CheckedImage,
  type CheckOptions,
  checkImages,
  type Duplicates,
  findDuplicates,
  type HashedMember,
  leakageNote,
  usableImages,
} from './check-images.ts';
export { captionWords, cleanCaption } from './clean.ts';
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
export {
  type DatasetOptions,
  type DatasetSurvey,
  readDataset,
  surveyDataset,
} from './dataset-read.ts';
export { type DatasetFormat, datasetFormats } from './dataset-sources.ts';
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
export { type DatasetReport, type InspectOptions, inspectDataset } from './inspect.ts';
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
