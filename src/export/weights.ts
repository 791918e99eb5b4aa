/** The weights of an exported graph: each in the format that was asked for, read when its turn comes. */
import { bytesOf } from '../base/bytes.ts';
import { type DType, dtypes } from '../engine/graph/dtype.ts';
import { type Node, parameter, topologicalOrder, type Value } from '../engine/graph/graph.ts';
import { cast, mul, reshape, transpose } from '../engine/graph/ops.ts';
import { rewrite } from '../engine/graph/rewrite.ts';
import {
  blockSize,
  type ProductWeight,
  type QuantizedWeight,
  quantizeBlocks,
  quantizeGraph,
  quantizeRows,
  roundRows,
} from '../generation/quantisation.ts';
import { isConceptScorer } from '../model/concepts/concepts.ts';
import { fromFloat32 } from '../weights/weight.ts';
import type { ExportDtype } from './names.ts';

/** A weight that will stand in an ONNX file, or beside it. */
export interface PlannedWeight {
  readonly dtype: DType;
  readonly byteLength: number;
  read(): Promise<Uint8Array>;
}

/** A graph and what its parameters are filled with. */
export interface WeightPlan {
  readonly outputs: Readonly<Record<string, Value>>;
  readonly weights: ReadonlyMap<string, PlannedWeight>;
}

/** Reads a parameter's values by its name in the graph. */
export type ReadParameter = (name: string) => Promise<Float32Array>;

/**
 * Plans the parameters that `outputs` reach. int8: products with weights in 8 bits, a scale a column, activations
 * rounded on the fly; other tables and kernels in 8 bits, a scale a row, widened when the file is opened. int4: products in
 * 4 bits, a scale for 32 columns, but for the words' and those of other widths, which are as in int8.
 */
export function planWeights(
  outputs: Readonly<Record<string, Value>>,
  read: ReadParameter,
  dtype: ExportDtype,
): WeightPlan {
  switch (dtype) {
    case 'f32':
    case 'f16':
      return { outputs, weights: floats(outputs, read, dtype) };
    case 'int8':
      return quantized(outputs, read, ({ source }) => (isScorer(source) ? undefined : 'int8'));
    case 'int4':
      return quantized(outputs, read, kindOfFew);
  }
}

type KindOf = (weight: ProductWeight) => Exclude<QuantizedWeight['kind'], 'int8-rows'> | undefined;

/** What scores concepts chooses between them: it stays as it is, in any member. */
export function isScorer(name: string): boolean {
  return isConceptScorer(name.replace(/^member-\d+\./, ''));
}

function kindOfFew({ source, columns }: ProductWeight): ReturnType<KindOf> {
  if (isScorer(source)) return undefined;
  return columns % blockSize === 0 && !source.endsWith('word_embeddings.weight') ? 'int4' : 'int8';
}

/** Every parameter but those of `known`, in a float format. */
function floats(
  outputs: Readonly<Record<string, Value>>,
  read: ReadParameter,
  dtype: 'f32' | 'f16',
  known: ReadonlyMap<string, PlannedWeight> = new Map(),
): Map<string, PlannedWeight> {
  const weights = new Map<string, PlannedWeight>();
  for (const node of topologicalOrder(Object.values(outputs))) {
    if (node.op !== 'parameter') continue;
    const { name } = node.attributes;
    const shape = sizesOf(node);
    weights.set(
      name,
      known.get(name) ?? {
        dtype,
        byteLength: countOf(shape) * dtypes[dtype].bytes,
        read: async () => fromFloat32(await read(name), shape, dtype).data,
      },
    );
  }
  return weights;
}

/**
 * The largest whole number of weights in 8-bit products: of 7 bits, which no processor's kernels saturate (those of x86
 * without VNNI add pairs of u8 x s8 in 16 bits).
 */
export const productLimit = 63;
/** That of tables, which are widened. */
export const tableLimit = 127;

/** Tables with fewer values than this are not worth rounding. */
export const leastValues = 1024;

function quantized(
  outputs: Readonly<Record<string, Value>>,
  read: ReadParameter,
  kindOf: KindOf,
): WeightPlan {
  const products = quantizeGraph(outputs, kindOf);
  const known = new Map<string, PlannedWeight>();
  for (const weight of products.weights) {
    const values = (): Promise<Float32Array> => read(weight.source);
    const { rows, columns, matrix, scale } = weight;
    const round =
      weight.kind === 'int8'
        ? async () => quantizeRows(await values(), weight, productLimit)
        : async () => quantizeBlocks(await values(), weight);
    const perRow = weight.kind === 'int8' ? 1 : Math.ceil(columns / blockSize);
    const parts = roundedParts(round);
    known.set(matrix, {
      dtype: weight.kind === 'int8' ? 'i8' : 'u8',
      byteLength: weight.kind === 'int8' ? rows * columns : (rows * perRow * blockSize) / 2,
      read: parts.matrix,
    });
    known.set(scale, { dtype: 'f32', byteLength: rows * perRow * 4, read: parts.scale });
  }
  const small = rewrite(products.outputs, (node) => {
    if (node.op !== 'parameter' || known.has(node.attributes.name)) return undefined;
    if (isScorer(node.attributes.name)) return undefined;
    const shape = sizesOf(node);
    if (shape.length < 2 || shape[0] === 1 || countOf(shape) < leastValues) return undefined;
    const { name } = node.attributes;
    const same = products.weights.find(
      ({ source, rows, kind }) => source === name && rows === shape[0] && kind === 'int8',
    );
    return [same ? tableOf(same) : roundedTable(name, shape, read, known)];
  });
  return { outputs: small, weights: floats(small, read, 'f32', known) };
}

interface RoundedValues {
  readonly matrix: Int8Array | Uint8Array;
  readonly scale: Float32Array;
}

/**
 * Reads the two parts of a weight that is rounded when the first of them is asked for. The other one is kept until it is
 * asked for, too; after that the weight is rounded again.
 */
export function roundedParts(
  round: () => Promise<RoundedValues>,
): Readonly<Record<keyof RoundedValues, () => Promise<Uint8Array>>> {
  const kept = new Map<keyof RoundedValues, Uint8Array>();
  const part = (wanted: keyof RoundedValues, other: keyof RoundedValues) => async () => {
    const found = kept.get(wanted);
    kept.delete(wanted);
    if (found) return found;
    const values = await round();
    kept.set(other, bytesOf(values[other]));
    return bytesOf(values[wanted]);
  };
  return { matrix: part('matrix', 'scale'), scale: part('scale', 'matrix') };
}

/** The table whose transpose a product reads, such as that of the words. */
function tableOf({ matrix, scale, rows, columns }: QuantizedWeight): Value {
  const wide = cast(parameter(matrix, [columns, rows], 'i8'), 'f32');
  return mul(transpose(wide), reshape(parameter(scale, [rows]), [rows, 1]));
}

/** A parameter as 8-bit rows times their scales; both are constants, which a runtime multiplies once. */
function roundedTable(
  name: string,
  shape: readonly number[],
  read: ReadParameter,
  known: Map<string, PlannedWeight>,
): Value {
  const [rows] = shape;
  const columns = countOf(shape) / rows;
  const round = async () => roundRows(await read(name), { start: 0, rows, columns }, tableLimit);
  const [matrix, scale] = [`${name}.rows`, `${name}.rows.scale`];
  const parts = roundedParts(round);
  known.set(matrix, { dtype: 'i8', byteLength: rows * columns, read: parts.matrix });
  known.set(scale, { dtype: 'f32', byteLength: rows * 4, read: parts.scale });
  const scaleShape = [rows, ...shape.slice(1).map(() => 1)];
  return mul(cast(parameter(matrix, shape, 'i8'), 'f32'), parameter(scale, scaleShape));
}

function sizesOf({ outputs: [{ shape }] }: Node): number[] {
  return shape.map(Number);
}

function countOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
