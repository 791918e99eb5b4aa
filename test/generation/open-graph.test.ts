/** Weights that are stored in 8 bits give, to the bit, what the same weights give that were widened or rounded before. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tensor } from '../../src/engine/runtime/tensor.ts';
import { roundedWeights } from '../../src/export/web/weights.ts';
import { openGraph, type ReadableWeights } from '../../src/generation/open-graph.ts';
import { areSevenBits, quantizeRows, transposed } from '../../src/generation/quantisation.ts';
import { encoderGraph, stepGraph } from '../../src/model/blip.ts';
import { convertModel } from '../../src/model/checkpoint/convert.ts';
import { loadModel, type PretrainedModel } from '../../src/model/checkpoint/pretrained.ts';
import { writeTwoMembers } from '../export/two-members.ts';

const folder = mkdtempSync(join(tmpdir(), 'refcap-open-'));
let model: PretrainedModel;
beforeAll(async () => {
  const source = join(folder, 'source');
  await writeTwoMembers(source);
  await convertModel(source, join(folder, 'kept'), { rewrite: roundedWeights });
  model = await loadModel(join(folder, 'kept'));
});
afterAll(async () => {
  await model[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** The same weights, as programs see them that know nothing of the 8 bits. */
const widened = ({ tensors, readFloat32 }: ReadableWeights): ReadableWeights => ({
  tensors,
  readFloat32,
});

async function outputs(weights: ReadableWeights, quantize?: 'int8', rows: 'few' | 'many' = 'many') {
  const { image_size: size } = model.config.vision_config;
  const options = { threads: 1, ...(quantize && { quantize }) };
  using encoder = await openGraph((scope) => encoderGraph(scope, model.config), weights, options);
  const pixels = Float32Array.from({ length: 3 * size * size }, (_, i) => Math.sin(i));
  const encoded = await encoder.run({ pixels: tensor('f32', [1, 3, size, size], pixels) });
  const { text_config: text } = model.config;
  using step = await openGraph((scope) => stepGraph(scope, text), weights, options, rows);
  const heads = text.num_attention_heads;
  const feeds = [...step.inputs.keys()].map((name) => {
    if (name === 'ids') return [name, tensor('i32', [1, 1, 2], Int32Array.of(2, 5))] as const;
    if (name.startsWith('past'))
      return [name, tensor('f32', [1, heads, 0, text.hidden_size / heads])] as const;
    return [name, encoded[name]] as const;
  });
  const { logits } = await step.run(Object.fromEntries(feeds));
  return { ...encoded, logits };
}

describe('a model whose weights are kept in 8 bits', () => {
  it('has them in their file', () => {
    const names = [...model.weights.tensors.keys()].filter((name) => model.weights.rounded(name));
    expect(names.length).toBeGreaterThan(10);
    for (const name of names) expect(model.weights.rounded(name)?.values.location).toBeDefined();
  });

  it('computes in f32 what its widened weights compute', async () => {
    expect(await outputs(model.weights)).toEqual(await outputs(widened(model.weights)));
  });

  it('computes the same in 8 bits from its file and from memory', async () => {
    const { tensors, readFloat32, rounded } = model.weights;
    const inMemory: ReadableWeights = {
      tensors: new Map([...tensors].map(([name, { location: _, ...info }]) => [name, info])),
      readFloat32,
      rounded(name) {
        const found = rounded(name);
        if (!found) return undefined;
        const { location: _, ...values } = found.values;
        return { ...found, values };
      },
    };
    expect(await outputs(inMemory, 'int8')).toEqual(await outputs(model.weights, 'int8'));
    expect(await outputs(inMemory)).toEqual(await outputs(model.weights));
  });

  it('computes about the same with a layout for few rows', async () => {
    const { logits: many } = await outputs(model.weights, 'int8');
    const { logits: few } = await outputs(model.weights, 'int8', 'few');
    const { logits: exact } = await outputs(model.weights);
    const error = (from: typeof many) =>
      Math.max(...[...exact.data].map((x, i) => Math.abs(Number(x) - Number(from.data[i]))));
    const largest = Math.max(...[...exact.data].map((x) => Math.abs(Number(x))));
    expect(error(many)).toBeLessThan(0.05 * largest);
    expect(error(few)).toBeLessThan(0.05 * largest);
  });
});

describe('areSevenBits', () => {
  it('finds the one number that is none, wherever it stands', () => {
    const small = fc.array(fc.integer({ min: -64, max: 63 }), { minLength: 1, maxLength: 20 });
    const large = fc.oneof(fc.integer({ min: 64, max: 127 }), fc.integer({ min: -128, max: -65 }));
    fc.assert(
      fc.property(small, large, fc.nat(), fc.nat(3), (list, wrong, at, start) => {
        const values = new Int8Array(list.length + start).subarray(start);
        values.set(list);
        expect(areSevenBits(values)).toBe(true);
        values[at % list.length] = wrong;
        expect(areSevenBits(values)).toBe(false);
      }),
    );
  });

  it('holds of all that is rounded to 63', () => {
    const values = Float32Array.from({ length: 64 }, (_, i) => Math.cos(i * i));
    const { matrix } = quantizeRows(values, { start: 0, rows: 8, columns: 8 }, 63);
    expect(areSevenBits(transposed(matrix, 8, 8))).toBe(true);
  });
});
