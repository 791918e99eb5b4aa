/** WebGPU against the CPU on every op, where SwiftShader (in Debian's chromium) makes one run without a GPU. */
import { beforeAll, describe, expect, test } from 'vitest';
import { cases } from './cases.ts';
import { hasWebgpu, runOnWebgpu } from './on-webgpu.ts';

interface OpResult {
  readonly op: string;
  /** Differences from the CPU, and errors. */
  readonly wrong: readonly string[];
  /** ONNX nodes of the forward graph by where they ran. */
  readonly webgpu: readonly string[];
  readonly cpu: readonly string[];
}

describe.skipIf(!hasWebgpu)('WebGPU', () => {
  const results = new Map<string, OpResult>();

  beforeAll(async () => {
    const names = Object.keys(cases);
    // An op that takes the process down is missing from the results; the next process goes on.
    for (let first = 0; first < names.length; ) {
      const lines = (await runOnWebgpu(
        'engine/programs/webgpu-ops.ts',
        String(first),
      )) as OpResult[];
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
      `"input parameter neg abs exp log sqrt reciprocal erf tanh sigmoid relu gelu softplus floor sin cos clip not isFinite stopGradient add sub mul div pow minimum maximum equal less lessOrEqual greater greaterOrEqual and where matmul reduceSum reduceMean reduceMax reduceMin softmax logSoftmax layerNorm cumulativeSum reshape transpose expand slice split concat pad gather gatherElements scatterAddElements conv2d conv2dInputGradient conv2dWeightGradient averagePool2d averagePool2dGradient blockQuantizedMatmul dequantizeLinear"`,
    );
  });

  test('outputs stay on the device, feed the next run and can be read back', async () => {
    const [state, written] = await runOnWebgpu('engine/programs/webgpu-device.ts');
    expect(state).toEqual({ shape: [2, 2], dtype: 'f32', steps: 3, values: [8, 16, 24, 32] });
    // Results that do not stay are written into given tensors as on the CPU.
    expect(written).toEqual({ into: [2, 4, 6, 8] });
  });
});
