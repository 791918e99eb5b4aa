/** A captioner's sessions: baked or live weights, parts of a batch, and rows that go their own ways. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Tensor, tensor } from '../../src/engine/runtime/tensor.ts';
import { type EncodedImages, Inference, type StepScores } from '../../src/generation/inference.ts';
import { loadModel, type PretrainedModel } from '../../src/model/checkpoint/pretrained.ts';
import { openWeights } from '../../src/weights/open.ts';
import { fixtures } from '../paths.ts';

const tiny = join(fixtures, 'blip/tiny');
const pixelsOfImage = 3 * 48 * 48;
let model: PretrainedModel;
let inference: Inference;
let pixels: Float32Array;
let encoded: EncodedImages;
beforeAll(async () => {
  model = await loadModel(tiny);
  inference = await Inference.open(model.config, model.weights, { threads: 1 });
  await using values = await openWeights(join(tiny, 'expected.safetensors'));
  pixels = await values.readFloat32('all_pixel_values');
  encoded = await inference.encode(batch(0, 3));
});
afterAll(async () => {
  inference[Symbol.dispose]();
  await model[Symbol.asyncDispose]();
});

function batch(first: number, count: number): Tensor {
  const data = pixels.slice(first * pixelsOfImage, (first + count) * pixelsOfImage);
  return tensor('f32', [count, 3, 48, 48], data);
}

/** The log-probabilities of one row. */
function rowOf({ logits, normalizer }: StepScores, row: number): number[] {
  const size = logits.length / normalizer.length;
  return [...logits.subarray(row * size, (row + 1) * size)].map((x) => x - normalizer[row]);
}

function expectClose(found: readonly number[], wanted: readonly number[]): void {
  expect(found.length).toBe(wanted.length);
  for (const [i, value] of found.entries()) expect(Math.abs(value - wanted[i])).toBeLessThan(2e-5);
}

describe('encode', () => {
  it('gives keys and values of every layer, an image at a time or together', async () => {
    const { num_hidden_layers: layers, num_attention_heads: heads } = model.config.text_config;
    expect(encoded.count).toBe(3);
    expect(Object.keys(encoded.cross)).toHaveLength(2 * layers);
    const alone = await inference.encode(batch(1, 1));
    for (const [name, { data, shape }] of Object.entries(encoded.cross)) {
      expect(shape.slice(0, 2)).toEqual([3, heads]);
      const size = data.length / 3;
      expectClose(
        Array.from(alone.cross[name].data, Number),
        Array.from(data.slice(size, 2 * size), Number),
      );
    }
  });
});

describe('decode', () => {
  it('gives probabilities: the normalizer is the log of the sum of exponentials', async () => {
    const scores = await inference.decode(encoded).step(Int32Array.of(1, 2, 3), 1);
    for (const row of [0, 1, 2])
      expect(rowOf(scores, row).reduce((sum, x) => sum + Math.exp(x), 0)).toBeCloseTo(1, 5);
  });

  it('scores a word at a time as it scores the text at once', async () => {
    const text = [
      [1, 5, 9, 3],
      [1, 7, 2, 4],
      [1, 1, 8, 6],
    ];
    const whole = await inference.decode(encoded).step(Int32Array.from(text.flat()), 4);
    const stepwise = inference.decode(encoded);
    let last: StepScores | undefined;
    for (let at = 0; at < 4; at++)
      last = await stepwise.step(
        Int32Array.from(text, (ids) => ids[at]),
        1,
      );
    for (const row of [0, 1, 2]) expectClose(last ? rowOf(last, row) : [], rowOf(whole, row));
  });

  it('goes on with chosen images and rows as if there had been no others', async () => {
    const decoder = inference.decode(encoded);
    await decoder.step(Int32Array.of(1, 1, 1), 1);
    // Two rows each, of rows 0 and 2.
    decoder.select([0, 2], [0, 0, 2, 2]);
    expect(decoder.images).toBe(2);
    const scores = await decoder.step(Int32Array.of(5, 6, 7, 8), 1);
    const fresh = [0, 0, 2, 2].map(async (image, row) => {
      const one = inference.decode(await inference.encode(batch(image, 1)));
      await one.step(Int32Array.of(1), 1);
      return one.step(Int32Array.of(5 + row), 1);
    });
    for (const [row, alone] of (await Promise.all(fresh)).entries())
      expectClose(rowOf(scores, row), rowOf(alone, 0));
    // Rows of one image change places.
    decoder.select([0, 1], [1, 0, 2, 2]);
    const swapped = await decoder.step(Int32Array.of(3, 3, 3, 3), 1);
    const other = inference.decode(await inference.encode(batch(0, 1)));
    const want = await other.step(Int32Array.of(1, 6, 3), 3);
    expectClose(rowOf(swapped, 0), rowOf(want, 0));
  });
});

describe('live weights', () => {
  it('give what baked ones give, and are read anew at each run', async () => {
    const values = new Map<string, Tensor>();
    for (const [name, { shape }] of model.weights.tensors)
      values.set(name, tensor('f32', shape, await model.weights.readFloat32(name)));
    const tensorOf = (name: string): Tensor => {
      const value = values.get(name);
      if (!value) throw new Error(`no ${name}`);
      return value;
    };
    using live = await Inference.live(model.config, tensorOf, { threads: 1 });
    const scores = async () => {
      const images = await live.encode(batch(0, 3));
      return live.decode(images).step(Int32Array.of(1, 1, 1), 1);
    };
    const baked = await inference.decode(encoded).step(Int32Array.of(1, 1, 1), 1);
    const before = await scores();
    for (const row of [0, 1, 2]) expectClose(rowOf(before, row), rowOf(baked, row));
    for (const [name, { data }] of values)
      if (name.endsWith('predictions.bias') && data instanceof Float32Array) data[4] += 3;
    const after = await scores();
    expect(rowOf(after, 0)[4]).toBeGreaterThan(rowOf(before, 0)[4] + 1);
  });
});
