/** Fused graphs against the same graphs in the ops of the standard, of which none are fused. */
import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../src/base/random.ts';
import { input, type Value } from '../../../src/engine/graph/graph.ts';
import * as ops from '../../../src/engine/graph/ops.ts';
import { encodeOnnx } from '../../../src/engine/onnx/encode.ts';
import { Session } from '../../../src/engine/runtime/session.ts';
import { type Tensor, tensor } from '../../../src/engine/runtime/tensor.ts';
import { attention, causalMask, mergeHeads, splitHeads } from '../../../src/nn/layers.ts';

type Graph = Readonly<Record<string, Value>>;
const heads = 3;
const width = 12;

function opsOf(outputs: Graph, standardOps = false): string[] {
  const { model } = encodeOnnx(outputs, { standardOps });
  return (fromBinary(ModelProtoSchema, model).graph?.node ?? []).map(({ opType }) => opType ?? '');
}

function random(shape: readonly number[], seed = 1): Tensor<'f32'> {
  const source = createRandom(seed);
  const length = shape.reduce((product, size) => product * size, 1);
  return tensor(
    'f32',
    shape,
    Float32Array.from({ length }, () => source.normal()),
  );
}

/** Runs both ways and compares every output. */
async function expectSame(outputs: Graph, feeds: Readonly<Record<string, Tensor>>): Promise<void> {
  using fused = await Session.open(outputs);
  using plain = await Session.openEncoded(encodeOnnx(outputs, { standardOps: true }));
  const [ours, theirs] = [await fused.run(feeds), await plain.run(feeds)];
  expect(Object.keys(ours)).toEqual(Object.keys(theirs));
  for (const [name, { shape, data }] of Object.entries(theirs)) {
    expect(ours[name].shape).toEqual(shape);
    for (const [i, value] of data.entries())
      expect(Math.abs(Number(ours[name].data[i]) - Number(value))).toBeLessThan(2e-6);
  }
}

describe('attention', () => {
  const q = input('q', 'f32', ['n', 't', width]);
  const k = input('k', 'f32', ['n', 's', width]);
  const v = input('v', 'f32', ['n', 's', width]);
  const seen = mergeHeads(
    attention(splitHeads(q, heads), splitHeads(k, heads), splitHeads(v, heads)),
  );

  it('is one node over heads that lie side by side', async () => {
    expect(opsOf({ seen })).toEqual(['MultiHeadAttention']);
    await expectSame(
      { seen },
      { q: random([2, 3, width]), k: random([2, 70, width], 2), v: random([2, 70, width], 3) },
    );
  });

  it('reads keys and values whose heads lie apart', async () => {
    const key = input('k', 'f32', ['n', heads, 's', width / heads]);
    const value = input('v', 'f32', ['n', heads, 's', width / heads]);
    const crossed = mergeHeads(attention(splitHeads(q, heads), key, value));
    expect(opsOf({ crossed })).toEqual(['MultiHeadAttention']);
    const kv = (seed: number) => random([2, heads, 7, width / heads], seed);
    await expectSame({ crossed }, { q: random([2, 3, width]), k: kv(2), v: kv(3) });
  });

  for (const past of [0, 5])
    it(`grows a cache of ${past} positions under a causal mask`, async () => {
      const cached = (name: string) => input(name, 'f32', ['n', heads, 'past', width / heads]);
      const [x, y] = [input('x', 'f32', ['n', 't', width]), input('y', 'f32', ['n', 't', width])];
      const presentKey = ops.concat([cached('pastKey'), splitHeads(x, heads)], 2);
      const presentValue = ops.concat([cached('pastValue'), splitHeads(y, heads)], 2);
      const mask = causalMask('t', 'past');
      const out = mergeHeads(attention(splitHeads(q, heads), presentKey, presentValue, mask));
      const outputs = { out, presentKey, presentValue };
      const written = opsOf(outputs);
      expect(written).toContain('MultiHeadAttention');
      for (const op of ['Softmax', 'Transpose', 'MatMul']) expect(written).not.toContain(op);
      const cache = (seed: number) => random([2, heads, past, width / heads], seed);
      await expectSame(outputs, {
        ...{ q: random([2, 4, width]), x: random([2, 4, width], 2), y: random([2, 4, width], 3) },
        ...{ pastKey: cache(4), pastValue: cache(5) },
      });
    });

  it('stays as it is where its weights are read, or a mask is of another shape', async () => {
    const [qh, kh, vh] = [q, k, v].map((x) => splitHeads(x, heads));
    const weights = ops.softmax(ops.matmul(qh, kh, { transB: true }));
    const read = { weights, seen: mergeHeads(ops.matmul(weights, vh)) };
    expect(opsOf(read)).toContain('Softmax');
    const mask = input('mask', 'f32', ['n', 1, 't', 's']);
    const masked = { seen: mergeHeads(attention(qh, kh, vh, mask)) };
    expect(opsOf(masked)).toContain('Softmax');
  });

  it('is spelled out for other programs', () => {
    expect(opsOf({ seen }, true)).toContain('Softmax');
  });
});

describe('layer normalisation', () => {
  const [scale, bias] = [input('scale', 'f32', [width]), input('bias', 'f32', [width])];
  const feeds = { scale: random([width], 4), bias: random([width], 5) };

  it('takes in the sum before it, which others may read too', async () => {
    const [a, b] = ['a', 'b'].map((name) => input(name, 'f32', ['n', 't', width]));
    const sum = ops.add(a, b);
    const outputs = { y: ops.layerNorm(sum, scale, bias, 1e-5), twice: ops.add(sum, sum) };
    expect(opsOf(outputs)).toEqual(['SkipLayerNormalization', 'Add']);
    const both = { a: random([2, 3, width]), b: random([2, 3, width], 2) };
    await expectSame(outputs, { ...feeds, ...both });
  });

  it('leaves the sum of many rows and of other shapes alone', () => {
    const of = (a: Value, b: Value) => ({ y: ops.layerNorm(ops.add(a, b), scale, bias, 1e-5) });
    const many = input('many', 'f32', ['n', 577, width]);
    expect(opsOf(of(many, many))).toEqual(['Add', 'LayerNormalization']);
    const few = input('few', 'f32', ['n', 't', width]);
    expect(opsOf(of(few, input('row', 'f32', ['t', width])))).toEqual([
      'Add',
      'LayerNormalization',
    ]);
  });
});

it('gives a product with rounded weights its bias', async () => {
  const x = input('x', 'f32', ['n', 't', 8]);
  const matrix = input('matrix', 'i8', [8, width]);
  const [scale, bias] = ['scale', 'bias'].map((name) => input(name, 'f32', [width]));
  const y = ops.add(ops.dynamicQuantizeMatmul(x, matrix, scale), bias);
  expect(opsOf({ y })).toEqual(['DynamicQuantizeMatMul']);
  const weights = tensor(
    'i8',
    [8, width],
    Int8Array.from({ length: 8 * width }, (_, i) => ((i * 5) % 100) - 50),
  );
  await expectSame(
    { y },
    {
      ...{ x: random([2, 3, 8]), matrix: weights, bias: random([width], 3) },
      scale: tensor('f32', [width], new Float32Array(width).fill(0.01)),
    },
  );
});
