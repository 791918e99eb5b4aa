/** Optimizers over the flat store, against PyTorch's update rules written out and against each other. */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { adamW, type Optimizer, sgd, withAverage } from '../../src/nn/optimizers.ts';
import { ParameterStore } from '../../src/nn/parameter-store.ts';
import { normal, type ParameterSpec, zeros } from '../../src/nn/scope.ts';
import { Updater } from '../../src/nn/updater.ts';

const specs: ParameterSpec[] = [
  { name: 'first.bias', shape: [5], initializer: zeros },
  { name: 'first.weight', shape: [5, 7], initializer: normal(1) },
  { name: 'second.weight', shape: [3, 3], initializer: normal(1) },
];

function newStore(rateOf?: (spec: ParameterSpec) => number): ParameterStore {
  const store = new ParameterStore(specs, undefined, rateOf);
  store.initialize(createRandom(3));
  return store;
}

const decays = (store: ParameterStore, place: number): boolean =>
  store.ranges.some(({ start, end, decays }) => decays && place >= start && place < end);

async function runSteps(
  optimizer: Optimizer,
  steps: number,
  scale = 1,
  rateOf?: (spec: ParameterSpec) => number,
) {
  const store = newStore(rateOf);
  const random = createRandom(4);
  using updater = await Updater.open(optimizer, store, { threads: 1 });
  const history: Float32Array[] = [];
  for (let step = 1; step <= steps; step++) {
    const gradients = Float32Array.from(store.trainable, () => random.normal());
    history.push(gradients);
    await updater.apply(gradients, {
      step,
      learningRate: 0.1,
      weightDecay: 0.05,
      gradientScale: scale,
    });
  }
  return { store, slots: updater.slots, history };
}

/** torch.optim.AdamW's single-tensor loop in f64. */
function adamWByHand(start: number, gradients: number[], decay: number, rate = 0.1): number {
  const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8];
  let [p, m, v] = [start, 0, 0];
  for (const [i, g] of gradients.entries()) {
    p *= 1 - rate * decay;
    m += (g - m) * (1 - beta1);
    v = v * beta2 + (1 - beta2) * g * g;
    const denominator = Math.sqrt(v) / Math.sqrt(1 - beta2 ** (i + 1)) + epsilon;
    p -= ((rate / (1 - beta1 ** (i + 1))) * m) / denominator;
  }
  return p;
}

describe('optimizers', () => {
  it('moves every parameter as AdamW does, decaying weights but not biases', async () => {
    const { store, history } = await runSteps(adamW(), 6, 0.5);
    const begin = newStore();
    for (let i = 0; i < store.trainable.length; i++) {
      const decay = decays(store, i) ? 0.05 : 0;
      const wanted = adamWByHand(
        begin.trainable[i],
        history.map((g) => g[i] * 0.5),
        decay,
      );
      expect(Math.abs(store.trainable[i] - wanted)).toBeLessThan(2e-6);
    }
    expect(store.groupOf('first.bias')).toBe('plain');
    expect(store.groupOf('first.weight')).toBe('decayed');
  });

  it('moves parameters of another rate as a parameter group of that rate', async () => {
    const rateOf = ({ name }: ParameterSpec) => (name.startsWith('first') ? 0.25 : 1);
    const { store, history } = await runSteps(adamW(), 4, 1, rateOf);
    const begin = newStore(rateOf);
    for (const name of store.names) {
      const moved = store.tensor(name).data;
      const start = begin.tensor(name).data;
      const gradients = history.map((flat) => store.viewOf(name, flat).data);
      for (const [i, value] of moved.entries()) {
        const wanted = adamWByHand(
          start[i],
          gradients.map((g) => g[i]),
          name.endsWith('bias') ? 0 : 0.05,
          name.startsWith('first') ? 0.025 : 0.1,
        );
        expect(Math.abs(value - wanted)).toBeLessThan(2e-6);
      }
    }
    const covered = store.ranges.flatMap(({ start, end }) => [start, end]);
    expect([covered[0], covered.at(-1)]).toEqual([0, store.trainable.length]);
    expect(covered.slice(1, -1).filter((_, i) => i % 2 === 0)).toEqual(
      covered.slice(2).filter((_, i) => i % 2 === 0),
    );
  });

  it('follows SGD with momentum', async () => {
    const { store, history } = await runSteps(sgd({ momentum: 0.9 }), 5);
    const begin = newStore();
    for (let i = 0; i < store.trainable.length; i++) {
      let [p, v] = [begin.trainable[i], 0];
      for (const g of history) {
        v = 0.9 * v + g[i];
        p = p * (1 - 0.1 * (decays(store, i) ? 0.05 : 0)) - 0.1 * v;
      }
      expect(Math.abs(store.trainable[i] - p)).toBeLessThan(2e-6);
    }
  });

  it('averages without being drawn to zero, and leaves the parameter as it would be', async () => {
    const plain = await runSteps(adamW(), 1);
    const averaged = await runSteps(withAverage(adamW(), 0.99), 1);
    expect(averaged.store.trainable).toEqual(plain.store.trainable);
    expect(averaged.slots.average).toEqual(plain.store.trainable);
    const longer = await runSteps(withAverage(adamW(), 0.99), 8);
    const distance = longer.slots.average.reduce(
      (sum, x, i) => sum + Math.abs(x - longer.store.trainable[i]),
      0,
    );
    expect(distance).toBeGreaterThan(0.01);
  });

  it('tells a gradient that is not finite by its norm', async () => {
    const store = newStore();
    using updater = await Updater.open(adamW(), store, { threads: 1 });
    const gradients = new Float32Array(store.trainable.length).fill(2);
    expect(await updater.gradientNorm(gradients)).toBeCloseTo(2 * Math.sqrt(gradients.length), 4);
    gradients[7] = Number.NaN;
    expect(await updater.gradientNorm(gradients)).toBeNaN();
    gradients[7] = Number.POSITIVE_INFINITY;
    expect(await updater.gradientNorm(gradients)).toBe(Number.POSITIVE_INFINITY);
  });

  it('begins averages as the parameters themselves, and other state as zeros', async () => {
    const store = newStore();
    using updater = await Updater.open(withAverage(adamW(), 0.99), store, { threads: 1 });
    expect(updater.slots.average).toEqual(store.trainable);
    expect(updater.slots.average.some((x) => x !== 0)).toBe(true);
    for (const name of ['moment1', 'moment2'])
      expect(updater.slots[name].every((x) => x === 0)).toBe(true);
    store.trainable.fill(7);
    expect(updater.slots.average.some((x) => x === 7)).toBe(false);
  });
});
