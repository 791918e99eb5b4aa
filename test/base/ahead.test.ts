/** Reading ahead. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { readAhead } from '../../src/base/ahead.ts';

/** Numbers from 0 on. @returns them, and what was read or ended of them */
function numbers(count: number, failing = false) {
  const told: string[] = [];
  async function* items() {
    try {
      for (let i = 0; i < count; i++) {
        await sleep(1);
        told.push(`read ${i}`);
        yield i;
      }
      if (failing) throw new Error('broken');
    } finally {
      told.push('closed');
    }
  }
  return { items: items(), told };
}

it('gives all in their order', async () => {
  for (const most of [1, 3, 99]) {
    const found: number[] = [];
    for await (const item of readAhead(numbers(10).items, most)) found.push(item);
    expect(found).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  }
});

it('reads while an item is worked on, and no further than it may', async () => {
  const { items, told } = numbers(10);
  for await (const item of readAhead(items, 3)) {
    await sleep(60);
    expect(told.length).toBe(Math.min(10, item + 4) + (item + 3 >= 10 ? 1 : 0));
  }
});

it('tells a fault behind the items before it', async () => {
  const { items } = numbers(3, true);
  const found: number[] = [];
  const reading = async () => {
    for await (const item of readAhead(items, 8)) {
      found.push(item);
      await sleep(10);
    }
  };
  await expect(reading()).rejects.toThrow('broken');
  expect(found).toEqual([0, 1, 2]);
});

it('closes what it reads where its reader stops', async () => {
  const { items, told } = numbers(10);
  for await (const item of readAhead(items, 2)) if (item === 1) break;
  expect(told.at(-1)).toBe('closed');
  const before = told.length;
  await sleep(20);
  expect(told.length).toBe(before);
});
