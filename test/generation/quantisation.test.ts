/** 8-bit weights: no further from the weights than half a step, in every column's own step. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { input, parameter } from '../../src/engine/graph/graph.ts';
import { matmul, split } from '../../src/engine/graph/ops.ts';
import { quantizeGraph, quantizeRows } from '../../src/generation/quantisation.ts';

it('rounds each row to whole steps of its largest weight', () => {
  const value = fc.integer({ min: -1000, max: 1000 }).map((i) => i / 7);
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 12, maxLength: 12 }),
      fc.constantFrom(63, 127),
      (list, limit) => {
        const values = Float32Array.from(list);
        const part = { start: 1, rows: 3, columns: 3 };
        const { matrix, scale } = quantizeRows(values, part, limit);
        for (let row = 0; row < 3; row++) {
          const own = values.subarray(3 * (row + 1), 3 * (row + 2));
          const largest = Math.max(...own.map(Math.abs));
          if (largest > 0) expect(scale[row] * limit).toBeCloseTo(largest, 3);
          for (let i = 0; i < 3; i++) {
            const whole = matrix[3 * i + row];
            expect(Math.abs(whole)).toBeLessThanOrEqual(limit);
            expect(Math.abs(whole * scale[row] - own[i])).toBeLessThanOrEqual(scale[row] * 0.5001);
          }
        }
      },
    ),
  );
});

it('takes the place of products with weights and their parts, and of no others', () => {
  const x = input('x', 'f32', ['n', 4]);
  const [, second] = split(parameter('fused', [6, 4]), 0, 2);
  const outputs = {
    whole: matmul(x, parameter('weight', [5, 4]), { transB: true }),
    part: matmul(x, second, { transB: true }),
    square: matmul(x, x, { transB: true }),
  };
  const { outputs: made, weights } = quantizeGraph(outputs);
  expect(Object.values(made).map(({ node }) => node.op)).toEqual([
    'dynamicQuantizeMatmul',
    'dynamicQuantizeMatmul',
    'matmul',
  ]);
  expect(weights.map(({ source, start, rows }) => [source, start, rows])).toEqual([
    ['weight', 0, 5],
    ['fused', 3, 3],
  ]);
  for (const [name, { shape }] of Object.entries(outputs)) expect(made[name].shape).toEqual(shape);
});
