/** Encodes a graph as an ONNX model; weights may stay outside in a file of their own. */
import { InputError } from '../../base/errors.ts';
import { type DType, dtypes } from '../graph/dtype.ts';
import type { Node, Value } from '../graph/graph.ts';
import { topologicalOrder } from '../graph/graph.ts';
import { peakBytes } from '../graph/memory.ts';
import type { Shape } from '../graph/shape.ts';
import { simplify } from '../graph/simplify.ts';
import { countUses, type Fused, fusionOf, type Uses } from './fusions.ts';
import { modelBytes, type OnnxTensor, type OnnxTensorData } from './messages.ts';
import { microsoft, onnxRules } from './rules.ts';
import { OnnxWriter } from './writer.ts';

/** Where a baked-in weight's bytes are: in memory, or in a file beside the model. */
export type WeightBytes =
  | {
      readonly data: Uint8Array;
      /** Nobody else reads the buffer of `data`: it may be let go of once the model is encoded. */
      readonly spare?: true;
    }
  | { readonly location: string; readonly offset: number; readonly length: number };

/** A weight to bake into the model; its dtype may be narrower than the parameter's (f16 for f32). */
export type Weight = WeightBytes & { readonly dtype: DType };

export interface EncodeOptions {
  /** Parameters that this gives bytes for become part of the model; the others stay inputs. */
  readonly weight?: (name: string) => Weight | undefined;
  /**
   * The execution provider that the file is for. For any but 'cpu' (the default), steps that only
   * the CPU has one kernel for are spelled in common ops, so that they do not fall back to the CPU.
   */
  readonly device?: string;
  /** For other programs: ops of the ONNX standard wherever they can say it, none of ONNX Runtime's own. */
  readonly standardOps?: boolean;
}

export interface GraphInput {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
}

export interface EncodedGraph {
  /** The ONNX file. */
  readonly model: Uint8Array;
  /** What must be fed, inputs and parameters alike. */
  readonly inputs: readonly GraphInput[];
  readonly outputs: readonly GraphInput[];
  /** See `peakBytes` in memory.ts. */
  readonly peakBytes: (sizes: ReadonlyMap<string, number>) => number;
}

const opset = 21;
/** protobuf messages end at 2 GB; a little is left for the nodes. */
const largestModel = 2 ** 31 - 2 ** 22;

/**
 * Simplifies the graph that `outputs` reach and encodes it.
 * @throws InputError when baked-in weights would pass protobuf's 2 GB: give them by location then;
 * when a weight's bytes do not fill its shape, or a name stands for two things
 * @throws RangeError when a symbolic size stands in no input's shape by itself
 */
export function encodeOnnx(
  outputs: Readonly<Record<string, Value>>,
  options: EncodeOptions = {},
): EncodedGraph {
  const names = Object.keys(outputs);
  const values = simplify(Object.values(outputs));
  const { device = 'cpu', standardOps = false } = options;
  const writer = new OnnxWriter({ portable: standardOps || device !== 'cpu', standardOps });
  const known = new Map<Value, string>();
  const inputs: GraphInput[] = [];
  const order = topologicalOrder(values);
  for (const node of order) addLeaf(node, writer, known, inputs, options);
  const uses = countUses(order, values);
  for (const node of order) addNode(node, writer, known, uses);
  const taken = new Set([...inputs, ...writer.initializers].map(({ name }) => name));
  const both = names.find((name) => taken.has(name));
  if (both !== undefined)
    throw new InputError(`'${both}' names an input and an output of the graph; rename one`);
  writer.nameOutputs(names.map((name, i) => [known.get(values[i]) ?? '', name]));
  writer.dropUnread(names);
  writer.leavesLast();

  const bytes = writer.initializers.reduce((sum, { data }) => sum + bytesInside(data), 0);
  if (bytes > largestModel)
    throw new InputError(
      `the weights take ${bytes} bytes, more than an ONNX file can hold; keep them in a file beside it`,
    );
  const described = values.map(({ dtype, shape }, i) => ({ name: names[i], dtype, shape }));
  return {
    model: modelBytes({
      irVersion: 10,
      producer: 'refcap',
      opsets: { '': opset, ...(usesVendorOps(writer) && { [microsoft]: 1 }) },
      graphName: 'refcap',
      nodes: writer.nodes,
      initializers: writer.initializers,
      inputs,
      outputs: described,
    }),
    inputs,
    outputs: described,
    peakBytes: (sizes) => peakBytes(values, sizes),
  };
}

/** A file that may use ops of ONNX Runtime says so even where it does not need to. */
function usesVendorOps({ standardOps, nodes }: OnnxWriter): boolean {
  return !standardOps || nodes.some(({ domain }) => domain === microsoft);
}

function addLeaf(
  node: Node,
  writer: OnnxWriter,
  known: Map<Value, string>,
  inputs: GraphInput[],
  options: EncodeOptions,
): void {
  if (node.op === 'constant') {
    const { dtype, shape, data } = node.attributes;
    known.set(node.outputs[0], writer.tensor(dtype, shape, data));
  } else if (node.op === 'parameter' || node.op === 'input') {
    const { name } = node.attributes;
    const { dtype, shape } = node.outputs[0];
    const weight = node.op === 'parameter' ? options.weight?.(name) : undefined;
    if (weight) {
      writer.initializers.push(weightTensor(name, shape, weight));
      const narrow = weight.dtype !== dtype;
      known.set(
        node.outputs[0],
        narrow ? writer.emit('Cast', [name], { to: BigInt(dtypes[dtype].onnx) }) : name,
      );
    } else {
      if (inputs.some((other) => other.name === name))
        throw new InputError(`two inputs of the graph are named '${name}'`);
      inputs.push({ name, dtype, shape });
      writer.addInput(name, shape);
      known.set(node.outputs[0], name);
    }
  }
}

function addNode(node: Node, writer: OnnxWriter, known: Map<Value, string>, uses: Uses): void {
  if (node.op === 'constant' || node.op === 'parameter' || node.op === 'input') return;
  const fused = writer.portable ? undefined : fusionOf(node, uses);
  if (fused) {
    addFused(fused, writer, known);
    return;
  }
  // Each op's rule accepts nodes of that op; the table's type says so, a lookup by a union key cannot.
  const rule = onnxRules[node.op] as (
    w: OnnxWriter,
    inputs: string[],
    node: Node,
  ) => string | string[];
  const result = rule(
    writer,
    node.inputs.map((value) => known.get(value) ?? ''),
    node,
  );
  for (const [i, name] of (Array.isArray(result) ? result : [result]).entries())
    known.set(node.outputs[i], name);
}

/** What it makes superfluous was added before, and is dropped later. */
function addFused(fused: Fused, writer: OnnxWriter, known: Map<Value, string>): void {
  const inputs = fused.inputs.map((value, place) => {
    const name = value ? (known.get(value) ?? '') : '';
    if (place !== fused.widened) return name;
    return writer.emit('Unsqueeze', [name, writer.integers([0, 1])]);
  });
  const names = writer.emitAll(fused.op, inputs, {
    attributes: fused.attributes,
    domain: fused.isVendor ? microsoft : '',
    outputs: fused.outputs.map((value) => value !== undefined),
  });
  for (const [place, value] of fused.outputs.entries()) if (value) known.set(value, names[place]);
}

function bytesInside(data: OnnxTensorData): number {
  return 'bytes' in data ? data.bytes.length : 0;
}

function weightTensor(name: string, shape: Shape, weight: Weight): OnnxTensor {
  const { dtype } = weight;
  const dims = shape.map(Number);
  const length = 'data' in weight ? weight.data.length : weight.length;
  const needed = dims.reduce((product, size) => product * size, dtypes[dtype].bytes);
  if (length !== needed) throw new InputError(`'${name}' needs ${needed} bytes, not ${length}`);
  if ('data' in weight) return { name, dtype, dims, data: { bytes: weight.data } };
  const { location, offset } = weight;
  return { name, dtype, dims, data: { location, offset, length } };
}
