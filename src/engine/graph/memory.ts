/** How much memory a graph's values take while it runs, told before it runs. */
import { dtypes } from './dtype.ts';
import { type Node, topologicalOrder, type Value } from './graph.ts';
import { evaluateDim, sizeOf } from './shape.ts';

/** Ops whose result is their input's memory under another shape. */
const views = new Set<Node['op']>(['reshape', 'stopGradient']);

/**
 * The most bytes that values between inputs and outputs take at one time, outputs included, when
 * each is freed after its last reader. Inputs and parameters belong to the caller and do not count.
 * An estimate: kernels' own scratch space and gaps between blocks come on top, results computed in
 * place come off.
 * @param sizes the numbers that symbolic dimensions stand for
 * @throws RangeError naming a size that is not among them
 */
export function peakBytes(outputs: readonly Value[], sizes: ReadonlyMap<string, number>): number {
  const order = topologicalOrder(outputs);
  const owner = (value: Value): Value =>
    views.has(value.node.op) ? owner(value.node.inputs[0]) : value;
  const lastReader = new Map<Value, Node>();
  for (const node of order) for (const value of node.inputs) lastReader.set(owner(value), node);
  const kept = new Set(outputs.map(owner));
  const bytesOf = (value: Value): number =>
    evaluateDim(sizeOf(value.shape), sizes) * dtypes[value.dtype].bytes;

  let live = 0;
  let peak = 0;
  for (const node of order) {
    if (node.op === 'input' || node.op === 'parameter' || node.op === 'constant') continue;
    if (!views.has(node.op)) for (const value of node.outputs) live += bytesOf(value);
    peak = Math.max(peak, live);
    const done = new Set([...node.inputs.map(owner), ...(views.has(node.op) ? [] : node.outputs)]);
    for (const value of done) {
      const isCallers =
        value.node.inputs.length === 0 && value.node.op !== 'full' && value.node.op !== 'iota';
      const reader = lastReader.get(value);
      if (!isCallers && !kept.has(value) && (reader === undefined || reader === node))
        live -= bytesOf(value);
    }
  }
  return peak;
}
