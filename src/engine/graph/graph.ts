/**
 * The symbolic graph: immutable nodes that point at their inputs. A model is the set of nodes that
 * its outputs reach; nothing else holds them. Every node is checked when it is made.
 */
import { InputError } from '../../base/errors.ts';
import type { DType, TypedArray } from './dtype.ts';
import { infer } from './infer.ts';
import type { OpAttributes, OpName } from './op-names.ts';
import { printShape, type Shape } from './shape.ts';

/** One result of a node: what ops take and give. */
export interface Value {
  readonly node: Node;
  /** Which of the node's outputs this is. */
  readonly output: number;
  readonly dtype: DType;
  readonly shape: Shape;
}

export interface NodeOf<Op extends OpName> {
  readonly id: number;
  readonly op: Op;
  readonly inputs: readonly Value[];
  readonly attributes: OpAttributes[Op];
  readonly outputs: readonly Value[];
  /** The rematerialised block that the node was made in, if any (see `checkpoint`). */
  readonly block: number | undefined;
}

/** A node of any op; `node.op` tells which, and narrows `attributes`. */
export type Node = { [Op in OpName]: NodeOf<Op> }[OpName];

/** A graph cannot be built like this; the stack's first line is the model's line. */
export class GraphError extends InputError {
  override readonly name = 'GraphError';
}

let nextId = 0;
let nextBlock = 0;
let currentBlock: number | undefined;

/**
 * Makes a node and checks its inputs.
 * @param caller the public op function, so that the error's stack starts at the line that called it
 * @throws GraphError naming the op and the inputs' dtypes and shapes
 */
export function makeNode<Op extends OpName>(
  op: Op,
  inputs: readonly Value[],
  attributes: OpAttributes[Op],
  caller: (...args: never[]) => unknown,
): NodeOf<Op> {
  let specs: { dtype: DType; shape: Shape }[];
  try {
    specs = infer(op, inputs, attributes);
  } catch (error) {
    const shapes = inputs.map((v) => `${v.dtype}${printShape(v.shape)}`).join(', ');
    const reason = error instanceof Error ? error.message : String(error);
    const wrapped = new GraphError(`${op}(${shapes}): ${reason}`);
    Error.captureStackTrace?.(wrapped, caller);
    throw wrapped;
  }
  const outputs: Value[] = [];
  const node: NodeOf<Op> = { id: nextId++, op, inputs, attributes, outputs, block: currentBlock };
  // A node of a known op is one of the union's members; TypeScript cannot see that through the type parameter.
  for (const [output, { dtype, shape }] of specs.entries())
    outputs.push({ node: node as unknown as Node, output, dtype, shape });
  return node;
}

/** The first (or only) output of a new node. */
export function make<Op extends OpName>(
  op: Op,
  inputs: readonly Value[],
  attributes: OpAttributes[Op],
  caller: (...args: never[]) => unknown,
): Value {
  return makeNode(op, inputs, attributes, caller).outputs[0];
}

/**
 * A value fed at each run. Dimensions may be names: `input('ids', 'i32', ['batch', 'length'])`.
 * @throws GraphError when a dimension is no whole number of at least 0 and no name
 */
export function input(name: string, dtype: DType, shape: Shape): Value {
  return make('input', [], { name, dtype, shape }, input);
}

/** A weight, known by its name in the parameter store; fed at each run, or baked into the file. @throws as `input` */
export function parameter(name: string, shape: readonly number[], dtype: DType = 'f32'): Value {
  return make('parameter', [], { name, dtype, shape }, parameter);
}

/** A constant tensor. @throws GraphError when the data do not fill the shape */
export function constant(dtype: DType, shape: readonly number[], data: TypedArray): Value {
  return make('constant', [], { dtype, shape, data }, constant);
}

/**
 * Builds a block whose inner values are not kept for the backward pass but computed again there:
 * less memory for about a third more time. Values that leave the block are kept.
 */
export function checkpoint<T>(build: () => T): T {
  const outer = currentBlock;
  currentBlock = nextBlock++;
  try {
    return build();
  } finally {
    currentBlock = outer;
  }
}

/** All nodes that `outputs` reach, inputs before users, in the order of making where that is free. */
export function topologicalOrder(outputs: readonly Value[]): Node[] {
  const seen = new Set<Node>();
  const stack = outputs.map((value) => value.node);
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    for (const value of node.inputs) stack.push(value.node);
  }
  // A node is made after its inputs, so the order of making is a topological one.
  return [...seen].sort((a, b) => a.id - b.id);
}

/** Names of the parameters that these values depend on, in topological order. */
export function parametersOf(values: readonly Value[]): string[] {
  return topologicalOrder(values).flatMap(({ op, attributes }) =>
    op === 'parameter' ? [attributes.name] : [],
  );
}
