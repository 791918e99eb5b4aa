/** Collects ONNX nodes and initializers: the small language that lowering rules are written in. */
import { bytesOf } from '../../base/bytes.ts';
import { f32ToF16Bits } from '../../base/half.ts';
import { type DType, dtypes, type TypedArray } from '../graph/dtype.ts';
import { type Dim, type Shape, termsOf } from '../graph/shape.ts';
import type { OnnxAttribute, OnnxNode, OnnxTensor } from './messages.ts';

export interface EmitOptions {
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
  readonly domain?: string;
  /** Number of outputs, or of each whether it is needed; 1 by default. */
  readonly outputs?: number | readonly boolean[];
}

/** Names values, shares equal constants and computes symbolic sizes when the graph runs. */
export class OnnxWriter {
  #nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  readonly #constants = new Map<string, string>();
  readonly #sizes = new Map<string, string>();
  /** Where each named size can be read: a graph input and its dimension. */
  readonly #symbols = new Map<string, { input: string; axis: number }>();
  /** Whether to keep to ops that every provider has kernels for. */
  readonly portable: boolean;
  /** Whether to keep to the ONNX standard. */
  readonly standardOps: boolean;
  #count = 0;

  constructor({ portable = false, standardOps = false } = {}) {
    this.portable = portable;
    this.standardOps = standardOps;
  }

  get nodes(): readonly OnnxNode[] {
    return this.#nodes;
  }

  /** Tells that the dimensions of a graph input can be read when the graph runs. */
  addInput(name: string, shape: Shape): void {
    for (const [axis, d] of shape.entries())
      if (typeof d === 'string' && !this.#symbols.has(d))
        this.#symbols.set(d, { input: name, axis });
  }

  /** Adds a node and returns the names of its outputs. */
  emitAll(op: string, inputs: readonly string[], options: EmitOptions = {}): string[] {
    const { outputs: wanted = 1 } = options;
    const needed = typeof wanted === 'number' ? Array<boolean>(wanted).fill(true) : wanted;
    const outputs = needed.map((isNeeded) => (isNeeded ? `__v${this.#count++}` : ''));
    this.#nodes.push({
      opType: op,
      name: `${op}_${this.#nodes.length}`,
      domain: options.domain ?? '',
      inputs,
      outputs,
      attributes: options.attributes ?? {},
    });
    return outputs;
  }

  /** Adds a node with one output and returns its name. */
  emit(
    op: string,
    inputs: readonly string[],
    attributes?: EmitOptions['attributes'],
    domain = '',
  ): string {
    return this.emitAll(op, inputs, attributes ? { attributes, domain } : { domain })[0];
  }

  /**
   * Gives values the names of the graph's outputs: by renaming where a value is a node's result, by a
   * copy where it is an input, a constant or another output as well.
   */
  nameOutputs(outputs: readonly (readonly [value: string, name: string])[]): void {
    const made = new Set(this.#nodes.flatMap((node) => node.outputs));
    const renamed = new Map<string, string>();
    for (const [value, name] of outputs) {
      if (made.has(value) && !renamed.has(value)) renamed.set(value, name);
      else this.#copy(value, name);
    }
    const now = (value: string): string => renamed.get(value) ?? value;
    this.#nodes = this.#nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(now),
      outputs: node.outputs.map(now),
    }));
  }

  #copy(value: string, name: string): void {
    const [opType, domain] = ['Identity', ''];
    this.#nodes.push({ opType, name, domain, inputs: [value], outputs: [name], attributes: {} });
  }

  /**
   * Moves the nodes that nobody reads to the end, the first made last. ONNX Runtime walks back from
   * its last leaf first, so a weight's gradient is computed as soon as it can be, and what it reads
   * is freed, instead of after the whole backward pass.
   */
  leavesLast(): void {
    const read = new Set(this.#nodes.flatMap((node) => node.inputs));
    const isLeaf = (node: OnnxNode): boolean => node.outputs.every((name) => !read.has(name));
    const leaves = this.#nodes.filter(isLeaf).reverse();
    this.#nodes = [...this.#nodes.filter((node) => !isLeaf(node)), ...leaves];
  }

  /** Leaves out nodes from which no output of the graph follows. */
  dropUnread(outputs: readonly string[]): void {
    const read = new Set(outputs);
    const kept: OnnxNode[] = [];
    for (const node of this.#nodes.toReversed()) {
      if (!node.outputs.some((name) => name !== '' && read.has(name))) continue;
      for (const name of node.inputs) read.add(name);
      kept.push(node);
    }
    this.#nodes = kept.reverse();
  }

  /** A constant tensor; equal small ones are shared. */
  tensor(dtype: DType, shape: readonly number[], data: TypedArray): string {
    const bytes = bytesOf(data);
    const key = bytes.length <= 256 ? `${dtype}:${shape}:${bytes}` : undefined;
    const known = key === undefined ? undefined : this.#constants.get(key);
    if (known !== undefined) return known;
    const name = `__c${this.initializers.length}`;
    this.initializers.push(rawTensor(name, dtype, shape, bytes));
    if (key !== undefined) this.#constants.set(key, name);
    return name;
  }

  /** A vector of whole numbers (i64), as ONNX wants shapes and axes. */
  integers(values: readonly number[]): string {
    return this.tensor('i64', [values.length], BigInt64Array.from(values, BigInt));
  }

  scalar(dtype: DType, value: number): string {
    const data = dtypes[dtype].create(1);
    if (data instanceof BigInt64Array) data[0] = BigInt(value);
    else data[0] = dtype === 'f16' ? f32ToF16Bits(value) : value;
    return this.tensor(dtype, [], data);
  }

  /** A dimension as an i64 vector of one element: a constant, or computed from the inputs' shapes. */
  size(value: Dim): string {
    if (typeof value === 'number') return this.integers([value]);
    const known = this.#sizes.get(value);
    if (known !== undefined) return known;
    const terms = termsOf(value).map(({ coefficient, names }) =>
      names
        .map((name) => this.#symbol(name))
        .reduce<string | undefined>(
          (product, name) => (product === undefined ? name : this.emit('Mul', [product, name])),
          coefficient === 1 && names.length > 0 ? undefined : this.integers([coefficient]),
        ),
    );
    const sum = terms.reduce((a, b) => this.emit('Add', [a ?? '', b ?? '']));
    const result = sum ?? this.integers([0]);
    this.#sizes.set(value, result);
    return result;
  }

  #symbol(name: string): string {
    const source = this.#symbols.get(name);
    if (!source)
      throw new RangeError(
        `no input of the graph has the size '${name}' as a dimension of its own`,
      );
    const key = `size of ${name}`;
    const known = this.#sizes.get(key);
    if (known !== undefined) return known;
    const size = this.emit('Shape', [source.input], {
      start: BigInt(source.axis),
      end: BigInt(source.axis + 1),
    });
    this.#sizes.set(key, size);
    return size;
  }

  /** A whole shape as an i64 vector. */
  shape(shape: Shape): string {
    const fixed = shape.filter((d) => typeof d === 'number');
    if (fixed.length === shape.length) return this.integers(fixed);
    return this.emit(
      'Concat',
      shape.map((d) => this.size(d)),
      { axis: 0n },
    );
  }
}

/** A tensor of these little-endian bytes. */
export function rawTensor(
  name: string,
  dtype: DType,
  dims: readonly number[],
  bytes: Uint8Array,
): OnnxTensor {
  return { name, dtype, dims, data: { bytes } };
}
