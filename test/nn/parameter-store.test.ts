/** The flat store: where parameters lie, and who is trained. */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { ParameterStore, usualGroup } from '../../src/nn/parameter-store.ts';
import { normal, ones, type ParameterSpec, zeros } from '../../src/nn/scope.ts';

const specs: ParameterSpec[] = [
  { name: 'first.bias', shape: [5], initializer: ones },
  { name: 'first.weight', shape: [5, 7], initializer: normal(0.5) },
  { name: 'second.bias', shape: [3], initializer: zeros },
  { name: 'second.weight', shape: [3, 3], initializer: normal(2) },
];

describe('the parameter store', () => {
  it('lays the decayed before the plain, each at a cache line, without overlap', () => {
    const store = new ParameterStore(specs);
    const used = new Set<number>();
    for (const { name, shape } of specs) {
      const { data } = store.tensor(name);
      const start = data.byteOffset / 4;
      expect(start % 16).toBe(0);
      for (let i = start; i < start + data.length; i++) {
        expect(used.has(i)).toBe(false);
        used.add(i);
      }
      const decays = store.ranges.find(
        (range) => range.start <= start && start < range.end,
      )?.decays;
      expect(decays).toBe(shape.length > 1);
      expect(usualGroup(store.specOf(name))).toBe(store.groupOf(name));
    }
  });

  it('draws first values in the order of declaration, the same for the same seed', () => {
    const drawn = (seed: number) => {
      const store = new ParameterStore(specs);
      store.initialize(createRandom(seed));
      return store;
    };
    const store = drawn(3);
    expect([...store.tensor('first.bias').data]).toEqual([1, 1, 1, 1, 1]);
    expect([...store.tensor('second.bias').data]).toEqual([0, 0, 0]);
    const random = createRandom(3);
    for (const [name, deviation] of [
      ['first.weight', 0.5],
      ['second.weight', 2],
    ] as const)
      for (const value of store.tensor(name).data)
        expect(value).toBe(Math.fround(random.normal() * deviation));
    expect(drawn(3).trainable).toEqual(store.trainable);
    expect(drawn(4).trainable).not.toEqual(store.trainable);
  });

  it('keeps frozen parameters out of the flat array, whatever array is looked into', () => {
    const store = new ParameterStore(specs, ({ name }) =>
      name.startsWith('first') ? 'frozen' : 'decayed',
    );
    store.initialize(createRandom(3));
    expect(store.trainableNames).toEqual(['second.bias', 'second.weight']);
    expect(store.tensor('first.weight').data.some((x) => x !== 0)).toBe(true);
    const other = new Float32Array(store.trainable.length).fill(4);
    expect(store.tensor('second.weight', other).data.every((x) => x === 4)).toBe(true);
    expect(store.tensor('first.weight', other)).toEqual(store.tensor('first.weight'));
    expect(() => store.tensor('third')).toThrow("no parameter named 'third'");
  });
});
