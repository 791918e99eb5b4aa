import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { verify } from '../../verify/blip.ts';
import { fixtures } from '../paths.ts';

const printed: string[] = [];
beforeEach(() => {
  printed.length = 0;
  vi.spyOn(console, 'log').mockImplementation((line: string) => {
    printed.push(line);
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

it('agrees with transformers in forward, larger images, loss, gradients, AdamW and every generation run', async () => {
  const isGood = await verify(join(fixtures, 'blip/tiny'));
  expect(printed.filter((line) => line.includes('FAILS'))).toEqual([]);
  expect(printed.at(-1)).toBe('All 36 checks agree.');
  expect(isGood).toBe(true);
});
