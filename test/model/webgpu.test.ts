/** The whole model on WebGPU gives what it gives on the CPU. */
import { describe, expect, it } from 'vitest';
import { hasWebgpu, runOnWebgpu } from '../engine/on-webgpu.ts';

interface Difference {
  readonly name: string;
  readonly difference: number;
  readonly largest: number;
}

describe.skipIf(!hasWebgpu)('the model on WebGPU', () => {
  it('equals the CPU: image tokens, and logits word by word', async () => {
    const lines = (await runOnWebgpu('model/programs/webgpu-model.ts')) as Difference[];
    expect(lines.map(({ name }) => name)).toEqual([
      'tokens',
      ...[0, 1, 2].flatMap((step) => [`logits ${step}`, `normalizer ${step}`]),
    ]);
    // Sums in another order over a whole model; an op alone is held to 1e-4 of its scale.
    for (const { name, difference, largest } of lines)
      expect(difference, name).toBeLessThan(1e-4 * largest);
  });
});
