/** The updater's stretches: many give what one would. What a step does is test/nn/optimizers.test.ts's. */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { adamW, sgd, withAverage } from '../../src/nn/optimizers.ts';
import { ParameterStore } from '../../src/nn/parameter-store.ts';
import { normal } from '../../src/nn/scope.ts';
import { Updater } from '../../src/nn/updater.ts';

/** More than two of the updater's stretches, the last one short. */
const long = 2 * (1 << 18) + 100;
const settings = { step: 1, learningRate: 0.5, weightDecay: 0.25, gradientScale: 1 };

function storeOf(shape: readonly number[]): ParameterStore {
  const store = new ParameterStore([{ name: 'w', shape, initializer: normal(1) }]);
  store.initialize(createRandom(1));
  return store;
}

describe('an updater', () => {
  it('moves every value of an array that is longer than a stretch', async () => {
    const store = storeOf([long, 1]);
    const begin = store.trainable.slice();
    const gradients = begin.map((_, i) => (i % 7) - 3);
    using updater = await Updater.open(sgd({ momentum: 0 }), store, { threads: 1 });
    await updater.apply(gradients, settings);
    let largest = 0;
    for (const [i, value] of begin.entries()) {
      const wanted = i < long ? value * (1 - 0.5 * 0.25) - 0.5 * gradients[i] : 0;
      if (i < long) largest = Math.max(largest, Math.abs(store.trainable[i] - wanted));
    }
    expect(largest).toBeLessThan(1e-5);
  });

  it('adds up the norm over stretches', async () => {
    const store = storeOf([3]);
    using updater = await Updater.open(sgd({ momentum: 0 }), store, { threads: 1 });
    expect(await updater.gradientNorm(new Float32Array(long).fill(3))).toBeCloseTo(
      3 * Math.sqrt(long),
      1,
    );
    expect(await updater.gradientNorm(new Float32Array(long))).toBe(0);
    // The last stretch counts too.
    const last = new Float32Array(long);
    last[long - 1] = Number.NaN;
    expect(await updater.gradientNorm(last)).toBeNaN();
  });

  it('keeps state in place between steps, as a second updater that is given it shows', async () => {
    const gradients = Float32Array.from({ length: 16 }, (_, i) => Math.sin(i));
    const [through, parted] = [storeOf([16]), storeOf([16])];
    const optimizer = withAverage(adamW(), 0.9);
    using one = await Updater.open(optimizer, through, { threads: 1 });
    await one.apply(gradients, settings);
    await one.apply(gradients, { ...settings, step: 2 });
    using first = await Updater.open(optimizer, parted, { threads: 1 });
    await first.apply(gradients, settings);
    using second = await Updater.open(optimizer, parted, { threads: 1 });
    for (const [name, values] of Object.entries(first.slots)) second.slots[name].set(values);
    await second.apply(gradients, { ...settings, step: 2 });
    expect(parted.trainable).toEqual(through.trainable);
    expect(second.slots).toEqual(one.slots);
  });
});
