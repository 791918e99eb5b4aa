/**
 * Reverse-mode differentiation, graph to graph: the gradients are new nodes made of the forward ops,
 * so they print, simplify, encode and differentiate again like any others.
 */
import { isFloat } from './dtype.ts';
import { gradientRules } from './gradient-rules.ts';
import { GraphError, make, type Node, type Value } from './graph.ts';
import { add, cast, full, mul, reshape, slice } from './ops.ts';
import { printShape, sameShape } from './shape.ts';

/**
 * The gradients of `output` with respect to `targets` (inputs, parameters or inner values), each of
 * its target's shape; zeros where the output does not depend on the target.
 * @param seed the gradient of `output` itself; without it, output must be a scalar and 1 is taken
 * @throws GraphError for an output that is no float scalar and has no seed, or a path through an op
 * that has no gradient
 */
export function gradients(output: Value, targets: readonly Value[], seed?: Value): Value[] {
  checkSeed(output, seed);
  const order = nodesBetween(output, targets);
  const gradientOf = new Map<Value, Value>([[output, seed ?? full([], 1, output.dtype)]]);
  const replay = createReplay(order);

  for (const node of order.toReversed()) {
    const outputGradients = node.outputs.map((value) => gradientOf.get(value));
    const incoming = outputGradients.find((value) => value !== undefined);
    if (incoming === undefined) continue;
    const results = applyRule(node, replay(node, incoming), outputGradients);
    for (const [i, result] of results.entries()) {
      const target = node.inputs[i];
      if (!result || !isFloat(target.dtype)) continue;
      if (!sameShape(result.shape, target.shape))
        throw new Error(
          `the gradient rule of ${node.op} gives [${result.shape}] for [${target.shape}]`,
        );
      const before = gradientOf.get(target);
      gradientOf.set(target, before ? add(before, result) : result);
    }
  }
  return targets.map((target) => gradientOf.get(target) ?? zerosLike(target));
}

function checkSeed(output: Value, seed: Value | undefined): void {
  const type = `${output.dtype}${printShape(output.shape)}`;
  let reason: string | undefined;
  if (!isFloat(output.dtype)) reason = `needs floating point, not ${type}`;
  else if (!seed && output.shape.length > 0) reason = `needs a scalar or a seed, not ${type}`;
  else if (seed && (seed.dtype !== output.dtype || !sameShape(seed.shape, output.shape)))
    reason = `the seed is ${seed.dtype}${printShape(seed.shape)}, the output ${type}`;
  if (reason === undefined) return;
  const error = new GraphError(`gradients: ${reason}`);
  Error.captureStackTrace?.(error, gradients);
  throw error;
}

function zerosLike(value: Value): Value {
  return full(value.shape, 0, value.dtype);
}

/** Nodes on a path from a target to the output, inputs first. */
function nodesBetween(output: Value, targets: readonly Value[]): Node[] {
  const targetNodes = new Set(targets.map((value) => value.node));
  const targetValues = new Set(targets);
  const depends = new Map<Node, boolean>();
  const order: Node[] = [];
  const stack: { node: Node; entered: boolean }[] = [{ node: output.node, entered: false }];
  for (let top = stack.pop(); top; top = stack.pop()) {
    const { node } = top;
    if (depends.has(node)) continue;
    if (!top.entered) {
      stack.push({ node, entered: true });
      for (const value of node.inputs)
        if (!depends.has(value.node)) stack.push({ node: value.node, entered: false });
      continue;
    }
    const active =
      node.op !== 'stopGradient' &&
      node.inputs.some(
        // Gradients travel through floats alone: an index made of a target does not depend on it.
        (value) =>
          isFloat(value.dtype) && (targetValues.has(value) || depends.get(value.node) === true),
      );
    depends.set(node, active || targetNodes.has(node));
    if (active) order.push(node);
  }
  return order.sort((a, b) => a.id - b.id);
}

function applyRule(
  node: Node,
  source: Node,
  outputGradients: (Value | undefined)[],
): (Value | undefined)[] {
  // Each op's rule accepts nodes of that op; the table's type says so, a lookup by a union key cannot.
  const rule = gradientRules[node.op] as
    | ((node: Node, ...dy: (Value | undefined)[]) => (Value | undefined)[])
    | null;
  if (rule === null) {
    if (node.outputs.every((value) => !isFloat(value.dtype))) return [];
    throw new GraphError(`gradients: ${node.op} has no gradient; wrap its input in stopGradient`);
  }
  return rule(source, ...outputGradients);
}

/**
 * Gives, for a node in a rematerialised block, its copy made from the block's inputs. The copies
 * depend on the incoming gradient, so that the runtime can neither merge them with the originals
 * nor compute them before they are needed.
 */
function createReplay(order: readonly Node[]): (node: Node, incoming: Value) => Node {
  const members = new Map<number, Node[]>();
  const memberSet = new Set<Node>();
  for (const top of order) {
    if (top.block === undefined) continue;
    const stack: Node[] = [top];
    for (let node = stack.pop(); node; node = stack.pop()) {
      if (node.block !== top.block || memberSet.has(node)) continue;
      memberSet.add(node);
      const list = members.get(top.block);
      if (list) list.push(node);
      else members.set(top.block, [node]);
      for (const value of node.inputs) stack.push(value.node);
    }
  }
  const copies = new Map<Node, Node>();
  const done = new Set<number>();
  return (node, incoming) => {
    if (node.block === undefined) return node;
    if (!done.has(node.block)) {
      done.add(node.block);
      const block = (members.get(node.block) ?? []).sort((a, b) => a.id - b.id);
      copyBlock(block, incoming, copies);
    }
    return copies.get(node) ?? node;
  };
}

function copyBlock(block: readonly Node[], incoming: Value, copies: Map<Node, Node>): void {
  const first = incoming.shape.reduce<Value>((v, _, axis) => slice(v, axis, 0, 1), incoming);
  const nothing = mul(reshape(first, []), 0);
  const held = new Map<Value, Value>();
  const replace = (value: Value): Value => {
    const copy = copies.get(value.node);
    if (copy && value.node.block === block[0].block) return copy.outputs[value.output];
    if (!isFloat(value.dtype) || isFixed(value.node)) return value;
    const known = held.get(value);
    if (known) return known;
    const delayed = add(value, cast(nothing, value.dtype));
    held.set(value, delayed);
    return delayed;
  };
  for (const node of block) {
    const value = make(node.op, node.inputs.map(replace), node.attributes, copyBlock);
    copies.set(node, value.node);
  }
}

/** Weights and constants are there all the time: delaying them would only copy them. */
function isFixed(node: Node): boolean {
  return node.inputs.length === 0 && node.op !== 'input';
}
