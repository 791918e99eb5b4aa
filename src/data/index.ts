/** `refcap/data`: pictures, text tokenizers, captioned datasets. */
export * from './browser.ts';

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
export {
  type DecodedImage,
  decodeImage,
  defaultMaxBytes,
  defaultMaxPixels,
} from './images/decode.ts';
export { type ImageFolder, listImages } from './images/folder.ts';
export { type ImageFormat, imageExtensions } from './images/formats.ts';
export type { DecodeOptions } from './images/rgb.ts';
export { type PackFormat, packFormats } from './pack/formats.ts';
export type { PackManifest } from './pack/manifest.ts';
export { type Packed, type PackOptions, packDataset } from './pack/pack.ts';
export { expandShards } from './shards/expand.ts';
export { readShards } from './shards/open.ts';
export type { SampleOptions, ShardFault, ShardItem, ShardSample } from './shards/shard.ts';
export type { StoreOptions } from './shards/store/requests.ts';
export { loadTextTokenizer } from './text/load.ts';
export {
  makeVocabulary,
  type Vocabulary,
  type VocabularyOptions,
  writeVocabulary,
} from './text/vocabulary.ts';
