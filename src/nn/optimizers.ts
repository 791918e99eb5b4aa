/**
 * Optimizers as pairs of slots and an update graph. They are element-wise, so they run over any
 * stretch of the flat parameter memory, in place, in ONNX Runtime.
 */
import type { Value } from '../engine/graph/graph.ts';
import * as ops from '../engine/graph/ops.ts';

const { add, div, mul, sqrt, sub } = ops;

/** What changes from step to step. */
export interface StepSettings {
  /** Counted from 1; steps that were skipped do not count. */
  readonly step: number;
  readonly learningRate: number;
  /** Decoupled weight decay of the parameters at hand; 0 for those without. */
  readonly weightDecay: number;
  /** Gradients are multiplied by this first: clipping, and 1 / micro-batches. */
  readonly gradientScale: number;
}

/** One element-wise step: what it keeps for each parameter, and how it moves one. */
export interface Optimizer {
  /** Names of the state tensors of a parameter's shape. */
  readonly slots: readonly string[];
  /** Those of them that begin as the parameter; the others begin as zeros. Default none. */
  readonly copies?: readonly string[];
  /** Names of the scalars that `scalars` gives. */
  readonly scalarNames: readonly string[];
  /** The scalars of a step. */
  scalars(settings: StepSettings): Readonly<Record<string, number>>;
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
    scalarNames: ['keep', 'rate', 'small', 'share1', 'share2'],
    // Every product of constants is made here, since each product in the graph is a pass over memory.
    scalars: ({ step, learningRate, weightDecay, gradientScale }) => {
      const correction = Math.sqrt(1 - beta2 ** step);
      return {
        keep: 1 - learningRate * weightDecay,
        rate: (learningRate / (1 - beta1 ** step)) * correction,
        small: epsilon * correction,
        share1: (1 - beta1) * gradientScale,
        share2: Math.sqrt(1 - beta2) * gradientScale,
      };
    },
    update: (parameter, gradient, { moment1, moment2 }, { keep, rate, small, share1, share2 }) => {
      const m = add(mul(moment1, beta1), mul(gradient, share1));
      const scaled = mul(gradient, share2);
      const v = add(mul(moment2, beta2), mul(scaled, scaled));
      // m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon), the corrections moved into rate and small.
      const step = mul(div(m, add(sqrt(v), small)), rate);
      return { parameter: sub(mul(parameter, keep), step), slots: { moment1: m, moment2: v } };
    },
  };
}

/** Stochastic gradient descent with momentum (v = momentum v + g) and decoupled weight decay. */
export function sgd({ momentum = 0.9 }: { momentum?: number } = {}): Optimizer {
  return {
    slots: momentum === 0 ? [] : ['velocity'],
    scalarNames: ['keep', 'rate', 'share'],
    scalars: ({ learningRate, weightDecay, gradientScale }) => ({
      keep: 1 - learningRate * weightDecay,
      rate: learningRate,
      share: gradientScale,
    }),
    update: (parameter, gradient, { velocity }, { keep, rate, share }) => {
      const scaled = mul(gradient, share);
      const v = velocity ? add(mul(velocity, momentum), scaled) : scaled;
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
    // Until the first step the average is the parameter itself.
    copies: [...(inner.copies ?? []), 'average'],
    scalarNames: [...inner.scalarNames, 'averageKeep'],
    scalars: (settings) => ({
      ...inner.scalars(settings),
      // Young averages follow faster, so that what they began with is forgotten at once.
      averageKeep:
        settings.step === 1 ? 0 : Math.min(decay, (1 + settings.step) / (10 + settings.step)),
    }),
    update: (parameter, gradient, slots, scalars) => {
      const next = inner.update(parameter, gradient, slots, scalars);
      const moved = mul(sub(slots.average, next.parameter), scalars.averageKeep);
      return { ...next, slots: { ...next.slots, average: add(next.parameter, moved) } };
    },
  };
}
