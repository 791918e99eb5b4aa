/**
 * Several nodes as one of ONNX Runtime's own: attention without its heads being moved about, a sum and the layer
 * normalisation after it, a rounded product and its bias. For its CPU alone; what it fuses by itself is left to it.
 */
import type { Node, NodeOf, Value } from '../graph/graph.ts';
import { type Dim, sameShape } from '../graph/shape.ts';
import type { OnnxAttribute } from './messages.ts';

/** A node of ONNX Runtime's that gives what a node of the graph, and perhaps some before it, would. */
export interface Fused {
  readonly op: string;
  /** Whether the op is ONNX Runtime's own rather than the standard's. */
  readonly isVendor: boolean;
  /** By place; undefined: none there. */
  readonly inputs: readonly (Value | undefined)[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
  /** What each output of the op is, by place; undefined: not needed. */
  readonly outputs: readonly (Value | undefined)[];
  /** Place of the input that gets two dimensions of size 1 in front. */
  readonly widened?: number;
}

/** How often each value is read, by nodes and as an output of the graph. */
export type Uses = ReadonlyMap<Value, number>;

export function countUses(nodes: readonly Node[], outputs: readonly Value[]): Uses {
  const uses = new Map<Value, number>();
  for (const value of [...nodes.flatMap(({ inputs }) => inputs), ...outputs])
    uses.set(value, (uses.get(value) ?? 0) + 1);
  return uses;
}

/** What stands for this node and those before it that nothing else reads; undefined: nothing does. */
export function fusionOf(node: Node, uses: Uses): Fused | undefined {
  if (node.outputs[0].dtype !== 'f32') return undefined;
  switch (node.op) {
    case 'add':
      return biasedProduct(node, uses);
    case 'layerNorm':
      return normalisedSum(node, uses);
    case 'reshape':
      return attention(node, uses);
    default:
      return undefined;
  }
}

function biasedProduct({ inputs, outputs }: NodeOf<'add'>, uses: Uses): Fused | undefined {
  const [product, bias] = inputs;
  if (product.node.op !== 'dynamicQuantizeMatmul' || uses.get(product) !== 1) return undefined;
  if (!sameShape(bias.shape, product.shape.slice(-1))) return undefined;
  return {
    op: 'DynamicQuantizeMatMul',
    isVendor: true,
    inputs: [...product.node.inputs, undefined, bias],
    attributes: {},
    outputs: [...outputs],
  };
}

function normalisedSum(
  { inputs, outputs, attributes }: NodeOf<'layerNorm'>,
  uses: Uses,
): Fused | undefined {
  const [x, scale, bias] = inputs;
  const [y, mean, deviation] = outputs;
  if (uses.has(mean) || uses.has(deviation)) return undefined;
  const { epsilon } = attributes;
  // Its kernel goes value by value: it pays where there are few rows, so where their number is not known.
  const isSum = x.node.op === 'add' && x.shape.length === 3 && typeof x.shape[1] === 'string';
  const sum = isSum ? x.node.inputs : undefined;
  if (!sum || !sameShape(sum[0].shape, sum[1].shape))
    return {
      op: 'LayerNormalization',
      isVendor: false,
      inputs,
      attributes: { axis: -1n, epsilon },
      outputs: [y],
    };
  const isSumRead = (uses.get(x) ?? 0) > 1;
  return {
    op: 'SkipLayerNormalization',
    isVendor: true,
    inputs: [...sum, scale, bias],
    attributes: { epsilon },
    outputs: isSumRead ? [y, undefined, undefined, x] : [y],
  };
}

/** The heads of an attention put side by side again: softmax(alpha q k' + mask) v -> [batch, queries, heads * width]. */
function attention(
  { inputs: [turned], outputs }: NodeOf<'reshape'>,
  uses: Uses,
): Fused | undefined {
  const product = turnedHeads(turned);
  if (!product || !areReadOnce(uses, turned, product)) return undefined;
  const weighed = product.node;
  if (weighed.op !== 'matmul' || weighed.attributes.transA || weighed.attributes.transB)
    return undefined;
  const [weights, value] = weighed.inputs;
  const scores = scoresOf(weights, uses);
  if (!scores || weighed.attributes.alpha !== 1) return undefined;
  const { query: q, key, mask, scale } = scores;
  const query = wholeOf(q);
  const [y] = outputs;
  if (!query || !sameShape(query.shape, y.shape)) return undefined;
  const read = keysAndValues(key, value);
  const heads = Number(q.shape[1]);
  if (!read || !isMaskOf(mask, scores.queries, scores.keys)) return undefined;
  return {
    op: 'MultiHeadAttention',
    isVendor: true,
    inputs: trimmed([query, read.key, read.value, undefined, undefined, mask, ...read.past]),
    attributes: { num_heads: BigInt(heads), scale },
    outputs: [y, ...read.present],
    ...(mask?.shape.length === 2 && { widened: 5 }),
  };
}

interface Scores {
  readonly query: Value;
  readonly key: Value;
  readonly mask: Value | undefined;
  readonly scale: number;
  readonly queries: Dim;
  readonly keys: Dim;
}

function scoresOf(weights: Value, uses: Uses): Scores | undefined {
  if (weights.node.op !== 'softmax' || weights.node.attributes.axis !== 3) return undefined;
  const [scores] = weights.node.inputs;
  const [product, mask] = scores.node.op === 'add' ? scores.node.inputs : [scores, undefined];
  if (!areReadOnce(uses, weights, scores, product)) return undefined;
  if (product.node.op !== 'matmul' || !sameShape(product.shape, scores.shape)) return undefined;
  const { transA, transB, alpha } = product.node.attributes;
  const [query, key] = product.node.inputs;
  if (transA || !transB || query.shape.length !== 4 || key.shape.length !== 4) return undefined;
  // Products broadcast their leading dimensions; an attention does not.
  if (!sameShape(query.shape.slice(0, 2), key.shape.slice(0, 2))) return undefined;
  return {
    query,
    key,
    mask,
    scale: alpha,
    queries: product.shape[2],
    keys: product.shape[3],
  };
}

/** Of an attention's mask: [queries, keys], or the same with two dimensions of size 1 in front. */
function isMaskOf(mask: Value | undefined, queries: Dim, keys: Dim): boolean {
  if (!mask) return true;
  const inFront = mask.shape.length === 4 ? [1, 1] : [];
  return mask.dtype === 'f32' && sameShape(mask.shape, [...inFront, queries, keys]);
}

interface Read {
  readonly key: Value;
  readonly value: Value;
  /** What stands before them, and all together. */
  readonly past: readonly Value[];
  readonly present: readonly Value[];
}

/** Keys and values as the op takes them: with heads side by side, behind those of a cache, or with heads apart. */
function keysAndValues(key: Value, value: Value): Read | undefined {
  if (!sameShape(key.shape.slice(0, 3), value.shape.slice(0, 3))) return undefined;
  const whole = [wholeOf(key), wholeOf(value)];
  if (whole[0] && whole[1]) return { key: whole[0], value: whole[1], past: [], present: [] };
  const [k, v] = [grown(key), grown(value)];
  if (k && v && sameShape(k.past.shape.slice(0, 3), v.past.shape.slice(0, 3)))
    return { key: k.added, value: v.added, past: [k.past, v.past], present: [key, value] };
  return { key, value, past: [], present: [] };
}

/** A cache and what is added to it, [batch, positions, heads * width]. */
function grown({ node }: Value): { past: Value; added: Value } | undefined {
  if (node.op !== 'concat' || node.attributes.axis !== 2 || node.inputs.length !== 2)
    return undefined;
  const [past, last] = node.inputs;
  const added = wholeOf(last);
  return added && { past, added };
}

/** x [batch, positions, heads * width] of its heads [batch, heads, positions, width]. */
function wholeOf(heads: Value): Value | undefined {
  const apart = turnedHeads(heads);
  if (apart?.node.op !== 'reshape') return undefined;
  const [whole] = apart.node.inputs;
  const [batch, positions, count, width] = apart.shape;
  const expected = [batch, positions, Number(count) * Number(width)];
  return sameShape(whole.shape, expected) ? whole : undefined;
}

/** What a swap of the two middle dimensions of four was made from. */
function turnedHeads({ node }: Value): Value | undefined {
  if (node.op !== 'transpose' || node.attributes.permutation.join() !== '0,2,1,3') return undefined;
  return node.inputs[0];
}

function areReadOnce(uses: Uses, ...values: readonly Value[]): boolean {
  return values.every((value) => uses.get(value) === 1);
}

/** Without empty places at the end. */
function trimmed(values: readonly (Value | undefined)[]): (Value | undefined)[] {
  return values.slice(0, values.findLastIndex((value) => value !== undefined) + 1);
}
