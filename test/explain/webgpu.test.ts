/** Explanations on WebGPU are what they are on the CPU. */
import { describe, expect, it } from 'vitest';
import { hasWebgpu, runOnWebgpu } from '../engine/on-webgpu.ts';

interface Difference {
  readonly name: string;
  readonly difference: number;
  readonly largest: number;
}

describe.skipIf(!hasWebgpu)('explanations on WebGPU', () => {
  it('equal those on the CPU', async () => {
    const lines = (await runOnWebgpu('explain/programs/webgpu-explain.ts')) as Difference[];
    expect(lines.length).toBe(4);
    for (const { name, difference, largest } of lines)
      expect(difference, name).toBeLessThan(1e-3 * largest);
  });
});
