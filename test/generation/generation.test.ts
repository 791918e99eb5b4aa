/** Options of generation against transformers (test/fixtures/blip/generation.json, made by scripts/make-generation-references.py). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { tensor } from '../../src/engine/runtime/tensor.ts';
import { generate } from '../../src/generation/generate.ts';
import { type EncodedImages, Inference } from '../../src/generation/inference.ts';
import { type ScoreRule, scoreRules } from '../../src/generation/logits.ts';
import { resolveGeneration } from '../../src/generation/options.ts';
import { Best, logSumExp, sample } from '../../src/generation/selection.ts';
import type { GenerationOptions } from '../../src/model/checkpoint/generation-config.ts';
import { loadModel, type PretrainedModel } from '../../src/model/checkpoint/pretrained.ts';
import { openWeights } from '../../src/weights/open.ts';
import { fixtures } from '../paths.ts';

const tiny = join(fixtures, 'blip/tiny');

interface Run {
  options: GenerationOptions & { prompt?: string };
  ids: number[][];
  sequences_scores?: number[];
}
const { generate: runs }: { generate: Record<string, Run> } = JSON.parse(
  readFileSync(join(fixtures, 'blip/generation.json'), 'utf8'),
);

let model: PretrainedModel;
let inference: Inference;
let encoded: EncodedImages;
beforeAll(async () => {
  model = await loadModel(tiny);
  inference = await Inference.open(model.config, model.weights);
  await using values = await openWeights(join(tiny, 'expected.safetensors'));
  const pixels = await values.readFloat32('all_pixel_values');
  encoded = await inference.encode(tensor('f32', [24, 3, 48, 48], pixels));
});
afterAll(async () => {
  inference[Symbol.dispose]();
  await model[Symbol.asyncDispose]();
});

function write(options: GenerationOptions, prompt = '') {
  const config = model.config.text_config;
  const ids = [config.bos_token_id, ...model.tokenizer.encode(prompt, { specialTokens: false })];
  const settings = resolveGeneration(options, model.generation);
  return generate(inference.decode(encoded), settings, { config, prompt: ids });
}

describe('generate', () => {
  it.each(Object.entries(runs))('gives the ids of transformers: %s', async (_, run) => {
    const { prompt, ...options } = run.options;
    const rows = (await write(options, prompt)).flat();
    expect(rows.length).toBe(run.ids.length);
    for (const [i, { ids, score }] of rows.entries()) {
      expect(ids).toEqual(run.ids[i].slice(0, ids.length));
      // The rest of a reference row is padding, or the end repeated.
      expect(run.ids[i].slice(ids.length).every((id) => id === 0 || id === 10)).toBe(true);
      if (!run.sequences_scores) continue;
      const expected = run.sequences_scores[i];
      expect(Math.abs((score ?? Number.NaN) - expected)).toBeLessThan(
        2e-5 + 1e-6 * Math.abs(expected),
      );
    }
  });

  it('says which length does not fit', async () => {
    await expect(write({ max_length: 42 })).rejects.toThrow(/42 ids.*40 positions/);
    await expect(write({ max_length: 3 }, 'a man')).rejects.toThrow(/no room after the prompt/);
  });

  it('refuses options that are unknown, wrong or do not fit each other', () => {
    const resolve = (options: object) => () => resolveGeneration(options, {});
    expect(resolve({ beams: 3 })).toThrow(/no option beams; known: max_length/);
    expect(resolve({ num_beams: 0 })).toThrow(/num_beams/);
    expect(resolve({ num_beams: 2, num_return_sequences: 3 })).toThrow(/more than num_beams/);
    expect(resolve({ num_return_sequences: 3 })).toThrow(/greedy search gives one/);
    expect(resolve({ early_stopping: 'sometimes' })).toThrow(/early_stopping/);
  });

  it('takes what is not given from the model, then from transformers', () => {
    const settings = resolveGeneration({ num_beams: 2 }, { num_beams: 5, length_penalty: 2 });
    expect(settings).toMatchObject({
      num_beams: 2,
      length_penalty: 2,
      top_k: 50,
      do_sample: false,
    });
  });
});

describe('the cuts of sampling', () => {
  // Log-probabilities of 0.4, 0.3, 0.2, 0.1 in another order.
  const scores = () => Float32Array.from([0.2, 0.4, 0.1, 0.3], Math.log);
  const cut = (options: GenerationOptions) => {
    const settings = resolveGeneration({ do_sample: true, top_k: 0, ...options }, {});
    const result = scores();
    const rules: ScoreRule[] = scoreRules(settings, 99, 1);
    for (const rule of rules) rule(result, [0]);
    return [...result.keys()].filter((i) => result[i] > Number.NEGATIVE_INFINITY);
  };

  it('keep the k best', () => {
    expect(cut({ top_k: 1 })).toEqual([1]);
    expect(cut({ top_k: 3 })).toEqual([0, 1, 3]);
    expect(cut({ top_k: 9 })).toEqual([0, 1, 2, 3]);
    expect(cut({ top_k: 1, num_beams: 2 })).toEqual([1, 3]);
  });

  it('keep the fewest words that reach p', () => {
    expect(cut({ top_p: 0.3 })).toEqual([1]);
    expect(cut({ top_p: 0.5 })).toEqual([1, 3]);
    expect(cut({ top_p: 0.75 })).toEqual([0, 1, 3]);
    expect(cut({ top_p: 0.3, num_beams: 2 })).toEqual([1, 3]);
  });

  it('draw as often as the probabilities say', () => {
    const random = createRandom(5);
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 20_000; i++) counts[sample(scores(), random)] += 1;
    for (const [i, p] of [0.2, 0.4, 0.1, 0.3].entries())
      expect(Math.abs(counts[i] / 20_000 - p)).toBeLessThan(0.015);
  });

  it('know the sum of exponentials and the best few', () => {
    expect(logSumExp(scores())).toBeCloseTo(0, 6);
    const best = new Best(3);
    for (const [place, score] of [1, 5, Number.NEGATIVE_INFINITY, 5, 2].entries())
      best.offer(place, score);
    expect(best.places).toEqual([1, 3, 4]);
    expect(best.scores).toEqual([5, 5, 2]);
  });
});
