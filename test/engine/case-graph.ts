/** Graphs around one op: its cases as nodes, and the scalar that gradients are taken of. */
import { isFloat } from '../../src/engine/graph/dtype.ts';
import { constant, input, makeNode, type Value } from '../../src/engine/graph/graph.ts';
import type { OpAttributes, OpName } from '../../src/engine/graph/op-names.ts';
import { add, cast, mul, reduceSum } from '../../src/engine/graph/ops.ts';
import type { Case } from './cases.ts';
import { count, type Dense, fill } from './dense.ts';

export interface CaseGraph {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly feeds: Readonly<Record<string, Dense>>;
}

/** The op applied to inputs named x0, x1, ... (or another prefix) of the case's shapes. */
export function buildCase<Op extends OpName>(op: Op, one: Case<Op>, prefix = 'x'): CaseGraph {
  const inputs = one.inputs.map((x, i) => input(`${prefix}${i}`, x.dtype, x.shape));
  const { outputs } = makeNode(op, inputs, one.attributes, buildCase);
  const feeds: Record<string, Dense> = {};
  for (const [i, x] of one.inputs.entries()) feeds[`${prefix}${i}`] = x;
  if (op === 'input' || op === 'parameter') {
    const { name, dtype, shape } = one.attributes as OpAttributes['parameter'];
    let next = 0;
    feeds[name] = fill(dtype, shape, () => weight(next++));
  }
  return { inputs, outputs, feeds };
}

/** Fixed numbers without pattern, exact in every float dtype. */
export function weight(i: number): number {
  return (((i * 7) % 11) - 5) / 4 + 0.125;
}

/** The sum of all float outputs, each element times a fixed number of its own. */
export function weightedSum(outputs: readonly Value[]): Value {
  const sums = outputs
    .filter((value) => isFloat(value.dtype))
    .map((value, i) => {
      const shape = value.shape.map(Number);
      const weights = Float32Array.from({ length: count(shape) }, (_, at) => weight(at + i));
      return reduceSum(mul(cast(value, 'f32'), constant('f32', shape, weights)));
    });
  return sums.reduce((a, b) => add(a, b));
}
