/** Reverse-mode differentiation over whole graphs: targets, seeds, stops, sharing, symbolic sizes, checkpoints. */
import { describe, expect, test } from 'vitest';
import { gradients } from '../../src/engine/graph/gradient.ts';
import {
  checkpoint,
  GraphError,
  input,
  parameter,
  topologicalOrder,
  type Value,
} from '../../src/engine/graph/graph.ts';
import {
  add,
  argMax,
  cast,
  exp,
  floor,
  full,
  gather,
  gelu,
  greater,
  layerNorm,
  log,
  logSoftmax,
  matmul,
  mul,
  oneHot,
  pow,
  reduceMean,
  reduceSum,
  reshape,
  sin,
  softmax,
  square,
  stopGradient,
  sub,
  transpose,
  where,
} from '../../src/engine/graph/ops.ts';
import { simplify } from '../../src/engine/graph/simplify.ts';
import { Session } from '../../src/engine/runtime/session.ts';
import './allclose.ts';
import { type Dense, fill, toDense, toTensor } from './dense.ts';
import { centralDifferences } from './differences.ts';
import { evaluate } from './evaluator.ts';

const byDifferences = { relative: 1e-6, absolute: 1e-8 };
const single = { relative: 1e-4, absolute: 1e-5 };

function wave(shape: readonly number[], phase = 0): Dense {
  let i = phase;
  return fill('f32', shape, () => Math.fround(Math.sin(1.7 * i++ + phase)));
}

function expectDifferences(
  loss: Value,
  targets: readonly Value[],
  feeds: Readonly<Record<string, Dense>>,
): void {
  for (const [i, made] of evaluate(gradients(loss, targets), feeds).entries()) {
    const { node } = targets[i];
    const name = node.op === 'input' || node.op === 'parameter' ? node.attributes.name : '';
    expect(made).toBeAllclose(centralDifferences(made, loss, feeds, name), byDifferences);
  }
}

describe('targets', () => {
  const x = input('x', 'f32', [2, 3]);
  const w = parameter('w', [3, 3]);
  const hidden = matmul(x, w);
  const y = reduceSum(square(exp(hidden)));
  const feeds = { x: wave([2, 3]), w: wave([3, 3], 5) };

  test('inputs and parameters', () => expectDifferences(y, [x, w], feeds));

  test('an inner value has the gradient that its own node would have as an input', () => {
    const [made] = gradients(y, [hidden]);
    const cut = input('hidden', 'f32', [2, 3]);
    const rest = reduceSum(square(exp(cut)));
    const [value] = evaluate([hidden], feeds);
    const [gradient] = evaluate([made], feeds);
    const cutFeeds = { hidden: value };
    expect(gradient).toBeAllclose(
      centralDifferences(gradient, rest, cutFeeds, 'hidden'),
      byDifferences,
    );
  });

  test('inner values and inputs together do not disturb each other', () => {
    const [dx, dHidden, dy] = evaluate(gradients(y, [x, hidden, y]), feeds);
    expect(dx).toBeAllclose(evaluate(gradients(y, [x]), feeds)[0], byDifferences);
    expect(dHidden).toBeAllclose(evaluate(gradients(y, [hidden]), feeds)[0], byDifferences);
    expect([...dy.data]).toEqual([1]);
  });

  test('unused targets get zeros of their shape', () => {
    const unused = input('unused', 'f32', [4, 2]);
    const [zeros] = evaluate(gradients(y, [unused]), feeds);
    expect(zeros).toBeAllclose(
      fill('f32', [4, 2], () => 0),
      byDifferences,
    );
  });

  test('a value used many times adds up', () => {
    const z = input('z', 'f32', [3]);
    const many = add(mul(z, z), mul(sin(z), add(z, exp(z))));
    expectDifferences(reduceSum(mul(many, z)), [z], { z: wave([3], 2) });
  });

  test('integers carry no gradient: an index made of a target does not depend on it', () => {
    const hit = oneHot(argMax(x), 3);
    const loss = reduceSum(mul(hit, square(x)));
    expectDifferences(loss, [x], feeds);
    const table = gather(w, argMax(x));
    expectDifferences(reduceSum(mul(table, x)), [x, w], feeds);
  });

  test('a float op without gradient on the path is named', () => {
    expect(() => gradients(reduceSum(floor(x)), [x])).toThrow(
      'gradients: floor has no gradient; wrap its input in stopGradient',
    );
    expect(() => gradients(hidden, [x])).toThrow('needs a scalar or a seed, not f32[2, 3]');
    expect(() => gradients(argMax(x, 0), [x])).toThrow(GraphError);
  });
});

describe('seeds and stops', () => {
  const x = input('x', 'f32', [2, 3]);
  const feeds = { x: wave([2, 3]), seed: wave([2, 3], 3) };

  test('a seed weighs the outputs', () => {
    const seed = input('seed', 'f32', [2, 3]);
    const y = mul(exp(x), x);
    const [made] = evaluate(gradients(y, [x], seed), feeds);
    const [expected] = evaluate(gradients(reduceSum(mul(y, seed)), [x]), feeds);
    expect(made).toBeAllclose(expected, byDifferences);
  });

  test('a seed of another shape or dtype is refused', () => {
    const y = exp(x);
    expect(() => gradients(y, [x], full([3, 2], 1))).toThrow(GraphError);
    expect(() => gradients(y, [x], full([2, 3], 1, 'f16'))).toThrow(GraphError);
  });

  test('stopGradient holds its argument constant', () => {
    const loss = reduceSum(mul(x, stopGradient(exp(x))));
    const [made] = evaluate(gradients(loss, [x]), feeds);
    expect(made).toBeAllclose(evaluate([exp(x)], feeds)[0], byDifferences);
    const [zeros] = evaluate(gradients(reduceSum(stopGradient(x)), [x]), feeds);
    expect([...zeros.data]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test('a power of a negative base has a gradient in the base, none in the exponent', () => {
    const [a, b] = [input('a', 'f32', [2]), input('b', 'f32', [])];
    const fed = { a: fill('f32', [2], ([i]) => -1.5 - i), b: fill('f32', [], () => 2) };
    const [da, db] = evaluate(gradients(reduceSum(pow(a, b)), [a, b]), fed);
    expect([...da.data, ...db.data]).toEqual([-3, -5, 0]);
  });

  test('where passes each gradient to the branch taken, also beside an infinity', () => {
    const safe = where(greater(x, 0), x, 1);
    const loss = reduceSum(where(greater(x, 0), log(safe), 0));
    const [made] = evaluate(gradients(loss, [x]), feeds);
    for (const [i, v] of feeds.x.data.entries())
      expect(made.data[i]).toBeCloseTo(v > 0 ? 1 / v : 0, 10);
  });
});

describe('symbolic sizes', () => {
  const ids = input('ids', 'i32', ['batch', 'length']);
  const table = parameter('table', [7, 4]);
  const w = parameter('w', [4, 4]);
  const scale = parameter('scale', [4]);
  const bias = parameter('bias', [4]);
  const heads = (x: Value) => transpose(reshape(x, ['batch', 'length', 2, 2]), [0, 2, 1, 3]); // [batch, heads, length, headDim]
  const x = layerNorm(gather(table, ids), scale, bias);
  const q = heads(matmul(x, w, { transB: true }));
  const attention = softmax(matmul(q, heads(x), { transB: true, alpha: 0.5 }));
  const mixed = transpose(matmul(attention, q), [0, 2, 1, 3]);
  const states = reshape(mixed, ['batch*length', 4]);
  const logits = matmul(gelu(states), table, { transB: true });
  const loss = reduceMean(mul(logSoftmax(logits), oneHot(reshape(ids, ['batch*length']), 7)));
  const targets = [table, w, scale, bias];
  const made = gradients(loss, targets);
  const weights = {
    table: wave([7, 4]),
    w: wave([4, 4], 1),
    scale: wave([4], 2),
    bias: wave([4], 3),
  };

  function feedsOf(batch: number, length: number): Record<string, Dense> {
    let next = 0;
    return { ...weights, ids: fill('i32', [batch, length], () => (next++ * 5) % 7) };
  }

  test('an attention block with tied embeddings has the gradients of finite differences', () => {
    expectDifferences(loss, targets, feedsOf(2, 3));
  });

  test('one session serves all sizes, empty ones too', async () => {
    const outputs = { loss, states, g0: made[0], g1: made[1], g2: made[2], g3: made[3] };
    using session = await Session.open(outputs);
    for (const [batch, length] of [
      [2, 3],
      [1, 1],
      [3, 5],
      [0, 4],
      [2, 3],
    ]) {
      const feeds = feedsOf(batch, length);
      const entries = Object.entries(feeds).map(([name, value]) => [name, toTensor(value)]);
      const results = await session.run(Object.fromEntries(entries));
      const expected = evaluate(Object.values(outputs), feeds);
      for (const [i, name] of Object.keys(outputs).entries()) {
        // The mean of nothing is no number.
        if (batch > 0 || name === 'states')
          expect(toDense(results[name])).toBeAllclose(expected[i], single);
      }
    }
  });
});

describe('checkpoint', () => {
  const w = [0, 1, 2].map((i) => parameter(`w${i}`, [4, 4]));
  const x = input('x', 'f32', ['n', 4]);
  const keep = input('keep', 'bool', ['n', 1]);
  const block = (h: Value, i: number): Value => {
    const inner = gelu(matmul(h, w[i]));
    const gated = where(keep, inner, sin(inner));
    return add(h, sub(matmul(gated, w[i], { transB: true }), reduceMean(gated, [-1], true)));
  };
  const feeds = {
    x: wave([3, 4]),
    keep: fill('bool', [3, 1], ([i]) => i % 2),
    w0: wave([4, 4], 1),
    w1: wave([4, 4], 2),
    w2: wave([4, 4], 3),
  };
  const stack = (wrap: (build: () => Value) => Value): Value =>
    w.reduce((h, _, i) => wrap(() => block(h, i)), x);
  const nested = (): Value =>
    checkpoint(() => {
      const first = block(x, 0);
      const second = checkpoint(() => block(exp(first), 1));
      return block(add(first, second), 2);
    });
  const nestedPlain = (): Value => {
    const first = block(x, 0);
    return block(add(first, block(exp(first), 1)), 2);
  };

  test.each([
    ['one block', () => stack((f) => f()), () => checkpoint(() => stack((f) => f()))],
    ['a block a layer', () => stack((f) => f()), () => stack(checkpoint)],
    ['a block in a block', nestedPlain, nested],
    ['no leaf but the input', () => exp(sin(x)), () => checkpoint(() => exp(sin(x)))],
  ])('%s: the same gradients, first and second', (_, plain, marked) => {
    const results = [plain, marked].map((build) => {
      const loss = reduceSum(square(build()));
      const first = gradients(loss, [x, ...w]);
      const second = gradients(reduceSum(sin(first[0])), [x, ...w]);
      return evaluate(simplify([loss, ...first, ...second]), feeds);
    });
    for (const [i, value] of results[1].entries())
      expect(value).toBeAllclose(results[0][i], { relative: 1e-12, absolute: 1e-12 });
  });

  test('the gradient of a value inside a block is found', () => {
    let inner = x;
    const y = checkpoint(() => {
      inner = sin(matmul(x, w[0]));
      return exp(matmul(inner, w[1]));
    });
    const plain = exp(matmul(inner, w[1]));
    const [made] = evaluate(gradients(reduceSum(y), [inner]), feeds);
    const [expected] = evaluate(gradients(reduceSum(plain), [inner]), feeds);
    expect(made).toBeAllclose(expected, byDifferences);
  });

  test('an f16 or integer value that enters a block does not break it', () => {
    const half = cast(x, 'f16');
    const y = checkpoint(() => cast(exp(mul(half, half)), 'f32'));
    const [made] = evaluate(gradients(reduceSum(y), [x]), feeds);
    const z = exp(mul(x, x));
    const [expected] = evaluate(gradients(reduceSum(z), [x]), feeds);
    expect(made).toBeAllclose(expected, byDifferences);
  });

  test('every gelu of a marked block is computed again after the forward pass', () => {
    const count = (build: () => Value): number => {
      const loss = reduceSum(square(build()));
      const order = topologicalOrder(simplify([loss, ...gradients(loss, w)]));
      return order.filter(({ op }) => op === 'gelu').length;
    };
    expect(count(() => stack((f) => f()))).toBe(3);
    expect(count(() => stack(checkpoint))).toBe(6);
  });

  test('an error inside leaves no block open', () => {
    expect(() =>
      checkpoint(() => {
        throw new Error('stop');
      }),
    ).toThrow('stop');
    expect(exp(x).node.block).toBeUndefined();
  });
});
