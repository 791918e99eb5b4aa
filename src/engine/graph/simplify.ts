/**
 * Rewrites a graph before it is encoded: equal nodes become one, and steps that gradients leave
 * behind vanish. What ONNX Runtime does itself (constant folding, kernel fusions) is left to it.
 */
import { make, type Node, topologicalOrder, type Value } from './graph.ts';
import { reshape, transpose } from './ops.ts';
import { broadcast, sameShape } from './shape.ts';

/** Values computing the same as `outputs` with fewer nodes, in the same order. */
export function simplify(outputs: readonly Value[]): Value[] {
  const replaced = new Map<Node, readonly Value[]>();
  const known = new Map<string, readonly Value[]>();
  const now = (value: Value): Value => {
    const values = replaced.get(value.node);
    return values ? values[value.output] : value;
  };
  for (const node of topologicalOrder(outputs)) {
    const inputs = node.inputs.map(now);
    const changed = inputs.some((value, i) => value !== node.inputs[i]);
    const current = changed ? make(node.op, inputs, node.attributes, simplify).node : node;
    const shorter = rewrite(current);
    if (shorter) {
      replaced.set(node, [shorter]);
      continue;
    }
    const key = keyOf(current);
    const twin = key === undefined ? undefined : known.get(key);
    if (twin) replaced.set(node, twin);
    else {
      if (key !== undefined) known.set(key, current.outputs);
      if (current !== node) replaced.set(node, current.outputs);
    }
  }
  return outputs.map(now);
}

/** Nodes with the same key compute the same. Large constants are told apart by identity alone. */
function keyOf(node: Node): string | undefined {
  const inputs = node.inputs.map((value) => `${value.node.id}.${value.output}`).join(',');
  if (node.op === 'constant') {
    const { dtype, shape, data } = node.attributes;
    return data.length > 16 ? undefined : `constant ${dtype} ${shape} ${spell(data)}`;
  }
  // JSON knows neither infinities nor -0.
  const attributes = JSON.stringify(node.attributes, (_, value) =>
    typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))
      ? `number ${Object.is(value, -0) ? '-0' : value}`
      : value,
  );
  return `${node.op} ${inputs} ${attributes}`;
}

function spell(data: ArrayLike<number | bigint>): string {
  return Array.from(data, (x) => (Object.is(x, -0) ? '-0' : String(x))).join(',');
}

const broadcasting = new Set<Node['op']>([
  'add',
  'sub',
  'mul',
  'div',
  'pow',
  'minimum',
  'maximum',
  'equal',
  'less',
  'lessOrEqual',
  'greater',
  'greaterOrEqual',
  'and',
  'or',
  'where',
  'bitwiseAnd',
  'bitwiseXor',
]);

/** A shorter value equal to the node's, or undefined. */
function rewrite(node: Node): Value | undefined {
  const [x] = node.inputs;
  switch (node.op) {
    case 'stopGradient':
      return x;
    case 'reshape':
      if (x.node.op === 'reshape') return reshape(x.node.inputs[0], node.attributes.shape);
      return sameShape(x.shape, node.attributes.shape) ? x : undefined;
    case 'transpose':
      return rewriteTranspose(x, node.attributes.permutation);
    case 'expand':
      return sameShape(x.shape, node.attributes.shape) ? x : undefined;
    case 'slice':
      return sameShape(x.shape, node.outputs[0].shape) ? x : undefined;
    case 'add':
      return withoutNeutral(node, 0) ?? intoScatter(node) ?? withoutExpand(node);
    case 'mul':
      return withoutNeutral(node, 1) ?? withoutExpand(node);
    default:
      return broadcasting.has(node.op) ? withoutExpand(node) : undefined;
  }
}

function rewriteTranspose(x: Value, permutation: readonly number[]): Value | undefined {
  if (permutation.every((axis, i) => axis === i)) return x;
  if (x.node.op !== 'transpose') return undefined;
  const inner = x.node.attributes.permutation;
  const both = permutation.map((axis) => inner[axis]);
  const source = x.node.inputs[0];
  return both.every((axis, i) => axis === i) ? source : transpose(source, both);
}

/** x + 0 and x * 1, which gradients begin with. */
function withoutNeutral(node: Node, neutral: number): Value | undefined {
  const [a, b] = node.inputs;
  for (const [kept, other] of [
    [a, b],
    [b, a],
  ]) {
    const isNeutral = other.node.op === 'full' && other.node.attributes.value === neutral;
    if (isNeutral && sameShape(kept.shape, node.outputs[0].shape)) return kept;
  }
  return undefined;
}

/** a + scatterAdd(0, i, u) = scatterAdd(a, i, u): tied embeddings need no second table of gradients. */
function intoScatter(node: Node): Value | undefined {
  const [a, b] = node.inputs;
  for (const [base, other] of [
    [a, b],
    [b, a],
  ]) {
    const scatter = other.node;
    if (scatter.op !== 'scatterAddElements' || !sameShape(base.shape, other.shape)) continue;
    const [zeros, indices, updates] = scatter.inputs;
    if (zeros.node.op === 'full' && zeros.node.attributes.value === 0)
      return make('scatterAddElements', [base, indices, updates], scatter.attributes, intoScatter);
  }
  return undefined;
}

/** Element-wise ops broadcast by themselves: an expanded input need not be written out. */
function withoutExpand(node: Node): Value | undefined {
  if (!node.inputs.some((value) => value.node.op === 'expand')) return undefined;
  const shape = node.outputs[0].shape;
  const inputs = [...node.inputs];
  let changed = false;
  for (const [i, value] of inputs.entries()) {
    if (value.node.op !== 'expand') continue;
    const candidate = inputs.with(i, value.node.inputs[0]);
    const result = candidate.reduce<Value['shape'] | undefined>(
      (s, v) => s && broadcast(s, v.shape),
      [],
    );
    if (!result || !sameShape(result, shape)) continue;
    inputs[i] = value.node.inputs[0];
    changed = true;
  }
  return changed ? make(node.op, inputs, node.attributes, withoutExpand) : undefined;
}
