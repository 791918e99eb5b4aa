import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Captioner, type CaptionOptions, type ImageCaption } from '../../src/caption/index.ts';
import { type Tensor, tensor } from '../../src/engine/runtime/tensor.ts';
import { beamSearch } from '../../src/generation/beams.ts';
import type { Sequence } from '../../src/generation/context.ts';
import { generate } from '../../src/generation/generate.ts';
import { Inference } from '../../src/generation/inference.ts';
import { resolveGeneration } from '../../src/generation/options.ts';
import { loadModel, type PretrainedModel } from '../../src/model/checkpoint/pretrained.ts';
import { openWeights } from '../../src/weights/open.ts';
import { fixtures } from '../paths.ts';

const tiny = join(fixtures, 'blip/tiny');
let captioner: Captioner;
let files: string[];
beforeAll(async () => {
  captioner = await Captioner.load(tiny);
  files = (await readdir(join(tiny, 'images'))).sort().map((name) => join(tiny, 'images', name));
});
afterAll(() => captioner[Symbol.dispose]());

const idsOf = (results: readonly ImageCaption[]) =>
  results.map(({ captions }) => captions.map(({ ids }) => ids));

const settings: [string, CaptionOptions][] = [
  ['greedy', {}],
  ['4 beams', { num_beams: 4, num_return_sequences: 3 }],
  ['early stopping', { num_beams: 3, early_stopping: true, max_length: 12 }],
  ['sampling', { do_sample: true, seed: 7, num_return_sequences: 2, top_p: 0.9 }],
  ['sampling beams', { do_sample: true, seed: 7, num_beams: 3, temperature: 0.8 }],
  ['a prompt', { prompt: 'a small', num_beams: 2, repetition_penalty: 1.4 }],
];

describe('a batch gives what its images alone give', () => {
  it.each(settings)('%s', async (_, options) => {
    const together = await captioner.captionAll(files, options);
    for (const [i, file] of files.entries()) {
      const [alone] = await captioner.captionAll([file], { ...options, imageNumbers: [i] });
      expect(idsOf([alone])).toEqual(idsOf([together[i]]));
      for (const [c, caption] of alone.captions.entries())
        expect(caption.logprob).toBeCloseTo(together[i].captions[c].logprob, 4);
    }
  });
});

it('the same seed draws the same words and another one others', async () => {
  const draw = (seed: number) => captioner.captionAll(files, { do_sample: true, seed });
  expect(await draw(3)).toEqual(await draw(3));
  expect(idsOf(await draw(3))).not.toEqual(idsOf(await draw(4)));
});

describe('the cache', () => {
  let model: PretrainedModel;
  let inference: Inference;
  let pixels: Tensor<'f32'>;
  beforeAll(async () => {
    model = await loadModel(tiny);
    inference = await Inference.open(model.config, model.weights);
    await using values = await openWeights(join(tiny, 'expected.safetensors'));
    pixels = tensor('f32', [6, 3, 48, 48], await values.readFloat32('pixel_values'));
  });
  afterAll(async () => {
    inference[Symbol.dispose]();
    await model[Symbol.asyncDispose]();
  });

  it('gives the scores of the whole sequence read anew', async () => {
    const encoded = await inference.encode(pixels);
    const words = [180, 12, 104, 147, 128, 9];
    const cached = inference.decode(encoded);
    for (let t = 0; t < words.length; t++) {
      const step = await cached.step(new Int32Array(6).fill(words[t]), 1);
      const sequence = words.slice(0, t + 1);
      const all = Int32Array.from(
        { length: 6 * sequence.length },
        (_, i) => sequence[i % sequence.length],
      );
      const whole = await inference.decode(encoded).step(all, sequence.length);
      for (let i = 0; i < whole.logits.length; i++)
        expect(Math.abs(step.logits[i] - whole.logits[i])).toBeLessThan(2e-5);
    }
  });

  it('serves beam search, of which one beam is greedy search', async () => {
    const encoded = await inference.encode(pixels);
    const greedy = resolveGeneration({ max_length: 14 }, {});
    const context = { config: model.config.text_config, prompt: [180] };
    const expected = await generate(inference.decode(encoded), greedy, context);
    const found = await beamSearch(inference.decode(encoded), greedy, context, 14);
    const ids = (all: Sequence[][]) => all.map(([{ ids }]) => ids);
    expect(ids(found)).toEqual(ids(expected));
  });

  it('keeps the chosen rows and images', async () => {
    const encoded = await inference.encode(pixels);
    const decoding = inference.decode(encoded);
    await decoding.step(Int32Array.from([180, 180, 180, 180, 180, 180]), 1);
    // Image 4 with three beams and image 1 with three.
    decoding.select([1, 4], [1, 1, 1, 4, 4, 4]);
    await decoding.step(Int32Array.from([12, 104, 118, 12, 104, 118]), 1);
    decoding.select([0, 1], [2, 0, 0, 5, 5, 4]);
    const { logits } = await decoding.step(Int32Array.from([128, 104, 9, 12, 13, 14]), 1);
    const sequences = [
      [1, 180, 118, 128],
      [1, 180, 12, 104],
      [1, 180, 12, 9],
      [4, 180, 118, 12],
      [4, 180, 118, 13],
      [4, 180, 104, 14],
    ];
    const size = logits.length / sequences.length;
    for (const [row, [image, ...ids]] of sequences.entries()) {
      const alone = inference.decode(encoded);
      const rows = Int32Array.from({ length: 6 * ids.length }, (_, i) => ids[i % ids.length]);
      const whole = await alone.step(rows, ids.length);
      for (let i = 0; i < size; i++)
        expect(Math.abs(logits[row * size + i] - whole.logits[image * size + i])).toBeLessThan(
          2e-5,
        );
    }
  });
});

describe('int8', () => {
  it('stays near f32', async () => {
    await using model = await loadModel(tiny);
    using exact = await Inference.open(model.config, model.weights);
    using rounded = await Inference.open(model.config, model.weights, { quantize: 'int8' });
    await using values = await openWeights(join(tiny, 'expected.safetensors'));
    const pixels = tensor('f32', [6, 3, 48, 48], await values.readFloat32('pixel_values'));
    const ids = new Int32Array(6).fill(180);
    const [a, b] = [exact, rounded].map(async (inference) =>
      inference.decode(await inference.encode(pixels)).step(ids, 1),
    );
    const [want, have] = [(await a).logits, (await b).logits];
    let error = 0;
    let size = 0;
    for (let i = 0; i < want.length; i++) {
      error += (want[i] - have[i]) ** 2;
      size += want[i] ** 2;
    }
    const relative = Math.sqrt(error / size);
    // Rounded, so not the same; and about the 7 bits that weights have here.
    expect(relative).toBeGreaterThan(1e-6);
    expect(relative).toBeLessThan(0.05);
  });
});
