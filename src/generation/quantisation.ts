/** Products with weights of 8 or 4 bits: weights rounded per output column, or in blocks along it. */
import { type Node, parameter, type Value } from '../engine/graph/graph.ts';
import { blockQuantizedMatmul, dynamicQuantizeMatmul, transpose } from '../engine/graph/ops.ts';
import { rewrite } from '../engine/graph/rewrite.ts';

/** Columns that share a scale in 4-bit weights. */
export const blockSize = 32;

/**
 * Columns that share a scale in 8-bit weights in blocks: the more, the faster; undefined where none of the sizes that
 * ONNX Runtime's kernels have comes out even.
 */
export function byteBlock(columns: number): number | undefined {
  return [256, 128, 64, 32].find((size) => columns % size === 0);
}

/** Rows whose bytes lie beside each other in a cache line of their transpose. */
const lineRows = 64;

/** A weight [out, in], or some of its rows, that a product reads. */
export interface ProductWeight {
  /** The parameter it is made from. */
  readonly source: string;
  /** First row of the source and number of rows. */
  readonly start: number;
  readonly rows: number;
  readonly columns: number;
}

/**
 * Rows of a weight [out, in] that became an i8 matrix [in, out] and a scale for each column, or the same as it is stored,
 * [out, in], which the runtime turns round, or numbers of 8 or 4 bits [out, blocks, bytes] and a scale for each block.
 */
export interface QuantizedWeight extends ProductWeight {
  readonly kind: 'int8' | 'int8-rows' | 'int8-blocks' | 'int4';
  /** Names of the two parameters that take its place. */
  readonly matrix: string;
  readonly scale: string;
}

/** A graph whose products with weights are of few bits, and the weights that it now needs. */
export interface QuantizedGraph {
  readonly outputs: Record<string, Value>;
  readonly weights: readonly QuantizedWeight[];
}

/**
 * Puts such products in place of every x W' whose W is a parameter, or a part of one by `split`.
 * @param kindOf bits of a product, undefined where it stays as it is. Default: 8 for all
 */
export function quantizeGraph(
  outputs: Readonly<Record<string, Value>>,
  kindOf: (weight: ProductWeight) => QuantizedWeight['kind'] | undefined = () => 'int8',
): QuantizedGraph {
  const weights = new Map<string, QuantizedWeight>();
  const quantized = rewrite(outputs, (node, [x]) => {
    const product = weightOf(node);
    const kind = product && kindOf(product);
    if (!kind) return undefined;
    const name = `${product.source}[${product.start}]`;
    const weight = { ...product, kind, matrix: `${name}.${kind}`, scale: `${name}.scale` };
    weights.set(weight.matrix, weight);
    return [productOf(x, weight)];
  });
  return { outputs: quantized, weights: [...weights.values()] };
}

function productOf(x: Value, { kind, matrix, scale, rows, columns }: QuantizedWeight): Value {
  switch (kind) {
    case 'int8':
      return dynamicQuantizeMatmul(
        x,
        parameter(matrix, [columns, rows], 'i8'),
        parameter(scale, [rows]),
      );
    case 'int8-rows': {
      const stored = parameter(matrix, [rows, columns], 'i8');
      return dynamicQuantizeMatmul(x, transpose(stored), parameter(scale, [rows]));
    }
    case 'int8-blocks': {
      const block = byteBlock(columns) ?? columns;
      const blocks = columns / block;
      const bytes = parameter(matrix, [rows, blocks, block], 'u8');
      return blockQuantizedMatmul(x, bytes, parameter(scale, [rows * blocks]), block, true);
    }
    case 'int4': {
      const blocks = Math.ceil(columns / blockSize);
      const bytes = parameter(matrix, [rows, blocks, blockSize / 2], 'u8');
      return blockQuantizedMatmul(x, bytes, parameter(scale, [rows * blocks]), blockSize);
    }
  }
}

function weightOf(node: Node): ProductWeight | undefined {
  if (node.op !== 'matmul') return undefined;
  const { transA, transB, alpha } = node.attributes;
  const right = node.inputs[1];
  if (transA || !transB || alpha !== 1 || right.shape.length !== 2) return undefined;
  const [rows, columns] = right.shape.map(Number);
  const from = right.node;
  if (from.op === 'parameter') return { source: from.attributes.name, start: 0, rows, columns };
  if (from.op !== 'split' || from.attributes.axis !== 0) return undefined;
  const whole = from.inputs[0].node;
  if (whole.op !== 'parameter') return undefined;
  const start = from.attributes.sizes.slice(0, right.output).reduce((sum, size) => sum + size, 0);
  return { source: whole.attributes.name, start, rows, columns };
}

/**
 * Rounds `rows` rows of `values` [.., columns] from `start` on to whole numbers in [-limit, limit].
 * @returns the matrix [rows, columns] and each row's scale
 */
export function roundRows(
  values: Float32Array,
  { start, rows, columns }: Omit<ProductWeight, 'source'>,
  limit: number,
): { matrix: Int8Array; scale: Float32Array } {
  const matrix = new Int8Array(rows * columns);
  const scale = new Float32Array(rows);
  // The inverse as f32, by which weights have always been rounded.
  const inverse = new Float32Array(1);
  for (let row = 0; row < rows; row++) {
    const [from, to] = [(start + row) * columns, row * columns];
    let largest = 0;
    for (let i = 0; i < columns; i++) {
      const size = Math.abs(values[from + i]);
      if (size > largest) largest = size;
    }
    scale[row] = largest > 0 ? largest / limit : 1;
    inverse[0] = 1 / scale[row];
    const factor = inverse[0];
    for (let i = 0; i < columns; i++) {
      const exact = values[from + i] * factor;
      // Halves away from zero; the conversion to i8 cuts the fraction off.
      matrix[to + i] = exact < 0 ? exact - 0.5 : exact + 0.5;
    }
  }
  return { matrix, scale };
}

/** `roundRows`, the matrix transposed to [columns, rows]. */
export function quantizeRows(
  values: Float32Array,
  weight: Omit<ProductWeight, 'source'>,
  limit: number,
): { matrix: Int8Array; scale: Float32Array } {
  const { matrix, scale } = roundRows(values, weight, limit);
  return { matrix: transposed(matrix, weight.rows, weight.columns), scale };
}

/**
 * Whether all of `values` are of 7 bits, so from -64 to 63. (One by one would be felt with millions of them: of four at a
 * time bits 6 and 7 must be the same.)
 */
export function areSevenBits(values: Int8Array): boolean {
  const { buffer, byteOffset, length } = values.byteOffset % 4 === 0 ? values : values.slice();
  const words = new Int32Array(buffer, byteOffset, length >> 2);
  let differing = 0;
  for (let i = 0; i < words.length; i++) differing |= words[i] ^ (words[i] << 1);
  for (let i = words.length * 4; i < length; i++) differing |= values[i] ^ (values[i] << 1);
  return (differing & 0x80808080) === 0;
}

/** [rows, columns] -> [columns, rows]. */
export function transposed(matrix: Int8Array, rows: number, columns: number): Int8Array {
  const result = new Int8Array(matrix.length);
  for (let first = 0; first < rows; first += lineRows) {
    const end = Math.min(rows, first + lineRows);
    for (let column = 0; column < columns; column++)
      for (let row = first; row < end; row++)
        result[column * rows + row] = matrix[row * columns + column];
  }
  return result;
}

/**
 * Rounds rows of `values` [.., columns] to 16 steps in blocks of `blockSize` columns; the largest of a block, with its
 * sign, is one end of the steps.
 * @returns bytes [rows, blocks, blockSize / 2] as `blockQuantizedMatmul` reads them, and each block's scale
 */
export function quantizeBlocks(
  values: Float32Array,
  { start, rows, columns }: Omit<ProductWeight, 'source'>,
): { matrix: Uint8Array; scale: Float32Array } {
  const blocks = Math.ceil(columns / blockSize);
  const matrix = new Uint8Array((rows * blocks * blockSize) / 2).fill(0x88);
  const scale = new Float32Array(rows * blocks);
  for (let i = 0; i < scale.length; i++) {
    const from = (start + Math.floor(i / blocks)) * columns + (i % blocks) * blockSize;
    const count = Math.min(blockSize, columns - (i % blocks) * blockSize);
    const largest = values
      .subarray(from, from + count)
      .reduce((most, x) => (Math.abs(x) > Math.abs(most) ? x : most), 0);
    scale[i] = largest === 0 ? 1 : largest / -8;
    for (let k = 0; k < count; k++) {
      const step = Math.min(15, Math.max(0, Math.round(values[from + k] / scale[i]) + 8));
      const at = (i * blockSize + k) >> 1;
      matrix[at] = k % 2 === 0 ? (matrix[at] & 0xf0) | step : (matrix[at] & 0x0f) | (step << 4);
    }
  }
  return { matrix, scale };
}

/**
 * Rounds rows of `values` [.., columns] to whole numbers from -127 to 127 in blocks of `byteBlock(columns)` columns.
 * @returns bytes [rows, blocks, block] as `blockQuantizedMatmul` reads them, and each block's scale
 */
export function quantizeByteBlocks(
  values: Float32Array,
  { start, rows, columns }: Omit<ProductWeight, 'source'>,
): { matrix: Uint8Array; scale: Float32Array } {
  const block = byteBlock(columns) ?? columns;
  const matrix = new Uint8Array(rows * columns);
  const scale = new Float32Array(matrix.length / block);
  const from = start * columns;
  for (let i = 0; i < scale.length; i++) {
    const [first, end] = [i * block, (i + 1) * block];
    let most = 0;
    for (let k = first; k < end; k++) {
      const size = Math.abs(values[from + k]);
      if (size > most) most = size;
    }
    scale[i] = most > 0 ? most / 127 : 1;
    const inverse = 1 / scale[i];
    // The conversion to u8 cuts the fraction off, so that halves go up.
    for (let k = first; k < end; k++) matrix[k] = values[from + k] * inverse + 128.5;
  }
  return { matrix, scale };
}

/** Whole numbers of rows that are rounded already, and their scales, as `quantizeByteBlocks` gives them. */
export function byteBlocksOf(
  values: Int8Array,
  scales: Float32Array,
  columns: number,
): { matrix: Uint8Array; scale: Float32Array } {
  const matrix = new Uint8Array(values.buffer, values.byteOffset, values.length).slice();
  // 128 more, several at a time: the topmost bit of each is the other way round.
  const words = new Uint32Array(matrix.buffer, 0, matrix.length >> 2);
  for (let i = 0; i < words.length; i++) words[i] ^= 0x80808080;
  for (let i = words.length * 4; i < matrix.length; i++) matrix[i] ^= 0x80;
  const blocks = columns / (byteBlock(columns) ?? columns);
  const scale = new Float32Array(scales.length * blocks);
  for (const [row, value] of scales.entries()) scale.fill(value, row * blocks, (row + 1) * blocks);
  return { matrix, scale };
}
