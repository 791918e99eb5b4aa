/** `refcap/weights` without Node: weight files from bytes or by random access, and the number formats. */
export { accessBytes, type RandomAccess } from './bytes.ts';
export { readTorchWeights } from './pickle/read.ts';
export { PickleError } from './pickle/unpickle.ts';
export {
  encodeSafetensors,
  parseSafetensors,
  readSafetensors,
  SafetensorsError,
  type SafetensorsInfo,
  type SafetensorsSource,
} from './safetensors/read.ts';
export {
  convert,
  type FloatDtype,
  fromFloat32,
  toFloat32,
  valueCount,
  type WeightDtype,
  type WeightInfo,
  type WeightSource,
  type WeightTensor,
} from './weight.ts';
