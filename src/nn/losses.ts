/** Losses as graphs. */
import type { Value } from '../engine/graph/graph.ts';
import * as ops from '../engine/graph/ops.ts';

const { add, cast, div, logSoftmax, mul, neg, reduceSum, reshape, sub } = ops;

/** A loss that ignores some positions: the sum over the others, and how many they are. */
export interface CountedLoss {
  readonly sum: Value;
  readonly count: Value;
  /** sum / max(count, 1), what PyTorch's `reduction='mean'` gives. */
  readonly mean: Value;
}

function counted(perPosition: Value, kept: Value): CountedLoss {
  const sum = reduceSum(mul(perPosition, kept));
  const count = reduceSum(kept);
  return { sum, count, mean: div(sum, ops.maximum(count, 1)) };
}

/** 1 where a label counts, 0 where it is `ignoreIndex`; and labels that are safe to look up. */
function keptLabels(labels: Value, ignoreIndex: number): { kept: Value; safe: Value } {
  const ignored = ops.equal(labels, ignoreIndex);
  return { kept: cast(ops.not(ignored), 'f32'), safe: ops.where(ignored, 0, labels) };
}

/**
 * Cross-entropy of `logits` [positions, classes] against `labels` [positions] (i32), with label
 * smoothing as PyTorch's `F.cross_entropy` defines it: the target is (1 - s) one-hot + s / classes.
 * `weights` [positions] multiply each position's loss (not the count), as a policy's advantages do.
 */
export function crossEntropy(
  logits: Value,
  labels: Value,
  {
    ignoreIndex = -100,
    labelSmoothing = 0,
    weights,
  }: { ignoreIndex?: number; labelSmoothing?: number; weights?: Value } = {},
): CountedLoss {
  const [positions, classes] = logits.shape;
  const { kept, safe } = keptLabels(labels, ignoreIndex);
  const logProbabilities = logSoftmax(logits);
  const picked = ops.gatherElements(logProbabilities, reshape(safe, [positions, 1]));
  const hard = neg(reshape(picked, [positions]));
  const weighted = (x: Value): Value => (weights ? mul(x, weights) : x);
  if (labelSmoothing === 0) return counted(weighted(hard), kept);
  const uniform = mul(reduceSum(logProbabilities, [-1]), -1 / Number(classes));
  const smooth = add(mul(hard, 1 - labelSmoothing), mul(uniform, labelSmoothing));
  return counted(weighted(smooth), kept);
}

/**
 * Kullback-Leibler divergence KL(target || input) of two sets of logits [positions, classes], over
 * the positions whose label is not `ignoreIndex`. Gradients reach both: stop the target's outside.
 */
export function klDivergence(
  targetLogits: Value,
  inputLogits: Value,
  labels: Value,
  { ignoreIndex = -100 }: { ignoreIndex?: number } = {},
): CountedLoss {
  const { kept } = keptLabels(labels, ignoreIndex);
  const target = logSoftmax(targetLogits);
  const difference = sub(target, logSoftmax(inputLogits));
  return counted(reduceSum(mul(ops.exp(target), difference), [-1]), kept);
}
