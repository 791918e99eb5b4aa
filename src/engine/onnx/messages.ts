/** What an ONNX file is made of, as much of onnx.proto as graphs here need, and its bytes. */
import type { DType } from '../graph/dtype.ts';
import { dtypes } from '../graph/dtype.ts';
import type { Shape } from '../graph/shape.ts';
import { joined, MessageWriter, type Parts } from './wire.ts';

/** Attribute values as ONNX knows them; a bigint is an integer, a number a float. */
export type OnnxAttribute = bigint | number | string | readonly bigint[] | OnnxTensor;

export interface OnnxNode {
  readonly opType: string;
  readonly name: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** A tensor's little-endian bytes, or where they are in a file beside the model. */
export type OnnxTensorData =
  | { readonly bytes: Uint8Array }
  | { readonly location: string; readonly offset: number; readonly length: number };

export interface OnnxTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly data: OnnxTensorData;
}

/** An input or output of a graph; a size by a name is known when the graph runs. */
export interface OnnxValue {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
}

export interface OnnxModel {
  readonly irVersion: number;
  readonly producer: string;
  /** Version of each domain's ops; the standard's domain is ''. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly graphName: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

/** Numbers of onnx.proto's fields, by message. */
const fields = {
  model: { irVersion: 1, producerName: 2, graph: 7, opsetImport: 8 },
  opset: { domain: 1, version: 2 },
  graph: { node: 1, name: 2, initializer: 5, input: 11, output: 12 },
  node: { input: 1, output: 2, name: 3, opType: 4, attribute: 5, domain: 7 },
  attribute: { name: 1, f: 2, i: 3, s: 4, t: 5, ints: 8, type: 20 },
  tensor: { dims: 1, dataType: 2, name: 8, rawData: 9, externalData: 13, dataLocation: 14 },
  entry: { key: 1, value: 2 },
  value: { name: 1, type: 2 },
  type: { tensor: 1 },
  tensorType: { elemType: 1, shape: 2 },
  shape: { dim: 1 },
  dimension: { value: 1, param: 2 },
} as const;

/** AttributeProto.AttributeType of onnx.proto. */
const attributeTypes = { float: 1, int: 2, string: 3, tensor: 4, ints: 7 } as const;
/** TensorProto.DataLocation of onnx.proto. */
const external = 1;

/** A model's file; each weight's bytes are copied once. */
export function modelBytes(model: OnnxModel): Uint8Array<ArrayBuffer> {
  const writer = new MessageWriter()
    .integer(fields.model.irVersion, model.irVersion)
    .string(fields.model.producerName, model.producer);
  for (const [domain, version] of Object.entries(model.opsets)) {
    const opset = new MessageWriter();
    if (domain !== '') opset.string(fields.opset.domain, domain);
    writer.message(fields.model.opsetImport, opset.integer(fields.opset.version, version).finish());
  }
  return joined(writer.message(fields.model.graph, graphParts(model)).finish());
}

function graphParts({ graphName, nodes, initializers, inputs, outputs }: OnnxModel): Parts {
  const writer = new MessageWriter();
  for (const node of nodes) writer.message(fields.graph.node, nodeParts(node));
  writer.string(fields.graph.name, graphName);
  for (const value of inputs) writer.message(fields.graph.input, valueParts(value));
  for (const value of outputs) writer.message(fields.graph.output, valueParts(value));
  for (const tensor of initializers) writer.message(fields.graph.initializer, tensorParts(tensor));
  return writer.finish();
}

function nodeParts(node: OnnxNode): Parts {
  const writer = new MessageWriter();
  for (const name of node.inputs) writer.string(fields.node.input, name);
  for (const name of node.outputs) writer.string(fields.node.output, name);
  writer.string(fields.node.name, node.name).string(fields.node.opType, node.opType);
  for (const [name, value] of Object.entries(node.attributes))
    writer.message(fields.node.attribute, attributeParts(name, value));
  if (node.domain !== '') writer.string(fields.node.domain, node.domain);
  return writer.finish();
}

function attributeParts(name: string, value: OnnxAttribute): Parts {
  const { attribute } = fields;
  const writer = new MessageWriter().string(attribute.name, name);
  const typed = (type: keyof typeof attributeTypes): Parts =>
    writer.integer(attribute.type, attributeTypes[type]).finish();
  if (typeof value === 'bigint') {
    writer.integer(attribute.i, value);
    return typed('int');
  }
  if (typeof value === 'number') {
    writer.float(attribute.f, value);
    return typed('float');
  }
  if (typeof value === 'string') {
    writer.string(attribute.s, value);
    return typed('string');
  }
  if (isTensor(value)) {
    writer.message(attribute.t, tensorParts(value));
    return typed('tensor');
  }
  writer.integers(attribute.ints, value);
  return typed('ints');
}

function isTensor(value: readonly bigint[] | OnnxTensor): value is OnnxTensor {
  return !Array.isArray(value);
}

function tensorParts({ name, dtype, dims, data }: OnnxTensor): Parts {
  const { tensor } = fields;
  const writer = new MessageWriter()
    .integers(tensor.dims, dims)
    .integer(tensor.dataType, dtypes[dtype].onnx);
  if (name !== '') writer.string(tensor.name, name);
  if ('bytes' in data) {
    if (data.bytes.length > 0) writer.bytes(tensor.rawData, data.bytes);
    return writer.finish();
  }
  for (const [key, value] of Object.entries(data))
    writer.message(
      tensor.externalData,
      new MessageWriter()
        .string(fields.entry.key, key)
        .string(fields.entry.value, String(value))
        .finish(),
    );
  return writer.integer(tensor.dataLocation, external).finish();
}

function valueParts({ name, dtype, shape }: OnnxValue): Parts {
  const dims = new MessageWriter();
  for (const size of shape)
    dims.message(
      fields.shape.dim,
      (typeof size === 'number'
        ? new MessageWriter().integer(fields.dimension.value, size)
        : new MessageWriter().string(fields.dimension.param, size)
      ).finish(),
    );
  const tensorType = new MessageWriter()
    .integer(fields.tensorType.elemType, dtypes[dtype].onnx)
    .message(fields.tensorType.shape, dims.finish());
  const type = new MessageWriter().message(fields.type.tensor, tensorType.finish());
  return new MessageWriter()
    .string(fields.value.name, name)
    .message(fields.value.type, type.finish())
    .finish();
}
