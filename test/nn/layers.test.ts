/** Layers against their formulas in f64, and against each other. */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { input, type Value } from '../../src/engine/graph/graph.ts';
import { mul, scalar } from '../../src/engine/graph/ops.ts';
import { Session } from '../../src/engine/runtime/session.ts';
import { type Tensor, tensor } from '../../src/engine/runtime/tensor.ts';
import {
  attention,
  attentionWeights,
  causalMask,
  embeddingTable,
  hidden,
  layerNorm,
  linear,
  linearParts,
  mergeHeads,
  splitHeads,
} from '../../src/nn/layers.ts';
import { Scope } from '../../src/nn/scope.ts';

const random = createRandom(5);
function drawn(...shape: number[]): Tensor<'f32'> {
  const size = shape.reduce((product, n) => product * n, 1);
  return tensor(
    'f32',
    shape,
    Float32Array.from({ length: size }, () => random.normal()),
  );
}

async function run(outputs: Record<string, Value>, feeds: Record<string, Tensor>) {
  using session = await Session.open(outputs, { threads: 1 });
  return await session.run(feeds);
}

const floats = ({ data }: Tensor): number[] => Array.from(data, Number);

function expectClose(found: Tensor, wanted: readonly number[], most = 1e-5): void {
  expect(found.data.length).toBe(wanted.length);
  for (const [i, value] of floats(found).entries())
    expect(Math.abs(value - wanted[i])).toBeLessThan(most);
}

/** x W' + b in f64, of x [rows, in] and W [out, in]. */
function affine(x: Tensor, weight: Tensor, bias?: Tensor, scale = 1): number[] {
  const [out, width] = weight.shape;
  const rows = x.data.length / width;
  return Array.from({ length: rows * out }, (_, at) => {
    const [row, column] = [Math.floor(at / out), at % out];
    let sum = 0;
    for (let k = 0; k < width; k++)
      sum += Number(x.data[row * width + k]) * Number(weight.data[column * width + k]);
    return scale * sum + Number(bias?.data[column] ?? 0);
  });
}

describe('linear', () => {
  const [x, weight, bias] = [drawn(2, 3, 4), drawn(6, 4), drawn(6)];
  const feeds = { x, weight, bias };

  it("is x W' + b", async () => {
    const y = linear(new Scope(), input('x', 'f32', [2, 'n', 4]), 6);
    const result = await run({ y }, feeds);
    expect(result.y.shape).toEqual([2, 3, 6]);
    expectClose(result.y, affine(x, weight, bias));
  });

  it('in parts is cut where the whole would be', async () => {
    const parts = linearParts(new Scope(), input('x', 'f32', [2, 'n', 4]), 6, 3);
    const result = await run({ a: parts[0], b: parts[1], c: parts[2] }, feeds);
    const whole = affine(x, weight, bias);
    for (const [i, part] of [result.a, result.b, result.c].entries()) {
      expect(part.shape).toEqual([2, 3, 2]);
      expectClose(
        part,
        whole.filter((_, at) => Math.floor((at % 6) / 2) === i),
      );
    }
  });

  it.each([1, 2])('with an adapter is the layer of the merged weight, in %i parts', async (n) => {
    const scope = new Scope({ rank: 2, scale: 0.5, adapts: () => true });
    const parts = linearParts(scope, input('x', 'f32', [2, 'n', 4]), 6, n);
    const [a, b] = [drawn(2, 4), drawn(6, 2)];
    const outputs = Object.fromEntries(parts.map((part, i) => [`part${i}`, part]));
    const result = await run(outputs, { ...feeds, lora_A: a, lora_B: b });
    const plain = affine(x, weight, bias);
    const low = tensor('f32', [6, 2], Float32Array.from(affine(x, a)));
    const whole = affine(low, b, undefined, 0.5).map((value, i) => value + plain[i]);
    for (const [i, part] of Object.values(result).entries())
      expectClose(
        part,
        whole.filter((_, at) => Math.floor((at % 6) / (6 / n)) === i),
      );
  });

  it('begins with a B of zeros, so that an adapter changes nothing', () => {
    const scope = new Scope({ rank: 2, scale: 1, adapts: () => true });
    linear(scope, input('x', 'f32', ['n', 4]), 6);
    const begins = Object.fromEntries(
      scope.parameters.map(({ name, initializer }) => [name, initializer]),
    );
    expect(begins.lora_B).toEqual({ kind: 'zeros' });
    // PEFT draws A uniformly within 1 / sqrt(width): this is that deviation.
    expect(begins.lora_A).toEqual({ kind: 'normal', deviation: 1 / Math.sqrt(12) });
  });
});

describe('layerNorm', () => {
  it('has mean bias and deviation weight in each row, but for epsilon', async () => {
    const [x, weight, bias] = [drawn(3, 8), drawn(8), drawn(8)];
    const epsilon = 1e-3;
    const y = layerNorm(new Scope(), input('x', 'f32', ['n', 8]), epsilon);
    const result = await run({ y }, { x, weight, bias });
    const wanted = [0, 1, 2].flatMap((row) => {
      const values = floats(x).slice(row * 8, row * 8 + 8);
      const mean = values.reduce((a, b) => a + b) / 8;
      const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / 8;
      return values.map(
        (v, i) => ((v - mean) / Math.sqrt(variance + epsilon)) * weight.data[i] + bias.data[i],
      );
    });
    expectClose(result.y, wanted);
  });
});

describe('heads', () => {
  it('hold neighbouring columns, and merge to what was split', async () => {
    const x = drawn(2, 3, 8);
    const heads = splitHeads(input('x', 'f32', ['b', 'n', 8]), 4);
    const result = await run({ heads, merged: mergeHeads(heads) }, { x });
    expect(result.heads.shape).toEqual([2, 4, 3, 2]);
    expect(result.merged).toEqual(x);
    for (let b = 0; b < 2; b++)
      for (let head = 0; head < 4; head++)
        for (let t = 0; t < 3; t++)
          for (let i = 0; i < 2; i++)
            expect(result.heads.data[((b * 4 + head) * 3 + t) * 2 + i]).toBe(
              x.data[(b * 3 + t) * 8 + head * 2 + i],
            );
  });
});

describe('attention', () => {
  const [q, k, v] = [drawn(1, 2, 3, 4), drawn(1, 2, 5, 4), drawn(1, 2, 5, 4)];
  const inputs = (queries = 3, keys = 5) =>
    [
      input('q', 'f32', [1, 2, queries, 4]),
      input('k', 'f32', [1, 2, keys, 4]),
      input('v', 'f32', [1, 2, keys, 4]),
    ] as const;

  /** softmax(q k' / 2 + mask), by head and query. */
  function weightsByHand(seen: (query: number, key: number) => boolean): number[] {
    return [0, 1].flatMap((head) =>
      [0, 1, 2].flatMap((query) => {
        const scores = [0, 1, 2, 3, 4].map((key) => {
          let dot = 0;
          for (let i = 0; i < 4; i++)
            dot += q.data[(head * 3 + query) * 4 + i] * k.data[(head * 5 + key) * 4 + i];
          return seen(query, key) ? Math.exp(dot / 2) : 0;
        });
        const sum = scores.reduce((a, b) => a + b);
        return scores.map((score) => score / sum);
      }),
    );
  }

  it('weighs the keys by the scaled products, under a causal mask those before', async () => {
    const [queries, keys, values] = inputs();
    const mask = causalMask(3, 2);
    const outputs = {
      free: attentionWeights(queries, keys),
      causal: attentionWeights(queries, keys, mask),
      y: attention(queries, keys, values, mask),
    };
    const result = await run(outputs, { q, k, v });
    expectClose(
      result.free,
      weightsByHand(() => true),
    );
    const causal = weightsByHand((query, key) => key <= query + 2);
    expectClose(result.causal, causal);
    const wanted = [0, 1].flatMap((head) =>
      [0, 1, 2].flatMap((query) =>
        [0, 1, 2, 3].map((i) =>
          [0, 1, 2, 3, 4].reduce(
            (sum, key) =>
              sum + causal[(head * 3 + query) * 5 + key] * Number(v.data[(head * 5 + key) * 4 + i]),
            0,
          ),
        ),
      ),
    );
    expectClose(result.y, wanted);
  });

  it('with keys that stand before gives what the whole text gives', async () => {
    const whole = drawn(1, 2, 5, 4);
    const all = inputs(5, 5);
    const last = inputs(3, 5);
    const full = await run({ y: attention(...all, causalMask(5, 0)) }, { q: whole, k, v });
    const tail = Float32Array.from(
      [0, 1].flatMap((head) => floats(whole).slice((head * 5 + 2) * 4, (head + 1) * 20)),
    );
    const part = await run(
      { y: attention(...last, causalMask(3, 2)) },
      { q: tensor('f32', [1, 2, 3, 4], tail), k, v },
    );
    expectClose(
      part.y,
      [0, 1].flatMap((head) => floats(full.y).slice((head * 5 + 2) * 4, (head + 1) * 20)),
      1e-6,
    );
  });

  it('hands its weights to a hook', async () => {
    const [queries, keys, values] = inputs();
    const plain = await run({ y: attention(queries, keys, values) }, { q, k, v });
    const twice = attention(queries, keys, values, undefined, (w) => mul(w, scalar(2)));
    const result = await run({ y: twice }, { q, k, v });
    expectClose(
      result.y,
      floats(plain.y).map((value) => 2 * value),
    );
  });
});

describe('causalMask', () => {
  it('hides what comes later, at any length', async () => {
    const x = input('x', 'f32', ['n', 'past']);
    const [queries, past] = x.shape;
    const outputs = { mask: causalMask(queries, past), y: mul(x, scalar(1)) };
    using session = await Session.open(outputs, { threads: 1 });
    for (const [n, before] of [
      [1, 1],
      [3, 2],
      [4, 1],
    ]) {
      const { mask } = await session.run({ x: tensor('f32', [n, before]) });
      expect(mask.shape).toEqual([n, n + before]);
      expect(floats(mask)).toEqual(
        Array.from({ length: n * (n + before) }, (_, at) =>
          at % (n + before) <= before + Math.floor(at / (n + before)) ? 0 : hidden,
        ),
      );
    }
  });
});

it('declares an embedding as PyTorch names it', () => {
  const scope = new Scope();
  expect(embeddingTable(scope.at('word_embeddings'), 10, 4).shape).toEqual([10, 4]);
  expect(scope.parameters.map(({ name }) => name)).toEqual(['word_embeddings.weight']);
});
