import { expect, it } from 'vitest';
import { bytesOf } from '../../src/base/bytes.ts';

it('is the same memory, from where the view begins to where it ends', () => {
  const all = Uint16Array.of(1, 2, 3, 4);
  const bytes = bytesOf(all.subarray(1, 3));
  expect(bytes).toHaveLength(4);
  bytes.fill(0);
  expect([...all]).toEqual([1, 0, 0, 4]);
});
