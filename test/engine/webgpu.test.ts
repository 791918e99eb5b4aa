/** WebGPU against the CPU on every op, where SwiftShader (in Debian's chromium) makes one run without a GPU. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { cases } from './cases.ts';

const folder = '/usr/lib/chromium';
const driver = `${folder}/vk_swiftshader_icd.json`;

interface OpResult {
  readonly op: string;
  /** Differences from the CPU, and errors. */
  readonly wrong: readonly string[];
  /** ONNX nodes of the forward graph by where they ran. */
  readonly webgpu: readonly string[];
  readonly cpu: readonly string[];
}

/**
 * Runs a program with SwiftShader as its GPU and gives the JSON lines it printed, also when it died
 * on the way: the driver must be chosen before the process starts.
 */
function runOnWebgpu(program: string, ...args: string[]): Promise<unknown[]> {
  const file = fileURLToPath(new URL(`programs/${program}`, import.meta.url));
  const env = {
    ...process.env,
    VK_ICD_FILENAMES: driver,
    LD_LIBRARY_PATH: folder,
    XDG_RUNTIME_DIR: '/tmp',
  };
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let text = '';
  child.stdout.on('data', (part: Buffer) => {
    text += part.toString();
  });
  return new Promise((done) => {
    child.on('close', () => {
      const lines = text.split('\n').filter((line) => line.startsWith('{'));
      done(lines.map((line) => JSON.parse(line)));
    });
  });
}

describe.skipIf(!existsSync(driver))('WebGPU', () => {
  const results = new Map<string, OpResult>();

  beforeAll(async () => {
    const names = Object.keys(cases);
    // An op that takes the process down is missing from the results; the next process goes on.
    for (let first = 0; first < names.length; ) {
      const lines = (await runOnWebgpu('webgpu-ops.ts', String(first))) as OpResult[];
      for (const line of lines) results.set(line.op, line);
      first += lines.length === names.length - first ? lines.length : lines.length + 1;
    }
  }, 600_000);

  test.each(Object.keys(cases))('%s gives what the CPU gives', (op) => {
    expect(results.get(op)?.wrong ?? ['the process died']).toEqual([]);
  });

  test('only these ops have nodes that WebGPU leaves to the CPU', () => {
    const fallbacks = [...results.values()]
      .filter(({ cpu }) => cpu.length > 0)
      .map(({ op, cpu }) => `${op}: ${cpu.join(' ')}`);
    expect(fallbacks).toMatchInlineSnapshot(`
      [
        "sign: Sign",
        "round: Round",
        "cast: Cast",
        "or: Or",
        "bitwiseAnd: BitwiseAnd",
        "bitwiseXor: BitwiseXor",
        "shiftRight: BitShift",
        "argMax: Cast",
        "topK: Cast",
        "oneHot: Equal Unsqueeze",
        "dynamicQuantizeMatmul: DynamicQuantizeMatMul",
        "quantizeLinear: QuantizeLinear",
      ]
    `);
  });

  test('these ops ran on WebGPU', () => {
    const ran = [...results.values()]
      .filter(({ webgpu, cpu }) => webgpu.length > 0 && cpu.length === 0)
      .map(({ op }) => op);
    expect(ran.join(' ')).toMatchInlineSnapshot(
      `"input parameter neg abs exp log sqrt reciprocal erf tanh sigmoid relu gelu softplus floor sin cos clip not isFinite stopGradient add sub mul div pow minimum maximum equal less lessOrEqual greater greaterOrEqual and where matmul reduceSum reduceMean reduceMax reduceMin softmax logSoftmax layerNorm cumulativeSum reshape transpose expand slice split concat pad gather gatherElements scatterAddElements conv2d conv2dInputGradient conv2dWeightGradient averagePool2d averagePool2dGradient dequantizeLinear"`,
    );
  });

  test('outputs stay on the device, feed the next run and can be read back', async () => {
    const [state, written] = await runOnWebgpu('webgpu-device.ts');
    expect(state).toEqual({ shape: [2, 2], dtype: 'f32', steps: 3, values: [8, 16, 24, 32] });
    // Results that do not stay are written into given tensors as on the CPU.
    expect(written).toEqual({ into: [2, 4, 6, 8] });
  });
});
