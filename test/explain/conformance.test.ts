/** Explanations equal those that PyTorch computed of the tiny checkpoint. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { verify } from '../../verify/explain.ts';
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

it('agrees with PyTorch in attention, its gradients, relevance, integrated gradients and probabilities', async () => {
  const folder = join(fixtures, 'blip');
  const isGood = await verify(folder, join(folder, 'tiny'));
  expect(printed.filter((line) => line.includes('FAILS'))).toEqual([]);
  expect(printed.at(-1)).toBe('All 12 checks agree.');
  expect(isGood).toBe(true);
});
