/** 8-bit weights: no further from the weights than half a step, in every column's own step. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { input, parameter } from '../../src/engine/graph/graph.ts';
import { matmul, split } from '../../src/engine/graph/ops.ts';
import { Session } from '../../src/engine/runtime/session.ts';
import { tensor } from '../../src/engine/runtime/tensor.ts';
import {
  byteBlock,
  byteBlocksOf,
  quantizeBlocks,
  quantizeByteBlocks,
  quantizeGraph,
  quantizeRows,
} from '../../src/generation/quantisation.ts';

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

describe('8-bit weights in blocks', () => {
  const [rows, columns, block] = [3, 96, 32];
  const random = createRandom(5);
  const values = Float32Array.from({ length: (rows + 1) * columns }, () => random.normal());

  it('are at most half a step from what they were', () => {
    expect([256, 768, 384, 96, 100].map(byteBlock)).toEqual([256, 256, 128, 32, undefined]);
    const { matrix, scale } = quantizeByteBlocks(values, { start: 1, rows, columns });
    expect([matrix.length, scale.length]).toEqual([rows * columns, (rows * columns) / block]);
    for (const [i, byte] of matrix.entries()) {
      const step = scale[Math.floor(i / block)];
      expect(byte).toBeGreaterThan(0);
      expect(Math.abs((byte - 128) * step - values[columns + i])).toBeLessThanOrEqual(
        step * 0.5001,
      );
    }
  });

  it('stay the same numbers where they are rounded already', () => {
    const stored = Int8Array.from({ length: rows * columns }, (_, i) => ((i * 37) % 255) - 127);
    const { matrix, scale } = byteBlocksOf(stored, Float32Array.of(1, 2, 3), columns);
    expect([...matrix]).toEqual([...stored].map((value) => value + 128));
    expect([...scale]).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3]);
  });

  it('multiply by activations that are rounded block by block', async () => {
    const x = input('x', 'f32', ['n', columns]);
    const outputs = { y: matmul(x, parameter('w', [rows, columns]), { transB: true }) };
    const { outputs: made, weights } = quantizeGraph(outputs, () => 'int8-blocks');
    const [{ matrix: name, scale: scales }] = weights;
    const { matrix, scale } = quantizeByteBlocks(values, { start: 0, rows, columns });
    using session = await Session.open(made);
    const fed = Float32Array.from({ length: 2 * columns }, () => random.normal());
    const { y } = await session.run({
      x: tensor('f32', [2, columns], fed),
      [name]: tensor('u8', [rows, columns / block, block], matrix),
      [scales]: tensor('f32', [scale.length], scale),
    });
    for (const [i, got] of y.data.entries()) {
      const [n, row] = [Math.floor(i / rows), i % rows];
      let exact = 0;
      let size = 0;
      for (let k = 0; k < columns; k++) {
        const product = fed[n * columns + k] * values[row * columns + k];
        exact += product;
        size += Math.abs(product);
      }
      expect(Math.abs(Number(got) - exact)).toBeLessThan(0.01 * size);
    }
  });
});
