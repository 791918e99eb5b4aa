/** Sums over the parts of a step. */
import { expect, it } from 'vitest';
import { tensor } from '../../../src/engine/runtime/tensor.ts';
import { addSums, objectiveSums } from '../../../src/train/objective/gradients.ts';

const number = (value: number) => tensor('f32', [], Float32Array.of(value));

it('are read from what a run gave, absent parts left out', () => {
  const result = { base: number(2), count: number(3), loss: number(9), 'gradient.w': number(1) };
  expect(objectiveSums(result)).toEqual({ base: 2, count: 3 });
});

it('are added part by part; what neither has stays absent', () => {
  expect(addSums({}, { base: 2, count: 3 })).toEqual({ base: 2, count: 3 });
  expect(addSums({ base: 1, count: 1, contrastive: 4 }, { base: 2, count: 3, refined: 5 })).toEqual(
    {
      base: 3,
      count: 4,
      contrastive: 4,
      refined: 5,
    },
  );
});
