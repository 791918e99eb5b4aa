/** The simplifier's named effects, in print. That it changes no result is tested on random graphs. */
import { expect, test } from 'vitest';
import { gradients } from '../../src/engine/graph/gradient.ts';
import { input, parameter, type Value } from '../../src/engine/graph/graph.ts';
import {
  add,
  div,
  expand,
  full,
  gather,
  matmul,
  mul,
  reduceSum,
  reshape,
  sin,
  slice,
  split,
  stopGradient,
  transpose,
} from '../../src/engine/graph/ops.ts';
import { printGraph } from '../../src/engine/graph/print.ts';
import { simplify } from '../../src/engine/graph/simplify.ts';

const x = input('x', 'f32', ['n', 4]);

function simplified(...values: Value[]): string {
  const entries = simplify(values).map((value, i) => [`y${i}`, value]);
  return printGraph(Object.fromEntries(entries));
}

test('equal nodes become one', () => {
  expect(simplified(add(sin(x), sin(x)), mul(sin(x), 2), mul(sin(x), 2))).toMatchInlineSnapshot(`
    "%0 = input(x) : f32[n, 4]
    %1 = sin(%0) : f32[n, 4]
    %2 = constant(2) : f32[]
    %3 = add(%1, %1) : f32[n, 4]
    %4 = mul(%1, %2) : f32[n, 4]
    return y0: %3, y1: %4, y2: %4"
  `);
});

test('what no output needs is gone', () => {
  const parts = split(x, 1, 2);
  sin(x);
  expect(simplified(parts[1])).toMatchInlineSnapshot(`
    "%0 = input(x) : f32[n, 4]
    %1 = split(%0, axis=1, sizes=[2, 2]) : f32[n, 2], f32[n, 2]
    return y0: %1.1"
  `);
});

test('reshapes, transposes and slices that do nothing vanish', () => {
  const there = reshape(reshape(x, ['2*n', 2]), ['n', 4]);
  const back = transpose(transpose(there));
  expect(simplified(stopGradient(slice(back, 1, 0, 4)))).toMatchInlineSnapshot(`
    "%0 = input(x) : f32[n, 4]
    return y0: %0"
  `);
  expect(
    simplified(transpose(transpose(reshape(x, ['n', 2, 2]), [1, 2, 0]), [1, 0, 2])),
  ).toMatchInlineSnapshot(`
    "%0 = input(x) : f32[n, 4]
    %1 = reshape(%0, shape=[n, 2, 2]) : f32[n, 2, 2]
    %2 = transpose(%1, permutation=[2, 1, 0]) : f32[2, 2, n]
    return y0: %2"
  `);
});

test('element-wise ops broadcast without an expand where the shape stays', () => {
  const row = input('row', 'f32', [4]);
  expect(simplified(mul(x, expand(row, ['n', 4])))).toMatchInlineSnapshot(`
    "%0 = input(x) : f32[n, 4]
    %1 = input(row) : f32[4]
    %2 = mul(%0, %1) : f32[n, 4]
    return y0: %2"
  `);
  expect(simplified(div(expand(row, ['n', 4]), 2))).toMatchInlineSnapshot(`
    "%0 = input(row) : f32[4]
    %1 = expand(%0, shape=[n, 4]) : f32[n, 4]
    %2 = constant(2) : f32[]
    %3 = div(%1, %2) : f32[n, 4]
    return y0: %3"
  `);
});

test('x + 0 and x * 1 are x, unless they broadcast', () => {
  expect(simplified(add(mul(full([], 1), x), full(['n', 4], 0)))).toMatchInlineSnapshot(`
    "%0 = input(x) : f32[n, 4]
    return y0: %0"
  `);
  expect(simplified(add(x, full([2, 'n', 4], 0)))).toMatchInlineSnapshot(`
    "%0 = input(x) : f32[n, 4]
    %1 = full(dtype=f32, shape=[2, n, 4], value=0) : f32[2, n, 4]
    %2 = add(%0, %1) : f32[2, n, 4]
    return y0: %2"
  `);
});

test('0 and -0 are two constants', () => {
  const [a, b] = [full([], 0), full([], -0)];
  expect(simplified(div(1, a), div(1, b)).match(/full/g)).toHaveLength(2);
});

test('tied embeddings scatter into the other gradient, without a table of their own', () => {
  const ids = input('ids', 'i32', ['n']);
  const table = parameter('table', [9, 4]);
  const loss = reduceSum(sin(matmul(gather(table, ids), table, { transB: true })));
  const text = simplified(...gradients(loss, [table]));
  expect(text.match(/full\(.*shape=\[9, 4\]/g)).toBeNull();
  expect(text.split('\n').slice(-3).join('\n')).toMatchInlineSnapshot(`
    "%11 = matmul(%9, %2, transA=true, transB=false, alpha=1) : f32[9, 4]
    %12 = scatterAddElements(%11, %8, %10, axis=0) : f32[9, 4]
    return y0: %12"
  `);
});
