/** Sessions: errors in one sentence, no copies, updates in place, profiles, disposal and flat memory. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { InputError } from '../../src/base/errors.ts';
import { input, parameter } from '../../src/engine/graph/graph.ts';
import { add, full, gather, matmul, mul, reduceSum, sub } from '../../src/engine/graph/ops.ts';
import { backEnd } from '../../src/engine/runtime/back-end/node.ts';
import { DeviceTensor } from '../../src/engine/runtime/feeds.ts';
import { toOrt } from '../../src/engine/runtime/ort-tensor.ts';
import { readFromDevice } from '../../src/engine/runtime/read-device.ts';
import { listDevices, Session } from '../../src/engine/runtime/session.ts';
import { tensor } from '../../src/engine/runtime/tensor.ts';
import { runProgram } from './child.ts';

const x = input('x', 'f32', ['n', 2]);
const y = input('y', 'f32', ['n', 1]);
const sum = { sum: add(x, y) };
const f32 = (shape: number[], ...data: number[]) => tensor('f32', shape, Float32Array.from(data));
const two = f32([2, 2], 1, 2, 3, 4);
const column = f32([2, 1], 10, 20);

async function messageOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(InputError);
  const { message } = error as InputError;
  expect(message).not.toContain('\n');
  return message;
}

test('feeds that do not fit are named', async () => {
  using session = await Session.open(sum);
  expect(await messageOf(session.run({ x: two }))).toBe("the input 'y' is missing");
  expect(await messageOf(session.run({ x: two, y: column, z: two }))).toBe(
    "the graph has no input 'z'",
  );
  expect(await messageOf(session.run({ x: two, y: two }))).toBe(
    "the input 'y' must be f32[n, 1], not f32[2, 2]",
  );
  expect(await messageOf(session.run({ x: two, y: tensor('i32', [2, 1]) }))).toBe(
    "the input 'y' must be f32[n, 1], not i32[2, 1]",
  );
  expect(await messageOf(session.run({ x: two, y: f32([1, 1], 1) }))).toBe(
    "the size 'n' is 2 in the input 'x' but 1 in 'y'",
  );
  expect(await messageOf(session.run({ x: two, y: column }, { total: two }))).toBe(
    "the graph has no output 'total'",
  );
  expect(await messageOf(session.run({ x: two, y: column }, { sum: f32([2], 0, 0) }))).toBe(
    "the output 'sum' must be f32[n, 2], not f32[2]",
  );
});

test('an output to write into must have the size of the run', async () => {
  using session = await Session.open(sum);
  const wrong = f32([1, 2], 0, 0);
  expect(await messageOf(session.run({ x: two, y: column }, { sum: wrong }))).toContain(
    'the graph cannot be run',
  );
});

test('an unknown device is named, with those that are there', async () => {
  expect(await messageOf(Session.open(sum, { device: 'abacus' }))).toBe(
    `the device 'abacus' is not available; this onnxruntime-node has: ${listDevices().join(', ')}`,
  );
});

test('what ONNX Runtime finds wrong in a run is one sentence', async () => {
  const ids = input('ids', 'i32', ['n']);
  using session = await Session.open({ rows: gather(parameter('table', [3, 2]), ids) });
  const feeds = { table: tensor('f32', [3, 2]), ids: tensor('i32', [1], Int32Array.of(7)) };
  expect(await messageOf(session.run(feeds))).toMatch(/^the graph cannot be run: .*7/);
});

test('a model that is none is refused in one sentence', async () => {
  const model = new Uint8Array([1, 2, 3]);
  expect(
    await messageOf(Session.openEncoded({ model, inputs: [], outputs: [], peakBytes: () => 0 })),
  ).toMatch(/^the graph cannot be opened on 'cpu': /);
});

test('two inputs of one name are refused', async () => {
  const twice = { z: add(input('a', 'f32', [1]), input('a', 'f32', [2])) };
  expect(await messageOf(Session.open(twice))).toBe("two inputs of the graph are named 'a'");
});

test("a name for an input and an output is refused, names like the encoder's are not", async () => {
  expect(await messageOf(Session.open({ x: add(x, y) }))).toBe(
    "'x' names an input and an output of the graph; rename one",
  );
  const [v0, c0] = [input('v0', 'f32', [1]), input('c0', 'f32', [1])];
  using session = await Session.open({ v1: add(mul(v0, 2), c0) });
  const { v1 } = await session.run({ v0: f32([1], 3), c0: f32([1], 4) });
  expect([...v1.data]).toEqual([10]);
});

test('a size that no input has by itself is named', async () => {
  const long = input('a', 'f32', ['n+1']);
  using session = await Session.open({ z: reduceSum(long) });
  const { z } = await session.run({ a: f32([2], 1, 2) });
  expect([...z.data]).toEqual([3]);
  const odd = { z: full(['n'], 1), y: reduceSum(long) };
  await expect(Session.open(odd)).rejects.toThrow(
    "no input of the graph has the size 'n' as a dimension of its own",
  );
});

test('a disposed session says so; disposing twice is once', async () => {
  const session = await Session.open(sum);
  session.dispose();
  session.dispose();
  await expect(session.run({ x: two, y: column })).rejects.toThrow('the session was disposed');
});

test('inputs are not copied and given outputs are written where they are', async () => {
  using session = await Session.open(sum);
  const target = tensor('f32', [2, 2]);
  const { data } = target;
  const results = await session.run({ x: two, y: column }, { sum: target });
  expect(results.sum).toBe(target);
  expect(target.data).toBe(data);
  expect([...data]).toEqual([11, 12, 23, 24]);
  // A later change of the fed memory is seen by the next run.
  const fed = f32([2, 2], 1, 2, 3, 4);
  fed.data[0] = 100;
  const again = await session.run({ x: fed, y: column }, { sum: target });
  expect(again.sum.data[0]).toBe(110);
});

test('a large input costs no memory of its own', async () => {
  const { bytes, size } = await runProgram<{ bytes: number; size: number }>('zero-copy.ts');
  expect(bytes).toBeLessThan(size / 4);
});

test('the copies of results that were written in place are freed at once', async () => {
  const n = 1 << 20;
  const big = input('big', 'f32', ['n']);
  using session = await Session.open({ y: add(big, 1), same: add(big, 1), z: reduceSum(big) });
  const into = { y: tensor('f32', [n]), same: tensor('f32', [n]) };
  const feeds = { big: tensor('f32', [n]) };
  await session.run(feeds, into);
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 20; i++) await session.run(feeds, into);
  // 20 runs make 160 MiB of copies; the garbage collector alone would leave some.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20);
  expect(into.y.data[n - 1]).toBe(1);
  expect(into.same.data[0]).toBe(1);
});

test('a tensor that is input and output is updated in place', async () => {
  const [weights, gradient, momentum] = ['weights', 'gradient', 'momentum'].map((name) =>
    input(name, 'f32', [5]),
  );
  const velocity = add(mul(momentum, 0.5), gradient);
  using session = await Session.open({ newMomentum: velocity, newWeights: sub(weights, velocity) });
  const state = {
    weights: f32([5], 1, 2, 3, 4, 5),
    momentum: f32([5], 0, 2, 0, 2, 0),
    gradient: f32([5], 1, 1, 1, 1, 1),
  };
  const into = { newWeights: state.weights, newMomentum: state.momentum };
  await session.run(state, into);
  expect([...state.momentum.data]).toEqual([1, 2, 1, 2, 1]);
  expect([...state.weights.data]).toEqual([0, 0, 2, 2, 4]);
  await session.run(state, into);
  expect([...state.momentum.data]).toEqual([1.5, 2, 1.5, 2, 1.5]);
  expect([...state.weights.data]).toEqual([-1.5, -2, 0.5, 0, 2.5]);
});

test('a profile is written when the session is disposed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'refcap-profile-'));
  try {
    {
      using session = await Session.open(
        { z: matmul(x, parameter('w', [2, 2])) },
        { profile: join(folder, 'trace') },
      );
      await session.run({ x: two, w: two });
    }
    const [file] = readdirSync(folder);
    const events = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { name: string }[];
    expect(events.some(({ name }) => name.startsWith('MatMul'))).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('2,000 runs leave the memory flat, and sessions give theirs back', async () => {
  const { runs, sessions } = await runProgram<{ runs: number; sessions: number }>(
    'flat-memory.ts',
    ['2000', '60'],
  );
  // A leak of one result a run would be 800 MB, one of a session's weights 240 MB. What malloc keeps
  // of freed memory comes to some 50 MB and stays there, also over 400 sessions.
  expect(runs).toBeLessThan(40e6);
  expect(sessions).toBeLessThan(120e6);
});

test('values of a device are read as they are, several at once', async () => {
  const classes = await backEnd.load('cpu');
  const ids = tensor('i32', [3], Int32Array.of(7, 8, 9));
  using a = new DeviceTensor(toOrt(classes, two), 'f32');
  using b = new DeviceTensor(toOrt(classes, ids), 'i32');
  const read = await readFromDevice('cpu', { a, b });
  expect(read).toEqual({ a: two, b: ids });
  // Copies, not the memory of the device.
  expect(read.a.data.buffer).not.toBe(two.data.buffer);
  expect(await messageOf(readFromDevice('abacus', { a }))).toContain("'abacus' is not available");
});
