/** Losses against their formulas in f64. */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { input } from '../../src/engine/graph/graph.ts';
import { Session } from '../../src/engine/runtime/session.ts';
import { tensor } from '../../src/engine/runtime/tensor.ts';
import { crossEntropy, klDivergence } from '../../src/nn/losses.ts';

const [positions, classes] = [6, 9];
const random = createRandom(11);
const draw = () => Float32Array.from({ length: positions * classes }, () => 3 * random.normal());
const logits = draw();
const others = draw();
const labels = Int32Array.of(0, 8, -100, 3, -100, 3);

function logProbabilities(values: Float32Array, row: number): number[] {
  const z = Array.from(values.subarray(row * classes, (row + 1) * classes));
  const sum = Math.log(z.reduce((total, x) => total + Math.exp(x), 0));
  return z.map((x) => x - sum);
}

const rows = [0, 1, 3, 5];

describe('losses', () => {
  it.each([0, 0.1, 0.5])('cross-entropy with label smoothing %f', async (labelSmoothing) => {
    const loss = crossEntropy(input('z', 'f32', ['n', classes]), input('labels', 'i32', ['n']), {
      labelSmoothing,
    });
    using session = await Session.open({ ...loss }, { threads: 1 });
    const result = await session.run({
      z: tensor('f32', [positions, classes], logits),
      labels: tensor('i32', [positions], labels),
    });
    const each = rows.map((row) => {
      const p = logProbabilities(logits, row);
      const uniform = -p.reduce((a, b) => a + b, 0) / classes;
      return -(1 - labelSmoothing) * p[labels[row]] + labelSmoothing * uniform;
    });
    const sum = each.reduce((a, b) => a + b, 0);
    expect(result.sum.data[0]).toBeCloseTo(sum, 4);
    expect(result.mean.data[0]).toBeCloseTo(sum / rows.length, 5);
    expect(result.count.data[0]).toBe(rows.length);
  });

  it('is zero and not NaN when every label is ignored', async () => {
    const loss = crossEntropy(input('z', 'f32', ['n', classes]), input('labels', 'i32', ['n']));
    using session = await Session.open({ ...loss }, { threads: 1 });
    const none = new Int32Array(positions).fill(-100);
    const result = await session.run({
      z: tensor('f32', [positions, classes], logits),
      labels: tensor('i32', [positions], none),
    });
    expect(result.mean.data[0]).toBe(0);
  });

  it('Kullback-Leibler divergence, zero between equals', async () => {
    const loss = klDivergence(
      input('p', 'f32', ['n', classes]),
      input('q', 'f32', ['n', classes]),
      input('labels', 'i32', ['n']),
    );
    using session = await Session.open({ ...loss }, { threads: 1 });
    const feeds = {
      p: tensor('f32', [positions, classes], logits),
      q: tensor('f32', [positions, classes], others),
      labels: tensor('i32', [positions], labels),
    };
    const wanted = rows.map((row) => {
      const [p, q] = [logProbabilities(logits, row), logProbabilities(others, row)];
      return p.reduce((sum, x, i) => sum + Math.exp(x) * (x - q[i]), 0);
    });
    const result = await session.run(feeds);
    expect(result.sum.data[0]).toBeCloseTo(
      wanted.reduce((a, b) => a + b, 0),
      4,
    );
    const same = await session.run({ ...feeds, q: feeds.p });
    expect(Math.abs(Number(same.sum.data[0]))).toBeLessThan(1e-6);
  });
});
