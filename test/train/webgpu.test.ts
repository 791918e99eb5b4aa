/** Training on WebGPU takes the steps that it takes on the CPU. */
import { describe, expect, it } from 'vitest';
import { hasWebgpu, runOnWebgpu } from '../engine/on-webgpu.ts';

interface Line {
  readonly device: string;
  readonly values: readonly number[];
}

describe.skipIf(!hasWebgpu)('training on WebGPU', () => {
  it('equals training on the CPU: losses, gradient norms, validation', async () => {
    const lines = (await runOnWebgpu('train/programs/webgpu-train.ts')) as Line[];
    const of = (device: string) =>
      lines.filter((line) => line.device === device).flatMap(({ values }) => values);
    expect(of('cpu').length).toBeGreaterThanOrEqual(6);
    expect(of('webgpu')).toHaveLength(of('cpu').length);
    for (const [i, wanted] of of('cpu').entries())
      expect(Math.abs(of('webgpu')[i] - wanted)).toBeLessThan(1e-4 * Math.abs(wanted));
  }, 240_000);
});
