/**
 * Prints by how many bytes the process grows over RUNS runs and over SESSIONS sessions opened and
 * disposed: `flat-memory.ts 10000 200`.
 */
import { input, parameter } from '../../../src/engine/graph/graph.ts';
import { gelu, matmul } from '../../../src/engine/graph/ops.ts';
import { Session } from '../../../src/engine/runtime/session.ts';
import { tensor } from '../../../src/engine/runtime/tensor.ts';

const [runs, sessions] = process.argv.slice(2).map(Number);
const width = 1000;
const x = input('x', 'f32', ['n', 100]);
const graph = { y: gelu(matmul(x, parameter('w', [100, width]))) };
const feed = { x: tensor('f32', [100, 100]) };
const weights = new Float32Array(100 * width).fill(0.01);

function resident(): number {
  globalThis.gc?.();
  return process.memoryUsage().rss;
}

async function settled(): Promise<number> {
  // Results are freed by finalizers, which run between turns of the event loop.
  for (let i = 0; i < 5; i++) {
    resident();
    await new Promise((done) => setTimeout(done, 10));
  }
  return resident();
}

async function manyRuns(count: number): Promise<number> {
  const w = tensor('f32', [100, width], weights);
  using session = await Session.open(graph, { threads: 1 });
  for (let i = 0; i < 200; i++) await session.run({ ...feed, w });
  const before = await settled();
  for (let i = 0; i < count; i++) await session.run({ ...feed, w });
  return (await settled()) - before;
}

async function manySessions(count: number): Promise<number> {
  const size = 1000 * width;
  const data = new Uint8Array(new Float32Array(size).fill(0.5).buffer); // 4 MB of weights
  const big = {
    y: matmul(input('x', 'f32', ['n', 1000]), parameter('w', [1000, width])),
  };
  const cycle = async () => {
    using session = await Session.open(big, { threads: 1, weight: () => ({ dtype: 'f32', data }) });
    await session.run({ x: tensor('f32', [1, 1000]) });
  };
  for (let i = 0; i < 20; i++) await cycle();
  const before = await settled();
  for (let i = 0; i < count; i++) await cycle();
  return (await settled()) - before;
}

const result = { runs: await manyRuns(runs), sessions: await manySessions(sessions) };
process.stdout.write(`${JSON.stringify(result)}\n`);
