/** The engine: symbolic graphs, gradients, ONNX encoding and sessions. */
export type { DType, TypedArray } from './graph/dtype.ts';
export { gradients } from './graph/gradient.ts';
export { checkpoint, constant, GraphError, input, parameter, type Value } from './graph/graph.ts';
export * as ops from './graph/ops.ts';
export { printGraph } from './graph/print.ts';
export type { Dim, Shape } from './graph/shape.ts';
export { simplify } from './graph/simplify.ts';
export { type EncodedGraph, type EncodeOptions, encodeOnnx, type Weight } from './onnx/encode.ts';
export {
  DeviceTensor,
  listDevices,
  readFromDevice,
  Session,
  type SessionOptions,
} from './runtime/session.ts';
export { type Tensor, tensor, toFloat16, toFloat32 } from './runtime/tensor.ts';
