/** The data room: images, text tokenizers and captioned datasets. */
export { type ImageFormat, imageExtensions } from './formats.ts';
export {
  type DecodedImage,
  type DecodeOptions,
  decodeImage,
  defaultMaxBytes,
  defaultMaxPixels,
  type RgbImage,
} from './image.ts';
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
