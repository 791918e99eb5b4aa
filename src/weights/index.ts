/** `refcap/weights`: weight files, safetensors and torch's pickles, read lazily, written whole. */
export * from './browser.ts';
export { openWeights } from './open.ts';
export {
  type LazyWeight,
  type NamedWeights,
  type SafetensorsWriteOptions,
  type WeightsFolderOptions,
  writeSafetensors,
  writeWeightsFolder,
} from './safetensors/write.ts';
