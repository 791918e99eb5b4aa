/** A graph as readable text, one node a line. */
import { type Node, topologicalOrder, type Value } from './graph.ts';
import { printShape } from './shape.ts';

/** Prints the nodes that the named outputs reach, such as `%2 = add(%0, %1) : f32[batch, 4]`. */
export function printGraph(outputs: Readonly<Record<string, Value>>): string {
  const names = new Map<Node, string>();
  const reference = (value: Value): string => {
    const name = names.get(value.node) ?? '?';
    return value.node.outputs.length > 1 ? `${name}.${value.output}` : name;
  };
  const lines = topologicalOrder(Object.values(outputs)).map((node, i) => {
    names.set(node, `%${i}`);
    const types = node.outputs
      .map((value) => `${value.dtype}${printShape(value.shape)}`)
      .join(', ');
    const inputs = node.inputs.map(reference);
    return `%${i} = ${node.op}(${[...inputs, ...printAttributes(node)].join(', ')}) : ${types}`;
  });
  const results = Object.entries(outputs).map(([name, value]) => `${name}: ${reference(value)}`);
  return [...lines, `return ${results.join(', ')}`].join('\n');
}

function printAttributes(node: Node): string[] {
  if (node.op === 'input' || node.op === 'parameter') return [node.attributes.name];
  if (node.op === 'constant') {
    const { data } = node.attributes;
    return [
      `${Array.from<number | bigint>(data.subarray(0, 4)).join(' ')}${data.length > 4 ? ' ...' : ''}`,
    ];
  }
  return Object.entries(node.attributes).map(
    ([key, value]) => `${key}=${Array.isArray(value) ? `[${value.join(', ')}]` : String(value)}`,
  );
}
