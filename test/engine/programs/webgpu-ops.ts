/**
 * Runs the cases of every op, forward and gradient, on WebGPU and on the CPU. Prints a line of JSON
 * an op: the first difference, if any, and which ONNX nodes of the forward graph ran where.
 * `webgpu-ops.ts FIRST` begins at op number FIRST.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isFloat } from '../../../src/engine/graph/dtype.ts';
import { gradients } from '../../../src/engine/graph/gradient.ts';
import { gradientRules } from '../../../src/engine/graph/gradient-rules.ts';
import type { Value } from '../../../src/engine/graph/graph.ts';
import type { OpName } from '../../../src/engine/graph/op-names.ts';
import { Session, type SessionOptions } from '../../../src/engine/runtime/session.ts';
import type { Tensor } from '../../../src/engine/runtime/tensor.ts';
import { buildCase, weightedSum } from '../case-graph.ts';
import { type Case, cases } from '../cases.ts';
import { type Dense, toDense, toTensor } from '../dense.ts';
import { difference } from '../difference.ts';

interface Joined {
  readonly forward: Record<string, Value>;
  readonly backward: Record<string, Value>;
  readonly feeds: Record<string, Dense>;
}

/**
 * All cases of an op as one graph. Left out: empty tensors, which a GPU has nothing to do with, and
 * f16, which SwiftShader lacks.
 */
function joined(op: OpName): Joined {
  const forward: Record<string, Value> = {};
  const backward: Record<string, Value> = {};
  const feeds: Record<string, Dense> = {};
  for (const [i, one] of cases[op].entries()) {
    const graph = buildCase(op, one as Case<typeof op>, `x${i}_`);
    if (graph.outputs.some(({ shape }) => shape.includes(0))) continue;
    if (one.inputs.some(({ shape }) => shape.includes(0))) continue;
    if ([...graph.inputs, ...graph.outputs].some(({ dtype }) => dtype === 'f16')) continue;
    Object.assign(feeds, graph.feeds);
    for (const [k, value] of graph.outputs.entries()) forward[`y${i}_${k}`] = value;
    const targets = graph.inputs.filter((value) => isFloat(value.dtype));
    const floats = graph.outputs.some((value) => isFloat(value.dtype));
    if (gradientRules[op] === null || targets.length === 0 || !floats) continue;
    for (const [k, value] of gradients(weightedSum(graph.outputs), targets).entries())
      backward[`g${i}_${k}`] = value;
  }
  return { forward, backward, feeds };
}

async function run(
  outputs: Record<string, Value>,
  feeds: Record<string, Dense>,
  options: SessionOptions,
): Promise<Record<string, Tensor>> {
  if (Object.keys(outputs).length === 0) return {};
  using session = await Session.open(outputs, options);
  const fed = [...session.inputs.keys()].map((name) => [name, toTensor(feeds[name])]);
  return await session.run(Object.fromEntries(fed));
}

interface TraceEvent {
  readonly cat: string;
  readonly args?: { readonly op_name?: string; readonly provider?: string };
}

/** ONNX nodes by provider, as the profile tells. */
function placement(folder: string): { webgpu: string[]; cpu: string[] } {
  const [file] = readdirSync(folder);
  const events = JSON.parse(readFileSync(join(folder, file), 'utf8')) as TraceEvent[];
  const on = (provider: string) =>
    [
      ...new Set(
        events
          .filter(({ cat, args }) => cat === 'Node' && args?.provider === provider)
          .map(({ args }) => args?.op_name ?? '')
          .filter((name) => !name.startsWith('Memcpy')),
      ),
    ].sort();
  return { webgpu: on('WebGpuExecutionProvider'), cpu: on('CPUExecutionProvider') };
}

async function check(op: OpName): Promise<unknown> {
  const { forward, backward, feeds } = joined(op);
  const folder = mkdtempSync(join(tmpdir(), 'refcap-webgpu-'));
  try {
    const profile = join(folder, 'trace');
    const onGpu = {
      ...(await run(forward, feeds, { device: 'webgpu', threads: 1, profile })),
      ...(await run(backward, feeds, { device: 'webgpu', threads: 1 })),
    };
    const onCpu = await run({ ...forward, ...backward }, feeds, { threads: 1 });
    const wrong = Object.keys(onCpu).flatMap((name) => {
      const tolerance = { relative: 1e-4, absolute: 1e-4 };
      const found = difference(toDense(onGpu[name]), toDense(onCpu[name]), tolerance);
      return found === undefined ? [] : [`${name}: ${found}`];
    });
    return { op, wrong, ...placement(folder) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const names = Object.keys(cases) as OpName[];
for (const op of names.slice(Number(process.argv[2] ?? 0))) {
  let line: unknown;
  try {
    line = await check(op);
  } catch (error) {
    line = { op, wrong: [String(error)], webgpu: [], cpu: [] };
  }
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
// Leave without the WebGPU library's clean-up, which is not ours to test.
process.exit(0);
