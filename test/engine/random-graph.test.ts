/**
 * Random compositions of ops: inferred shapes are the run's, gradients are finite differences, the
 * simplifier changes nothing, and ONNX Runtime agrees with the evaluator, at two bindings of the sizes.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRandom, type Random } from '../../src/base/random.ts';
import { gradients } from '../../src/engine/graph/gradient.ts';
import { checkpoint, input, parameter, type Value } from '../../src/engine/graph/graph.ts';
import * as ops from '../../src/engine/graph/ops.ts';
import { simplify } from '../../src/engine/graph/simplify.ts';
import { Session } from '../../src/engine/runtime/session.ts';
import './allclose.ts';
import { type Dense, fill, toDense, toTensor } from './dense.ts';
import { centralDifferences } from './differences.ts';
import { evaluate } from './evaluator.ts';

type Step = (x: Value, random: Random, pool: readonly Value[]) => Value;

function pick<T>(items: readonly T[], random: Random): T {
  return items[random.integer(items.length)];
}

function axisOf(x: Value, random: Random): number {
  return random.integer(x.shape.length) - (random.integer(2) ? x.shape.length : 0);
}

/** A value of the pool that broadcasts with x, or x itself. */
function partner(x: Value, random: Random, pool: readonly Value[]): Value {
  const fitting = pool.filter(
    (y) =>
      y.shape.length <= x.shape.length &&
      y.shape.every((d, i) => d === x.shape[i + x.shape.length - y.shape.length]),
  );
  return pick([x, ...fitting], random);
}

const bounded =
  (f: (x: Value) => Value): Step =>
  (x) =>
    f(ops.tanh(x));

/** Smooth steps that keep numbers small, so that finite differences stay exact. */
const steps: Readonly<Record<string, Step>> = {
  unary: (x, random) =>
    pick([ops.sin, ops.cos, ops.tanh, ops.sigmoid, ops.gelu, ops.erf, ops.neg], random)(x),
  exp: bounded(ops.exp),
  log: bounded((x) => ops.log(ops.add(ops.square(x), 1))),
  sqrt: bounded((x) => ops.sqrt(ops.add(ops.square(x), 1))),
  pow: bounded((x) => ops.pow(ops.add(ops.square(x), 0.5), 1.5)),
  divide: (x, random, pool) => ops.div(x, ops.add(ops.square(partner(x, random, pool)), 1)),
  binary: (x, random, pool) =>
    pick([ops.add, ops.sub, ops.mul], random)(ops.tanh(x), partner(x, random, pool)),
  softmax: (x, random) =>
    x.shape.length > 0 ? pick([ops.softmax, ops.logSoftmax], random)(x, axisOf(x, random)) : x,
  matmul: (x, random) => {
    if (x.shape.length < 2) return x;
    const small = ops.tanh(x);
    if (random.integer(2)) return ops.matmul(small, x, { transA: true, alpha: 0.5 });
    return ops.matmul(ops.matmul(small, x, { transB: true }), x, { alpha: 0.3 });
  },
  project: (x, random) => {
    const width = x.shape.at(-1);
    if (x.shape.length < 2 || typeof width !== 'number') return x;
    const out = 1 + random.integer(4);
    return ops.matmul(x, parameter(`p${width}x${out}`, [out, width]), { transB: true });
  },
  transpose: (x, random) => {
    const order = [...x.shape.keys()];
    for (let i = order.length - 1; i > 0; i--) {
      const j = random.integer(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return ops.transpose(x, order);
  },
  merge: (x, random) => {
    if (x.shape.length < 2) return x;
    const first = random.integer(x.shape.length - 1);
    return ops.mergeDims(x, first, first + 1);
  },
  reduce: (x, random) => {
    if (x.shape.length < 2) return x;
    const axes = [axisOf(x, random)];
    return pick([ops.reduceSum, ops.reduceMean], random)(x, axes, random.integer(2) === 1);
  },
  expand: (x) => ops.expand(x, [2, ...x.shape]),
  concat: (x, random) => {
    if (x.shape.length === 0) return x;
    return ops.concat([x, ops.sin(x), x], axisOf(x, random));
  },
  slice: (x) => {
    const axis = [...x.shape.keys()].find((i) => Number(x.shape[i]) >= 2);
    return axis === undefined ? x : ops.slice(x, axis, 1, Number(x.shape[axis]));
  },
  pad: (x, random) =>
    ops.pad(
      x,
      x.shape.map(() => random.integer(2)),
      x.shape.map(() => random.integer(2)),
      0.5,
    ),
  cumulative: (x, random) =>
    x.shape.length > 0
      ? ops.cumulativeSum(ops.tanh(x), axisOf(x, random), random.integer(2) === 1)
      : x,
  gather: (x, random) => {
    const axis = [...x.shape.keys()].find((i) => Number(x.shape[i]) >= 2);
    if (axis === undefined) return x;
    const picks = ops.cast(ops.less(ops.iota(3), 1 + random.integer(2)), 'i32');
    return ops.gather(x, picks, axis);
  },
  choose: (x) => ops.where(ops.greater(ops.stopGradient(ops.sin(ops.mul(x, 0))), -1), x, 0),
  checkpoint: (x) => checkpoint(() => ops.mul(ops.sin(ops.tanh(x)), ops.cos(x))),
  norm: (x) => {
    const width = x.shape.at(-1);
    if (typeof width !== 'number' || width < 2) return x;
    // A deviation far from 0 keeps the fourth derivative small.
    const [scale, bias] = [parameter(`s${width}`, [width]), parameter(`b${width}`, [width])];
    return ops.layerNorm(x, scale, bias, 1);
  },
};

interface Plan {
  readonly seed: number;
  readonly names: readonly string[];
}

const plans: fc.Arbitrary<Plan> = fc.record({
  seed: fc.nat(),
  names: fc.array(fc.constantFrom(...Object.keys(steps)), { minLength: 1, maxLength: 7 }),
});

/** Bounds the work: a value that grew too large is averaged over its first axis. */
function trimmed(x: Value): Value {
  if (x.shape.length > 4) return trimmed(ops.reduceMean(x, [0]));
  const size = x.shape.reduce<number>((n, d) => n * (typeof d === 'number' ? d : 3), 1);
  return size > 120 && x.shape.length > 0 ? trimmed(ops.reduceMean(x, [0])) : x;
}

function build({ seed, names }: Plan): { value: Value; inputs: readonly Value[] } {
  const random = createRandom(seed);
  const x = input('x', 'f32', ['n', 3]);
  const y = input('y', 'f32', [3]);
  const pool: Value[] = [x, y];
  let value = x;
  for (const name of names) {
    value = trimmed(steps[name](value, random, pool));
    pool.push(value);
  }
  return { value, inputs: [x, y] };
}

function feedsOf(values: readonly Value[], n: number): Record<string, Dense> {
  const random = createRandom(n);
  const feeds: Record<string, Dense> = {};
  const seen = new Set<Value>();
  const visit = (value: Value): void => {
    if (seen.has(value)) return;
    seen.add(value);
    for (const inner of value.node.inputs) visit(inner);
    if (value.node.op !== 'input' && value.node.op !== 'parameter') return;
    const shape = value.shape.map((d) => (d === 'n' ? n : Number(d)));
    feeds[value.node.attributes.name] ??= fill('f32', shape, () =>
      Math.fround(random.normal() / 2),
    );
  };
  values.forEach(visit);
  return feeds;
}

const single = { relative: 1e-4, absolute: 1e-4 };
const byDifferences = { relative: 1e-6, absolute: 1e-6 };

test('random graphs: shapes, gradients, simplifier and ONNX Runtime', async () => {
  await fc.assert(
    fc.asyncProperty(plans, async (plan) => {
      const { value, inputs } = build(plan);
      const loss = ops.reduceMean(ops.sin(value));
      const made = gradients(loss, inputs);
      const outputs = [value, loss, ...made];
      const named = Object.fromEntries(outputs.map((v, i) => [`y${i}`, v]));
      using session = await Session.open(named, { threads: 1 });
      for (const n of [2, 3]) {
        const feeds = feedsOf([...outputs, ...inputs], n);
        // The evaluator itself compares inferred with computed shapes, node by node.
        const expected = evaluate(outputs, feeds);
        for (const [i, simple] of evaluate(simplify(outputs), feeds).entries())
          expect(simple).toBeAllclose(expected[i], { relative: 1e-9, absolute: 1e-9 });
        const fed = [...session.inputs.keys()].map((name) => [name, toTensor(feeds[name])]);
        const results = await session.run(Object.fromEntries(fed));
        for (const [i, v] of expected.entries())
          expect(toDense(results[`y${i}`])).toBeAllclose(v, single);
        for (const [i, name] of ['x', 'y'].entries()) {
          const gradient = expected[i + 2];
          const differences = centralDifferences(gradient, loss, feeds, name);
          expect(gradient).toBeAllclose(differences, byDifferences);
        }
      }
    }),
    { numRuns: 80, seed: 20240607 },
  );
});
