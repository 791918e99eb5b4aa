/** The memory estimate: counted by hand on small graphs, and against what the process takes on a large one. */
import { describe, expect, it } from 'vitest';
import { gradients } from '../../src/engine/graph/gradient.ts';
import { checkpoint, input, parameter } from '../../src/engine/graph/graph.ts';
import { peakBytes } from '../../src/engine/graph/memory.ts';
import { add, exp, matmul, reduceSum, reshape, tanh } from '../../src/engine/graph/ops.ts';
import { Session } from '../../src/engine/runtime/session.ts';
import { tensor } from '../../src/engine/runtime/tensor.ts';

const sizes = new Map([['n', 10]]);

describe('peakBytes', () => {
  it('frees values after their last reader', () => {
    const x = input('x', 'f32', ['n', 25]);
    // Two of 1,000 bytes live at once, however long the chain.
    let y = x;
    for (let i = 0; i < 6; i++) y = tanh(y);
    expect(peakBytes([y], sizes)).toBe(2000);
    // The first is held until the end by its second reader.
    const first = exp(x);
    expect(peakBytes([add(first, tanh(tanh(first)))], sizes)).toBe(3000);
  });

  it('counts outputs to the end, views once and inputs not at all', () => {
    const x = input('x', 'f32', ['n', 25]);
    const kept = exp(x);
    expect(peakBytes([kept, tanh(tanh(tanh(kept)))], sizes)).toBe(3000);
    expect(peakBytes([reshape(exp(x), [25, 'n'])], sizes)).toBe(1000);
    expect(peakBytes([x], sizes)).toBe(0);
  });

  it('tells what recomputing saves', () => {
    const loss = (block: (build: () => ReturnType<typeof tanh>) => ReturnType<typeof tanh>) => {
      const x = input('x', 'f32', ['n', 64]);
      let y = x;
      const weights = Array.from({ length: 8 }, (_, i) => parameter(`w${i}`, [64, 64]));
      for (const w of weights) {
        const before = y;
        y = block(() => tanh(exp(tanh(exp(matmul(before, w))))));
      }
      return gradients(reduceSum(y), weights);
    };
    const many = new Map([['n', 10_000]]);
    expect(peakBytes(loss(checkpoint), many)).toBeLessThan(
      0.6 *
        peakBytes(
          loss((build) => build()),
          many,
        ),
    );
  });
});

describe('memoryLimit', () => {
  it('refuses a run that needs more, and lets a smaller one through', async () => {
    const x = input('x', 'f32', ['n', 256]);
    using session = await Session.open({ y: tanh(tanh(x)) }, { threads: 1, memoryLimit: 2 ** 20 });
    const run = (n: number) => session.run({ x: tensor('f32', [n, 256]) });
    await expect(run(1024)).rejects.toThrow(
      'the graph needs about 2 MiB for inputs of n 1024, more than the memory limit of 1 MiB; feed less at a time',
    );
    expect((await run(512)).y.shape).toEqual([512, 256]);
  });
});
