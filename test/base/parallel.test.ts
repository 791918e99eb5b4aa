/** Work a few at a time: its order, its bound, and its end at a fault. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { inParallel } from '../../src/base/parallel.ts';

it('gives results in the order of the items, and begins no more than it may', async () => {
  let running = 0;
  let most = 0;
  const begun: number[] = [];
  const results = await inParallel([5, 1, 4, 2, 3, 0], 3, async (item) => {
    begun.push(item);
    most = Math.max(most, ++running);
    await sleep(10 * item);
    running -= 1;
    return 10 * item;
  });
  expect(results).toEqual([50, 10, 40, 20, 30, 0]);
  expect(begun).toEqual([5, 1, 4, 2, 3, 0]);
  expect(most).toBe(3);
});

it('begins nothing after a fault', async () => {
  const begun: number[] = [];
  const work = inParallel([0, 1, 2, 3, 4, 5], 2, async (item) => {
    begun.push(item);
    await sleep(item === 1 ? 5 : 15);
    if (item === 1) throw new Error('no');
  });
  await expect(work).rejects.toThrow('no');
  await sleep(40);
  expect(begun).toEqual([0, 1]);
});

it('has nothing to do where there are no items', async () => {
  expect(await inParallel([], 4, () => Promise.reject(new Error('called')))).toEqual([]);
});
