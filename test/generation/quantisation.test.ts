/** 8-bit weights: no further from the weights than half a step, in every column's own step. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { input, parameter } from '../../src/engine/graph/graph.ts';
import { matmul, split } from '../../src/engine/graph/ops.ts';
import { quantizeBlocks, quantizeGraph, quantizeRows } from '../../src/generation/quantisation.ts';

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

it('rounds blocks of 32 columns to 16 steps, none of which is further off than half a step', () => {
  const value = fc.integer({ min: -1000, max: 1000 }).map((i) => i / 7);
  fc.assert(
    fc.property(fc.array(value, { minLength: 160, maxLength: 160 }), (list) => {
      const values = Float32Array.from(list);
      const columns = 40;
      const { matrix, scale } = quantizeBlocks(values, { start: 1, rows: 3, columns });
      expect([matrix.length, scale.length]).toEqual([96, 6]);
      for (let row = 0; row < 3; row++)
        for (let k = 0; k < columns; k++) {
          const at = (row * 2 + Math.floor(k / 32)) * 32 + (k % 32);
          const half = at % 2 === 0 ? matrix[at >> 1] & 15 : matrix[at >> 1] >> 4;
          const step = scale[row * 2 + Math.floor(k / 32)];
          const error = Math.abs((half - 8) * step - values[(row + 1) * columns + k]);
          // The steps end at -8 and 7: the far side of the largest may be a whole step off.
          expect(error).toBeLessThanOrEqual(Math.abs(step) * 1.0001);
          if (half < 15) expect(error).toBeLessThanOrEqual(Math.abs(step) * 0.5001);
        }
      // What stands behind the last column is 0.
      for (let row = 0; row < 3; row++)
        expect([...matrix.subarray(row * 32 + 20, row * 32 + 32)]).toEqual(Array(12).fill(0x88));
    }),
  );
});

it('leaves it to the caller which products have how many bits', () => {
  const x = input('x', 'f32', ['n', 32]);
  const product = (name: string) => matmul(x, parameter(name, [5, 32]), { transB: true });
  const outputs = { few: product('a'), more: product('b') };
  const { outputs: made, weights } = quantizeGraph(outputs, ({ source }) =>
    source === 'a' ? 'int4' : 'int8',
  );
  expect([made.few.node.op, made.more.node.op]).toEqual([
    'blockQuantizedMatmul',
    'dynamicQuantizeMatmul',
  ]);
  expect(weights.map(({ kind }) => kind)).toEqual(['int4', 'int8']);
});
