/**
 * Optimizers as pairs of slots and an update graph. They are element-wise, so they run over any
 * stretch of the flat parameter memory, in place, in ONNX Runtime.
 */
import type { Value } from '../engine/graph.ts';
import * as ops from '../engine/ops.ts';

const { add, div, mul, sqrt, sub } = ops;

/** One element-wise step: what it keeps for each parameter, and how it moves one. */
export interface Optimizer {
  /** Names of the state tensors of a parameter's shape, zeros at first. */
  readonly slots: readonly string[];
  /** Names of the scalars that `scalars` gives. */
  readonly scalarNames: readonly string[];
  /** The scalars of a step, counted from 1. `decay` is the group's weight decay. */
  scalars(step: number, learningRate: number, decay: number): Readonly<Record<string, number>>;
  /** New parameter and slots from the old, the gradient and the scalars. */
  update(
    parameter: Value,
    gradient: Value,
    slots: Readonly<Record<string, Value>>,
    scalars: Readonly<Record<string, Value>>,
  ): { parameter: Value; slots: Readonly<Record<string, Value>> };
}

export interface AdamWSettings {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

/** AdamW with decoupled weight decay (Loshchilov and Hutter 2019), as PyTorch computes it. */
export function adamW({
  beta1 = 0.9,
  beta2 = 0.999,
  epsilon = 1e-8,
}: AdamWSettings = {}): Optimizer {
  return {
    slots: ['moment1', 'moment2'],
    scalarNames: ['keep', 'rate', 'correction'],
    scalars: (step, learningRate, decay) => ({
      keep: 1 - learningRate * decay,
      rate: learningRate / (1 - beta1 ** step),
      correction: 1 / Math.sqrt(1 - beta2 ** step),
    }),
    update: (parameter, gradient, { moment1, moment2 }, { keep, rate, correction }) => {
      const m = add(mul(moment1, beta1), mul(gradient, 1 - beta1));
      const scaled = mul(gradient, Math.sqrt(1 - beta2));
      const v = add(mul(moment2, beta2), mul(scaled, scaled));
      const step = div(m, add(mul(sqrt(v), correction), epsilon));
      return {
        parameter: sub(mul(parameter, keep), mul(step, rate)),
        slots: { moment1: m, moment2: v },
      };
    },
  };
}

/** Stochastic gradient descent with momentum (v = momentum v + g) and decoupled weight decay. */
export function sgd({ momentum = 0.9 }: { momentum?: number } = {}): Optimizer {
  return {
    slots: momentum === 0 ? [] : ['velocity'],
    scalarNames: ['keep', 'rate'],
    scalars: (_, learningRate, decay) => ({ keep: 1 - learningRate * decay, rate: learningRate }),
    update: (parameter, gradient, { velocity }, { keep, rate }) => {
      const v = velocity ? add(mul(velocity, momentum), gradient) : gradient;
      return {
        parameter: sub(mul(parameter, keep), mul(v, rate)),
        slots: momentum === 0 ? {} : { velocity: v },
      };
    },
  };
}

/** Also keeps an exponential moving average of the parameter in the slot `average`. */
export function withAverage(inner: Optimizer, decay: number): Optimizer {
  return {
    slots: [...inner.slots, 'average'],
    scalarNames: [...inner.scalarNames, 'averageKeep'],
    scalars: (step, learningRate, weightDecay) => ({
      ...inner.scalars(step, learningRate, weightDecay),
      // Young averages follow faster, so that the zeros they began with are forgotten at once.
      averageKeep: step === 1 ? 0 : Math.min(decay, (1 + step) / (10 + step)),
    }),
    update: (parameter, gradient, slots, scalars) => {
      const next = inner.update(parameter, gradient, slots, scalars);
      const moved = mul(sub(slots.average, next.parameter), scalars.averageKeep);
      return { ...next, slots: { ...next.slots, average: add(next.parameter, moved) } };
    },
  };
}
