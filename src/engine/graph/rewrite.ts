/** The same graph with other values in the place of some. */
import { make, type Node, topologicalOrder, type Value } from './graph.ts';

/**
 * Rebuilds what `outputs` reach.
 * @param replace what a node's outputs become, seen with its inputs as they now are; undefined: they stay as they are
 */
export function rewrite(
  outputs: Readonly<Record<string, Value>>,
  replace: (node: Node, inputs: readonly Value[]) => readonly Value[] | undefined,
): Record<string, Value> {
  const replaced = new Map<Node, readonly Value[]>();
  const now = (value: Value): Value => replaced.get(value.node)?.[value.output] ?? value;
  for (const node of topologicalOrder(Object.values(outputs))) {
    const inputs = node.inputs.map(now);
    const values = replace(node, inputs);
    if (values) replaced.set(node, values);
    else if (inputs.some((value, i) => value !== node.inputs[i]))
      replaced.set(node, make(node.op, inputs, node.attributes, rewrite).node.outputs);
  }
  return Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, now(value)]));
}
