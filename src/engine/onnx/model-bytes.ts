/** A model's file, into which each weight's bytes are copied once: protobuf's own writer moves them with every level. */
import { create, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import {
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type TensorProto,
  TensorProtoSchema,
} from 'onnx-buf';

/** The bytes of a model with these initializers beside what its graph has. */
export function modelBytes(model: ModelProto, initializers: readonly TensorProto[]): Uint8Array {
  const { graph, ...rest } = model;
  const tensors = initializers.flatMap(tensorParts);
  const inner = graph ? [toBinary(GraphProtoSchema, graph), ...tensors] : tensors;
  const before = prefix(ModelProtoSchema.field.graph.number, lengthOf(inner));
  return joined([toBinary(ModelProtoSchema, create(ModelProtoSchema, rest)), before, ...inner]);
}

/** An initializer as a field of its graph. */
function tensorParts(tensor: TensorProto): Uint8Array[] {
  const { rawData, $typeName: _, $unknown: __, ...rest } = tensor;
  const head = toBinary(TensorProtoSchema, create(TensorProtoSchema, rest));
  const data =
    rawData.length > 0
      ? [prefix(TensorProtoSchema.field.rawData.number, rawData.length), rawData]
      : [];
  const parts = [head, ...data];
  return [prefix(GraphProtoSchema.field.initializer.number, lengthOf(parts)), ...parts];
}

/** What stands before a field of so many bytes. */
function prefix(field: number, length: number): Uint8Array {
  return new BinaryWriter().tag(field, WireType.LengthDelimited).uint32(length).finish();
}

function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(lengthOf(parts));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
