/** One thread of a process owns a GPU. */
import { expect, it } from 'vitest';
import { UsageError } from '../../../src/base/errors.ts';
import { claimDevice } from '../../../src/caption/executor/device-owner.ts';

it('gives a GPU to the calling thread or to one worker, and the processor to everybody', () => {
  const processor = [claimDevice('cpu', 3), claimDevice('cpu', 0), claimDevice('cpu', 1)];
  for (const claim of processor) claim[Symbol.dispose]();
  expect(() => claimDevice('webgpu', 2)).toThrow(UsageError);

  const worker = claimDevice('webgpu', 1);
  expect(() => claimDevice('webgpu', 1)).toThrow(/'webgpu' belongs to another captioner/);
  expect(() => claimDevice('webgpu', 0)).toThrow(/dispose that one first/);
  const other = claimDevice('cuda', 1);
  worker[Symbol.dispose]();
  other[Symbol.dispose]();

  const here = [claimDevice('webgpu', 0), claimDevice('webgpu', 0)];
  here[0][Symbol.dispose]();
  here[0][Symbol.dispose]();
  expect(() => claimDevice('webgpu', 1)).toThrow(/another captioner/);
  here[1][Symbol.dispose]();
  claimDevice('webgpu', 1)[Symbol.dispose]();
});
