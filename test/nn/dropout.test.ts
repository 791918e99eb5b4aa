/** Dropout: the rate, the independence of rows, columns, layers and seeds, and exact repetition. */
import { describe, expect, it } from 'vitest';
import { gradients } from '../../src/engine/graph/gradient.ts';
import { input } from '../../src/engine/graph/graph.ts';
import { mul, reduceSum } from '../../src/engine/graph/ops.ts';
import { Session } from '../../src/engine/runtime/session.ts';
import { tensor } from '../../src/engine/runtime/tensor.ts';
import { channelDropout, dropoutSeed, seededDropout } from '../../src/nn/dropout.ts';

const [rows, columns] = [200, 301];

async function masks(
  rate: number,
  seeds: number[],
): Promise<{ first: Float32Array; second: Float32Array }[]> {
  const x = input('x', 'f32', ['n', columns]);
  const dropout = seededDropout(input('seed', 'i32', []));
  using session = await Session.open(
    { first: dropout(x, rate), second: dropout(x, rate) },
    { threads: 1 },
  );
  const ones = tensor('f32', [rows, columns], new Float32Array(rows * columns).fill(1));
  const results = [];
  for (const seed of seeds) {
    const result = await session.run({ x: ones, seed: tensor('i32', [], Int32Array.of(seed)) });
    results.push({
      first: Float32Array.from(result.first.data, Number),
      second: Float32Array.from(result.second.data, Number),
    });
  }
  return results;
}

/** Share of places where both are kept, against the product of the rates: 0 when independent. */
function dependence(a: ArrayLike<number>, b: ArrayLike<number>, keep: number): number {
  let both = 0;
  for (let i = 0; i < a.length; i++) if (a[i] > 0 && b[i] > 0) both += 1;
  return both / a.length - keep * keep;
}

describe('dropout', () => {
  it('drops the given share and scales the rest', async () => {
    for (const rate of [0.1, 0.25, 0.5]) {
      const [{ first }] = await masks(rate, [dropoutSeed(1, 2, 3)]);
      const kept = first.filter((x) => x > 0);
      // Six standard deviations of a binomial share.
      const bound = 6 * Math.sqrt((rate * (1 - rate)) / first.length);
      expect(Math.abs(kept.length / first.length - (1 - rate))).toBeLessThan(bound);
      expect(new Set(kept)).toEqual(new Set([Math.fround(1 / (1 - rate))]));
    }
  });

  it('draws rows, columns, layers and seeds independently', async () => {
    const rate = 0.3;
    const keep = 1 - rate;
    const [a, b] = await masks(rate, [dropoutSeed(1, 2), dropoutSeed(1, 3)]);
    const whole = 6 * Math.sqrt(0.21 / (rows * columns));
    expect(Math.abs(dependence(a.first, a.second, keep))).toBeLessThan(whole);
    expect(Math.abs(dependence(a.first, b.first, keep))).toBeLessThan(whole);
    const row = (r: number) => a.first.subarray(r * columns, (r + 1) * columns);
    const column = (c: number) => Array.from({ length: rows }, (_, r) => a.first[r * columns + c]);
    // Neighbouring rows and columns over all pairs: their mean dependence must vanish too.
    let sum = 0;
    for (let r = 0; r + 1 < rows; r++) sum += dependence(row(r), row(r + 1), keep);
    expect(Math.abs(sum / (rows - 1))).toBeLessThan(whole * 2);
    let largest = 0;
    for (let c = 0; c + 1 < columns; c++)
      largest = Math.max(largest, Math.abs(dependence(column(c), column(c + 1), keep)));
    expect(largest).toBeLessThan(6 * Math.sqrt(0.21 / rows));
  });

  it('repeats exactly for the same seed', async () => {
    const [a, b] = await masks(0.2, [77, 77]);
    expect(a.first).toEqual(b.first);
    expect(a.second).toEqual(b.second);
  });

  it('passes gradients through the same mask', async () => {
    const x = input('x', 'f32', [4, 64]);
    const y = seededDropout(input('seed', 'i32', []))(x, 0.5);
    const [gradient] = gradients(reduceSum(mul(y, 3)), [x]);
    using session = await Session.open({ y, gradient }, { threads: 1 });
    const ones = tensor('f32', [4, 64], new Float32Array(256).fill(1));
    const result = await session.run({ x: ones, seed: tensor('i32', [], Int32Array.of(5)) });
    expect(Array.from<number | bigint, number>(result.gradient.data, Number)).toEqual(
      Array.from<number | bigint, number>(result.y.data, (v) => Number(v) * 3),
    );
  });

  it('drops whole channels of a row, others in each row', async () => {
    const [images, places, channels] = [8, 5, 400];
    const x = input('x', 'f32', ['images', places, channels]);
    const y = channelDropout(x, 0.3, seededDropout(input('seed', 'i32', [])));
    const [gradient] = gradients(reduceSum(y), [x]);
    using session = await Session.open({ y, gradient }, { threads: 1 });
    const size = images * places * channels;
    const ones = tensor('f32', [images, places, channels], new Float32Array(size).fill(1));
    const result = await session.run({ x: ones, seed: tensor('i32', [], Int32Array.of(9)) });
    const kept = Array.from<number | bigint, number>(result.y.data, Number);
    expect(Array.from<number | bigint, number>(result.gradient.data, Number)).toEqual(kept);
    const place = (i: number, p: number) =>
      kept.slice((i * places + p) * channels, (i * places + p + 1) * channels);
    for (let i = 0; i < images; i++)
      for (let p = 1; p < places; p++) expect(place(i, p)).toEqual(place(i, 0));
    const rows = Array.from({ length: images }, (_, i) => place(i, 0));
    const whole = 6 * Math.sqrt(0.21 / (images * channels));
    const share = rows.flat().filter((v) => v === 0).length / (images * channels);
    expect(Math.abs(share - 0.3)).toBeLessThan(whole);
    for (let i = 1; i < images; i++)
      expect(Math.abs(dependence(rows[i], rows[0], 0.7))).toBeLessThan(
        6 * Math.sqrt(0.21 / channels),
      );
  });

  it('leaves channels alone at rate 0', () => {
    const x = input('x', 'f32', [2, 3, 4]);
    expect(channelDropout(x, 0, seededDropout(input('seed', 'i32', [])))).toBe(x);
  });
});
