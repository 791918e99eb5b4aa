/**
 * Opens a graph of a model with its weights baked in. What is stored in 8 bits goes in as it lies there, and ONNX Runtime
 * turns it round or widens it while it opens the graph: the sums are those of weights that were widened before.
 */
import { bytesOf } from '../base/bytes.ts';
import { parameter, parametersOf, type Value } from '../engine/graph/graph.ts';
import { cast, dequantizeLinear, gather, mul, reshape } from '../engine/graph/ops.ts';
import { rewrite } from '../engine/graph/rewrite.ts';
import type { Weight } from '../engine/onnx/encode.ts';
import { hasFastBlocks, weightLimit } from '../engine/runtime/int8.ts';
import { Session, type SessionOptions } from '../engine/runtime/session.ts';
import type { PretrainedWeights } from '../model/checkpoint/weights.ts';
import { isConceptScorer } from '../model/concepts/concepts.ts';
import { Scope } from '../nn/scope.ts';
import type { RoundedTensor } from '../weights/rounded.ts';
import { elementCount, type WeightInfo } from '../weights/weight.ts';
import {
  areSevenBits,
  byteBlock,
  byteBlocksOf,
  type ProductWeight,
  type QuantizedWeight,
  quantizeByteBlocks,
  quantizeGraph,
  roundRows,
} from './quantisation.ts';

export interface InferenceOptions {
  /** Execution provider by ONNX Runtime's name. Default 'cpu'. */
  readonly device?: string;
  /** Threads of the CPU provider. Default: all cores. */
  readonly threads?: number;
  /** 'int8': 8-bit weights per output column, activations rounded on the fly. Faster, less exact. */
  readonly quantize?: 'int8';
  /** Files in memory, by the names that places of weights give them. */
  readonly files?: NonNullable<SessionOptions['files']>;
  /** Further settings of ONNX Runtime's sessions, by its own keys. */
  readonly extra?: Readonly<Record<string, string>>;
}

/** What is needed of weights to bake them in. */
export type ReadableWeights = Pick<PretrainedWeights, 'tensors' | 'readFloat32'> &
  Partial<Pick<PretrainedWeights, 'rounded'>>;

/** Has ONNX Runtime widen constants once, as it opens a graph, rather than in each run. */
const whole = { 'session.disable_quant_qdq': '1' };

/**
 * How many rows a graph's products have: all places of pictures, or one for each caption, where the time goes into reading
 * the weights.
 */
export type ProductRows = 'many' | 'few';

type Outputs = Readonly<Record<string, Value>>;
type Baked = Map<string, Weight>;

/**
 * Opens a graph of the model with its weights baked in: read by ONNX Runtime from their file where
 * they lie there as f32, f16 or rounded to 8 bits, else from memory; rounded to 8 bits if asked.
 * @param rows of its products, which decide how rounded weights are laid out
 */
export async function openGraph(
  build: (scope: Scope) => Record<string, Value>,
  weights: ReadableWeights,
  options: InferenceOptions = {},
  rows: ProductRows = 'many',
): Promise<Session> {
  const { quantize, ...session } = options;
  const onCpu = (session.device ?? 'cpu') === 'cpu';
  const inBlocks = rows === 'few' && onCpu && hasFastBlocks();
  const baked: Baked = new Map();
  const built = build(new Scope());
  const products =
    quantize === 'int8' ? await bakeProducts(built, weights, baked, inBlocks) : built;
  const outputs = await bakeTables(products, weights, baked, onCpu);
  for (const name of new Set(parametersOf(Object.values(outputs))))
    if (!baked.has(name)) baked.set(name, await weightBytes(weights, name));
  return Session.open(outputs, {
    ...session,
    externalFolder: '.',
    extra: { ...whole, ...session.extra },
    weight: (name) => baked.get(name),
  });
}

/** Products with 8-bit weights: as they are stored where that is exact here, else rounded. */
async function bakeProducts(
  outputs: Outputs,
  weights: ReadableWeights,
  baked: Baked,
  inBlocks: boolean,
): Promise<Outputs> {
  const quantized = quantizeGraph(outputs, ({ source, columns }) => {
    if (isConceptScorer(source)) return undefined;
    if (inBlocks && byteBlock(columns)) return 'int8-blocks';
    return 'int8-rows';
  });
  const limit = weightLimit();
  const readOnce = rememberingLast(weights);
  for (const weight of quantized.weights) {
    const tensor = weights.rounded?.(weight.source);
    const { matrix, scale } =
      weight.kind === 'int8-blocks'
        ? await blocksOf(readOnce, weight)
        : ((tensor && (await storedRows(tensor, weight, limit))) ??
          (await roundedRows(readOnce, weight, limit)));
    baked.set(weight.matrix, matrix);
    baked.set(weight.scale, scale);
  }
  return quantized.outputs;
}

/** The same weights, whose parts that follow one another are read once. */
function rememberingLast(weights: ReadableWeights): ReadableWeights {
  let last: { readonly name: string; readonly values: Float32Array } | undefined;
  return {
    tensors: weights.tensors,
    rounded: (name) => weights.rounded?.(name),
    async readFloat32(name) {
      if (last?.name !== name) last = { name, values: await weights.readFloat32(name) };
      return last.values;
    },
  };
}

/** Numbers that are stored rounded stay the same. */
async function blocksOf(weights: ReadableWeights, weight: QuantizedWeight): Promise<StoredRows> {
  const { source, start, rows, columns } = weight;
  const stored = await weights.rounded?.(source)?.read();
  const { matrix, scale } = stored
    ? byteBlocksOf(
        stored.values.subarray(start * columns, (start + rows) * columns),
        stored.scale.subarray(start, start + rows),
        columns,
      )
    : quantizeByteBlocks(await weights.readFloat32(source), weight);
  return {
    matrix: { dtype: 'u8', data: matrix, spare: true },
    scale: { dtype: 'f32', data: bytesOf(scale) },
  };
}

async function roundedRows(
  weights: ReadableWeights,
  weight: QuantizedWeight,
  limit: number,
): Promise<StoredRows> {
  const { matrix, scale } = roundRows(await weights.readFloat32(weight.source), weight, limit);
  return {
    matrix: { dtype: 'i8', data: bytesOf(matrix), spare: true },
    scale: { dtype: 'f32', data: bytesOf(scale) },
  };
}

/** A rounded tensor, or some of its rows, as a graph takes it. */
interface StoredRows {
  /** i8 [rows, columns]. */
  readonly matrix: Weight;
  /** f32 [rows]. */
  readonly scale: Weight;
}

/** Rows of a stored weight as they lie there; undefined where some are too large for this processor. */
async function storedRows(
  tensor: RoundedTensor,
  { start, rows, columns }: Omit<ProductWeight, 'source'>,
  limit: number,
): Promise<StoredRows | undefined> {
  const [from, count] = [start * columns, rows * columns];
  const places = placesOf(tensor);
  // Where every weight of 8 bits is exact, none need be looked at.
  const isExact = limit === largest;
  if (places && isExact) return placedRows(places, from, count, start, rows);
  const read = await tensor.read();
  const values = read.values.subarray(from, from + count);
  if (!isExact && !areSevenBits(values)) return undefined;
  if (places) return placedRows(places, from, count, start, rows);
  const scale = read.scale.slice(start, start + rows);
  return {
    matrix: { dtype: 'i8', data: bytesOf(values) },
    scale: { dtype: 'f32', data: bytesOf(scale) },
  };
}

/** The largest whole number of 8 bits. */
const largest = 127;

type Place = NonNullable<WeightInfo['location']>;

/** Where both parts of a tensor lie, if in a file as they are read. */
function placesOf({ values, scale }: RoundedTensor): Record<'values' | 'scale', Place> | undefined {
  if (!values.location || !scale.location || scale.dtype !== 'f32') return undefined;
  return { values: values.location, scale: scale.location };
}

function placedRows(
  { values, scale }: Record<'values' | 'scale', Place>,
  from: number,
  count: number,
  start: number,
  rows: number,
): StoredRows {
  return {
    matrix: { dtype: 'i8', location: values.path, offset: values.offset + from, length: count },
    scale: {
      dtype: 'f32',
      location: scale.path,
      offset: scale.offset + start * 4,
      length: rows * 4,
    },
  };
}

/** Rows of whole numbers, and a factor for each. */
interface Table {
  readonly rows: Value;
  readonly scale: Value;
}

/** Other weights that are stored in 8 bits: widened when the graph is opened, or, where rows are looked up, row by row. */
async function bakeTables(
  outputs: Outputs,
  weights: ReadableWeights,
  baked: Baked,
  isGathered: boolean,
): Promise<Outputs> {
  const tables = new Map<string, Table>();
  for (const name of new Set(parametersOf(Object.values(outputs)))) {
    const tensor = baked.has(name) ? undefined : weights.rounded?.(name);
    const shape = weights.tensors.get(name)?.shape;
    if (!tensor || !shape) continue;
    const [rows, scale] = [`${name}[rounded]`, `${name}[scale]`];
    const columns = elementCount(shape) / shape[0];
    const part = { start: 0, rows: shape[0], columns };
    const bytes = await storedRows(tensor, part, largest);
    if (!bytes) continue;
    baked.set(rows, bytes.matrix);
    baked.set(scale, bytes.scale);
    tables.set(name, {
      rows: parameter(rows, shape, 'i8'),
      scale: parameter(scale, [shape[0]]),
    });
  }
  if (tables.size === 0) return outputs;
  const tableOf = ({ node }: Value) =>
    node.op === 'parameter' ? tables.get(node.attributes.name) : undefined;
  return rewrite(outputs, (node, inputs) => {
    if (node.op === 'gather' && node.attributes.axis === 0 && isGathered) {
      const table = tableOf(node.inputs[0]);
      const indices = inputs[1];
      return table && [lookedUp(table, indices)];
    }
    const table = node.op === 'parameter' ? tableOf(node.outputs[0]) : undefined;
    return table && [dequantizeLinear(table.rows, table.scale)];
  });
}

function lookedUp({ rows, scale }: Table, indices: Value): Value {
  const found = cast(gather(rows, indices), 'f32');
  const scales = gather(scale, indices);
  const ones = found.shape.slice(scales.shape.length).map(() => 1);
  return mul(found, reshape(scales, [...scales.shape, ...ones]));
}

async function weightBytes(weights: ReadableWeights, name: string): Promise<Weight> {
  const info = weights.tensors.get(name);
  if (info?.location && (info.dtype === 'f32' || info.dtype === 'f16')) {
    const { path, offset } = info.location;
    return { dtype: info.dtype, location: path, offset, length: info.byteLength };
  }
  return { dtype: 'f32', data: bytesOf(await weights.readFloat32(name)) };
}
