/** Weight files: safetensors and torch's pickles, read lazily, written whole. */
export { openWeights } from './open.ts';
export {
  encodeSafetensors,
  parseSafetensors,
  SafetensorsError,
} from './safetensors/read.ts';
export { writeSafetensors, writeWeightsFolder } from './safetensors/write.ts';
export {
  convert,
  fromFloat32,
  toFloat32,
  type WeightSource,
  type WeightTensor,
} from './weight.ts';
