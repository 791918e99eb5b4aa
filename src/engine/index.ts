/** The engine: symbolic graphs, gradients, ONNX encoding and sessions. */
export type { DType, TypedArray } from './dtype.ts';
export { gradients } from './gradient.ts';
export { checkpoint, constant, GraphError, input, parameter, type Value } from './graph.ts';
export { type EncodedGraph, type EncodeOptions, encodeOnnx, type Weight } from './onnx.ts';
export * as ops from './ops.ts';
export { printGraph } from './print.ts';
export {
  DeviceTensor,
  listDevices,
  readFromDevice,
  Session,
  type SessionOptions,
} from './session.ts';
export type { Dim, Shape } from './shape.ts';
export { simplify } from './simplify.ts';
export { type Tensor, tensor, toFloat16, toFloat32 } from './tensor.ts';
