/** Int8 inference: products with a weight become products of 8-bit numbers, weights rounded per output column. */
import { make, type Node, parameter, topologicalOrder, type Value } from '../engine/graph/graph.ts';
import { dynamicQuantizeMatmul } from '../engine/graph/ops.ts';

/** Rows of a weight [out, in] that became an i8 matrix [in, out] and a scale for each column. */
export interface QuantizedWeight {
  /** The parameter it is made from. */
  readonly source: string;
  /** First row of the source and number of rows. */
  readonly start: number;
  readonly rows: number;
  readonly columns: number;
  /** Names of the two parameters that take its place. */
  readonly matrix: string;
  readonly scale: string;
}

/** A graph whose products with weights are 8-bit ones, and the weights that it now needs. */
export interface QuantizedGraph {
  readonly outputs: Record<string, Value>;
  readonly weights: readonly QuantizedWeight[];
}

/**
 * Puts 8-bit products in place of every x W' whose W is a parameter, or a part of one by `split`.
 * @param isExact parameters whose products stay as they are
 */
export function quantizeGraph(
  outputs: Readonly<Record<string, Value>>,
  isExact: (parameter: string) => boolean = () => false,
): QuantizedGraph {
  const replaced = new Map<Node, readonly Value[]>();
  const now = (value: Value): Value => replaced.get(value.node)?.[value.output] ?? value;
  const weights = new Map<string, QuantizedWeight>();
  for (const node of topologicalOrder(Object.values(outputs))) {
    const inputs = node.inputs.map(now);
    const weight = weightOf(node);
    if (weight && !isExact(weight.source)) {
      weights.set(weight.matrix, weight);
      const { rows, columns, matrix, scale } = weight;
      const product = dynamicQuantizeMatmul(
        inputs[0],
        parameter(matrix, [columns, rows], 'i8'),
        parameter(scale, [rows]),
      );
      replaced.set(node, [product]);
    } else if (inputs.some((value, i) => value !== node.inputs[i]))
      replaced.set(node, make(node.op, inputs, node.attributes, quantizeGraph).node.outputs);
  }
  return {
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, now(value)])),
    weights: [...weights.values()],
  };
}

function weightOf(node: Node): QuantizedWeight | undefined {
  if (node.op !== 'matmul') return undefined;
  const { transA, transB, alpha } = node.attributes;
  const right = node.inputs[1];
  if (transA || !transB || alpha !== 1 || right.shape.length !== 2) return undefined;
  const [rows, columns] = right.shape.map(Number);
  const from = right.node;
  const named = (source: string, start: number): QuantizedWeight => {
    const name = `${source}[${start}]`;
    return { source, start, rows, columns, matrix: `${name}.int8`, scale: `${name}.scale` };
  };
  if (from.op === 'parameter') return named(from.attributes.name, 0);
  if (from.op !== 'split' || from.attributes.axis !== 0) return undefined;
  const whole = from.inputs[0].node;
  if (whole.op !== 'parameter') return undefined;
  const start = from.attributes.sizes.slice(0, right.output).reduce((sum, size) => sum + size, 0);
  return named(whole.attributes.name, start);
}

/**
 * Rounds `rows` rows of `values` [.., columns] from `start` on to whole numbers in [-limit, limit].
 * @returns the matrix, transposed to [columns, rows], and each row's scale
 */
export function quantizeRows(
  values: Float32Array,
  { start, rows, columns }: Pick<QuantizedWeight, 'start' | 'rows' | 'columns'>,
  limit: number,
): { matrix: Int8Array; scale: Float32Array } {
  const matrix = new Int8Array(rows * columns);
  const scale = new Float32Array(rows);
  const inverse = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const from = (start + row) * columns;
    let largest = 0;
    for (let i = from; i < from + columns; i++) {
      const size = Math.abs(values[i]);
      if (size > largest) largest = size;
    }
    scale[row] = largest > 0 ? largest / limit : 1;
    inverse[row] = 1 / scale[row];
  }
  // Some rows at a time, so that each column's bytes are written to whole cache lines.
  for (let first = 0; first < rows; first += 64) {
    const end = Math.min(rows, first + 64);
    for (let i = 0; i < columns; i++)
      for (let row = first; row < end; row++) {
        const exact = values[(start + row) * columns + i] * inverse[row];
        // Halves away from zero; the conversion to i8 cuts the fraction off.
        matrix[i * rows + row] = exact < 0 ? exact - 0.5 : exact + 0.5;
      }
  }
  return { matrix, scale };
}
