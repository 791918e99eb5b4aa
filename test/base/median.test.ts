import { expect, it } from 'vitest';
import { median } from '../../src/base/median.ts';

it('is the middle by size, or between the middle two; of nothing there is none', () => {
  const values = [10, 9, 2];
  expect(median(values)).toBe(9);
  expect(values).toEqual([10, 9, 2]);
  expect(median([-4, 10, -2, 3])).toBe(0.5);
  expect(median([7])).toBe(7);
  expect(() => median([])).toThrow(RangeError);
});
