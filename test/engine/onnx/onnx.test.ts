/** ONNX files: weights in the model or in files beside it, at any offset, in narrower dtypes. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataLocation as DataLocation,
  ModelProtoSchema,
} from 'onnx-buf';
import { afterAll, expect, test } from 'vitest';
import { f32ToF16 } from '../../../src/base/half.ts';
import { input, parameter } from '../../../src/engine/graph/graph.ts';
import { add, full, matmul, mul, reshape, sub } from '../../../src/engine/graph/ops.ts';
import { encodeOnnx, type Weight } from '../../../src/engine/onnx/encode.ts';
import { modelBytes, type OnnxTensor } from '../../../src/engine/onnx/messages.ts';
import { Session } from '../../../src/engine/runtime/session.ts';
import { tensor } from '../../../src/engine/runtime/tensor.ts';

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

test("a file has what protobuf's own writer writes, field by field", () => {
  const small: OnnxTensor = {
    name: '',
    dtype: 'i64',
    dims: [2],
    data: { bytes: new Uint8Array(16).fill(1) },
  };
  const initializers: OnnxTensor[] = [
    { name: 'w', dtype: 'f32', dims: [64, 64], data: { bytes: bytesOf(w) } },
    { name: 'none', dtype: 'f16', dims: [0], data: { bytes: new Uint8Array() } },
    {
      name: 'far',
      dtype: 'f32',
      dims: [],
      data: { location: 'ä.bin', offset: 2 ** 40, length: 4 },
    },
  ];
  const attributes = {
    axis: -1n,
    alpha: 0.1,
    mode: 'linear',
    pads: [0n, -(2n ** 40n), 3n],
    value: small,
  };
  const node = { opType: 'Relu', name: 'Relu_0', inputs: ['w', ''], outputs: ['y'], attributes };
  const written = modelBytes({
    irVersion: 10,
    producer: 'refcap',
    opsets: { '': 21, 'com.microsoft': 1 },
    graphName: 'refcap',
    nodes: [{ ...node, domain: 'com.microsoft' }],
    initializers,
    inputs: [{ name: 'x', dtype: 'u8', shape: ['n', 64, 'past+1'] }],
    outputs: [{ name: 'y', dtype: 'f32', shape: [] }],
  });
  const entry = (key: string, value: string) => ({ key, value });
  const valueInfo = (name: string, elemType: number, dims: readonly (number | string)[]) => {
    const dim = dims.map((size) =>
      typeof size === 'number'
        ? { value: { case: 'dimValue' as const, value: BigInt(size) } }
        : { value: { case: 'dimParam' as const, value: size } },
    );
    const value = { elemType, shape: { dim } };
    return { name, type: { value: { case: 'tensorType' as const, value } } };
  };
  const own = create(ModelProtoSchema, {
    irVersion: 10n,
    producerName: 'refcap',
    opsetImport: [{ version: 21n }, { domain: 'com.microsoft', version: 1n }],
    graph: {
      name: 'refcap',
      node: [
        {
          opType: 'Relu',
          name: 'Relu_0',
          domain: 'com.microsoft',
          input: ['w', ''],
          output: ['y'],
          attribute: [
            { name: 'axis', type: AttributeType.INT, i: -1n },
            { name: 'alpha', type: AttributeType.FLOAT, f: Math.fround(0.1) },
            { name: 'mode', type: AttributeType.STRING, s: new TextEncoder().encode('linear') },
            { name: 'pads', type: AttributeType.INTS, ints: [0n, -(2n ** 40n), 3n] },
            {
              name: 'value',
              type: AttributeType.TENSOR,
              t: { dims: [2n], dataType: 7, rawData: new Uint8Array(16).fill(1) },
            },
          ],
        },
      ],
      initializer: [
        { name: 'w', dims: [64n, 64n], dataType: 1, rawData: new Uint8Array(w.buffer) },
        { name: 'none', dims: [0n], dataType: 10 },
        {
          name: 'far',
          dataType: 1,
          dataLocation: DataLocation.EXTERNAL,
          externalData: [
            entry('location', 'ä.bin'),
            entry('offset', '1099511627776'),
            entry('length', '4'),
          ],
        },
      ],
      input: [valueInfo('x', 2, ['n', 64, 'past+1'])],
      output: [valueInfo('y', 1, [])],
    },
  });
  expect(fromBinary(ModelProtoSchema, written)).toEqual(own);
  // Each byte once: a second graph would be merged by some readers and taken for the whole by others.
  expect(written.length).toBe(toBinary(ModelProtoSchema, own).length);
});
