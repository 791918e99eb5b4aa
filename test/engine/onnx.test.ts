/** ONNX files: weights in the model or in files beside it, at any offset, in narrower dtypes. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema, TensorProtoSchema } from 'onnx-buf';
import { afterAll, expect, test } from 'vitest';
import { f32ToF16 } from '../../src/base/half.ts';
import { input, parameter } from '../../src/engine/graph/graph.ts';
import { add, full, matmul, mul, reshape, sub } from '../../src/engine/graph/ops.ts';
import { encodeOnnx, type Weight } from '../../src/engine/onnx/encode.ts';
import { modelBytes } from '../../src/engine/onnx/model-bytes.ts';
import { Session } from '../../src/engine/runtime/session.ts';
import { tensor } from '../../src/engine/runtime/tensor.ts';

const folder = mkdtempSync(join(tmpdir(), 'refcap-onnx-'));
afterAll(() => rmSync(folder, { recursive: true }));

const width = 64;
const x = input('x', 'f32', ['n', width]);
const graph = { y: add(matmul(x, parameter('w', [width, width])), parameter('b', [width])) };
const w = Float32Array.from({ length: width * width }, (_, i) => ((i * 7) % 23) - 11);
const b = Float32Array.from({ length: width }, (_, i) => i / 2);
const feed = {
  x: tensor(
    'f32',
    [2, width],
    Float32Array.from({ length: 2 * width }, (_, i) => i % 5),
  ),
};
const bytesOf = (data: Float32Array | Uint16Array) =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

// A safetensors file in small: the header's length, the header, the data from an odd place on.
const header = new TextEncoder().encode('{"w":{},"b":{}}');
const start = 8 + header.length;
const file = new Uint8Array(start + w.byteLength + b.byteLength);
file.set(header, 8);
file.set(bytesOf(w), start);
file.set(bytesOf(b), start + w.byteLength);
writeFileSync(join(folder, 'model.safetensors'), file);

const beside: Readonly<Record<string, Weight>> = {
  w: { dtype: 'f32', location: 'model.safetensors', offset: start, length: w.byteLength },
  b: {
    dtype: 'f32',
    location: 'model.safetensors',
    offset: start + w.byteLength,
    length: b.byteLength,
  },
};

async function expected(): Promise<number[]> {
  using session = await Session.open(graph);
  const weights = { w: tensor('f32', [width, width], w), b: tensor('f32', [width], b) };
  return [...(await session.run({ ...feed, ...weights })).y.data].map(Number);
}

test('weights baked into the model give what fed weights give', async () => {
  const weights: Record<string, Weight> = {
    w: { dtype: 'f32', data: bytesOf(w) },
    b: { dtype: 'f16', data: bytesOf(f32ToF16(b)) },
  };
  using session = await Session.open(graph, { weight: (name) => weights[name] });
  expect([...session.inputs.keys()]).toEqual(['x']);
  expect([...(await session.run(feed)).y.data]).toEqual(await expected());
});

test('weights of a file beside the model are read at their offsets', async () => {
  using session = await Session.open(graph, {
    weight: (name) => beside[name],
    externalFolder: folder,
  });
  expect([...(await session.run(feed)).y.data]).toEqual(await expected());
});

test('the file may be a link out of the folder, as in download caches', async () => {
  const links = join(folder, 'snapshot');
  mkdirSync(links);
  symlinkSync('../model.safetensors', join(links, 'model.safetensors'));
  using session = await Session.open(graph, {
    weight: (name) => beside[name],
    externalFolder: links,
  });
  expect([...(await session.run(feed)).y.data]).toEqual(await expected());
});

test('an encoded file names its weights relative to itself and holds none of them', async () => {
  const encoded = encodeOnnx(graph, { weight: (name) => beside[name] });
  expect(encoded.model.length).toBeLessThan(2000);
  const { graph: proto } = fromBinary(ModelProtoSchema, encoded.model);
  const entries = proto?.initializer.find(({ name }) => name === 'w')?.externalData;
  expect(entries?.map(({ key, value }) => `${key}=${value}`)).toEqual([
    'location=model.safetensors',
    `offset=${start}`,
    `length=${w.byteLength}`,
  ]);
  using session = await Session.openEncoded(encoded, { externalFolder: folder });
  expect([...(await session.run(feed)).y.data]).toEqual(await expected());
});

test('a missing file and a wrong length are named in one sentence', async () => {
  const missing: Weight = { dtype: 'f32', location: 'none.bin', offset: 0, length: w.byteLength };
  const weight = (name: string) => (name === 'w' ? missing : beside[name]);
  await expect(Session.open(graph, { weight, externalFolder: folder })).rejects.toThrow(
    /^the graph cannot be opened on 'cpu': .*none\.bin/,
  );
  const short = (name: string): Weight => ({
    dtype: 'f32',
    location: 'model.safetensors',
    offset: start,
    length: name === 'w' ? 8 : b.byteLength,
  });
  await expect(Session.open(graph, { weight: short, externalFolder: folder })).rejects.toThrow(
    /^'w' needs 16384 bytes, not 8$/,
  );
});

test('outputs that are inputs, constants or one another are copies under their names', async () => {
  const y = mul(x, 2);
  using session = await Session.open({ same: x, y, twice: y, one: full([2], 1), zero: sub(x, x) });
  const results = await session.run({ x: tensor('f32', [1, width], b) });
  expect([...results.same.data]).toEqual([...b]);
  expect([...results.twice.data]).toEqual([...results.y.data]);
  expect([...results.one.data]).toEqual([1, 1]);
});

test("sizes that are polynomials of the inputs' are computed in the graph", async () => {
  const past = input('past', 'f32', ['past', 2]);
  const now = input('now', 'f32', ['length', 2]);
  const sum = add(reshape(full(['past+2*length', 2], 1), ['2*past+4*length']), 0);
  using session = await Session.open({ sum, past1: add(past, 1), now1: add(now, 1) });
  for (const [p, n] of [
    [3, 2],
    [0, 1],
  ]) {
    const feeds = { past: tensor('f32', [p, 2]), now: tensor('f32', [n, 2]) };
    expect((await session.run(feeds)).sum.shape).toEqual([2 * p + 4 * n]);
  }
});

test("a file has what protobuf's own writer writes, in one graph", () => {
  const initializer = [
    create(TensorProtoSchema, {
      name: 'w',
      dims: [64n, 64n],
      dataType: 1,
      rawData: new Uint8Array(w.buffer),
    }),
    create(TensorProtoSchema, { name: 'none', dims: [0n], dataType: 1 }),
  ];
  const graph = { name: 'refcap', node: [{ opType: 'Relu', input: ['w'], output: ['y'] }] };
  const rest = { irVersion: 10n, producerName: 'refcap' };
  const written = modelBytes(create(ModelProtoSchema, { ...rest, graph }), initializer);
  const own = toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, { ...rest, graph: { ...graph, initializer } }),
  );
  expect(fromBinary(ModelProtoSchema, written)).toEqual(fromBinary(ModelProtoSchema, own));
  // Each byte once: a second graph would be merged by some readers and taken for the whole by others.
  expect(written.length).toBe(own.length);
});
