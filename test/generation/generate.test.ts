/** Options of generation against transformers (test/fixtures/blip/generation.json, made by scripts/make-generation-references.py). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tensor } from '../../src/engine/runtime/tensor.ts';
import { generate } from '../../src/generation/generate.ts';
import { type EncodedImages, Inference } from '../../src/generation/inference.ts';
import { resolveGeneration } from '../../src/generation/options.ts';
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
});
