/**
 * `refcap/engine`: symbolic graphs, their gradients, ONNX files of them, and sessions that run them: by
 * onnxruntime-node, or in a browser by onnxruntime-web.
 */
export type { DType, TypedArray } from './graph/dtype.ts';
export { gradients } from './graph/gradient.ts';
export { checkpoint, constant, GraphError, input, parameter, type Value } from './graph/graph.ts';
export * as ops from './graph/ops.ts';
export { printGraph } from './graph/print.ts';
export type { Dim, Shape } from './graph/shape.ts';
export { simplify } from './graph/simplify.ts';
export {
  type EncodedGraph,
  type EncodeOptions,
  encodeOnnx,
  type GraphInput,
  type Weight,
  type WeightBytes,
} from './onnx/encode.ts';
export { DeviceTensor, type Feed, type Feeds } from './runtime/feeds.ts';
export type { SessionOptions } from './runtime/options.ts';
export { readFromDevice } from './runtime/read-device.ts';
export { listDevices, Session } from './runtime/session.ts';
export { float16Tensor, float32Values, type Tensor, tensor } from './runtime/tensor.ts';
