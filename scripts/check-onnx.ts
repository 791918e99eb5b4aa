/**
 * Checks by hand what encodeOnnx writes, with the `onnx` package of PyPI (onnx.checker, with full type
 * and shape inference), and runs a model with more than 2 GB of weights in a file beside it:
 *
 *     npx tsx scripts/check-onnx.ts PYTHON
 *
 * PYTHON is an interpreter that has `onnx`. Every op's cases are written as models, forward and gradient.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isFloat } from '../src/engine/graph/dtype.ts';
import { gradients } from '../src/engine/graph/gradient.ts';
import { gradientRules } from '../src/engine/graph/gradient-rules.ts';
import { input, parameter, type Value } from '../src/engine/graph/graph.ts';
import type { OpName } from '../src/engine/graph/op-names.ts';
import { matmul } from '../src/engine/graph/ops.ts';
import { encodeOnnx, type Weight } from '../src/engine/onnx/encode.ts';
import { Session } from '../src/engine/runtime/session.ts';
import { tensor } from '../src/engine/runtime/tensor.ts';
import { buildCase, weightedSum } from '../test/engine/case-graph.ts';
import { type Case, cases } from '../test/engine/cases.ts';

const checker = `
import sys, onnx
failed = 0
for path in sys.argv[1:]:
    try:
        onnx.checker.check_model(path, full_check=True)
    except Exception as error:
        failed += 1
        print(path, str(error).splitlines()[0])
print(f"{len(sys.argv) - 1 - failed} of {len(sys.argv) - 1} models pass onnx.checker {onnx.__version__}")
sys.exit(failed > 0)
`;

function writeOp(op: OpName, folder: string): string[] {
  return cases[op].flatMap((one, i) => {
    const graph = buildCase(op, one as Case<typeof op>);
    const targets = graph.inputs.filter((value) => isFloat(value.dtype));
    const floats = graph.outputs.some((value) => isFloat(value.dtype));
    const differentiable = gradientRules[op] !== null && targets.length > 0 && floats;
    const made = differentiable ? gradients(weightedSum(graph.outputs), targets) : [];
    const outputs = Object.fromEntries([...graph.outputs, ...made].map((v, k) => [`y${k}`, v]));
    return ['cpu', 'webgpu'].map((device) => {
      const path = join(folder, `${op}-${i}-${device}.onnx`);
      writeFileSync(path, encodeOnnx(outputs, { device }).model);
      return path;
    });
  });
}

/** 10 layers of 8192 x 8192 in f32, 2.5 GiB in a sparse file, of which each has one row that is not 0. */
async function writeLarge(folder: string): Promise<{ path: string; run: () => Promise<number> }> {
  const [layers, width] = [10, 8192];
  const bytes = width * width * 4;
  const start = 104; // where a .safetensors file's data might begin
  const file = await open(join(folder, 'weights.bin'), 'w');
  let y: Value = input('x', 'f32', ['n', width]);
  for (let i = 0; i < layers; i++) {
    // Only the first row is not 0: a product keeps x[0] / width in every place.
    const row = new Float32Array(width).fill(1 / width);
    await file.write(new Uint8Array(row.buffer), 0, row.byteLength, start + i * bytes);
    y = matmul(y, parameter(`w${i}`, [width, width]));
  }
  await file.truncate(start + layers * bytes);
  await file.close();
  const weight = (name: string): Weight => ({
    dtype: 'f32',
    location: 'weights.bin',
    offset: start + Number(name.slice(1)) * bytes,
    length: bytes,
  });
  const path = join(folder, 'large.onnx');
  writeFileSync(path, encodeOnnx({ y }, { weight }).model);
  const run = async (): Promise<number> => {
    using session = await Session.open({ y }, { weight, externalFolder: folder });
    const x = tensor('f32', [1, width], new Float32Array(width).fill(width));
    const result = Number((await session.run({ x })).y.data[0]);
    const expected = width / width ** layers;
    if (Math.abs(result - expected) > 1e-5 * expected)
      throw new Error(`${result}, not ${expected}`);
    return layers * bytes;
  };
  return { path, run };
}

const python = process.argv[2];
if (!python) throw new Error('usage: check-onnx.ts PYTHON');
const folder = mkdtempSync(join(tmpdir(), 'refcap-onnx-'));
try {
  const paths = (Object.keys(cases) as OpName[]).flatMap((op) => writeOp(op, folder));
  const large = await writeLarge(folder);
  execFileSync(python, ['-c', checker, ...paths, large.path], { stdio: 'inherit' });
  const bytes = await large.run();
  console.log(`a model with ${(bytes / 2 ** 30).toFixed(1)} GiB of weights beside it runs`);
} finally {
  rmSync(folder, { recursive: true });
}
