/** LoRA adapters against PEFT: merged tensors and generated captions (test/fixtures/blip/adapters, by scripts/make-adapter-references.py). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { tensor } from '../../../src/engine/runtime/tensor.ts';
import { generate } from '../../../src/generation/generate.ts';
import { Inference } from '../../../src/generation/inference.ts';
import { resolveGeneration } from '../../../src/generation/options.ts';
import type { GenerationOptions } from '../../../src/model/checkpoint/generation-config.ts';
import {
  loadModel,
  loadParameters,
  type PretrainedModel,
} from '../../../src/model/checkpoint/pretrained.ts';
import { openWeights } from '../../../src/weights/open.ts';
import { fixtures } from '../../paths.ts';

interface Expected {
  /** Of each tensor that the adapter changes: the sum, and the sum of squares. */
  readonly sums: Readonly<Record<string, readonly [number, number]>>;
  readonly generate: Readonly<
    Record<
      string,
      { options: GenerationOptions; ids: number[][]; sequences_scores?: readonly number[] }
    >
  >;
}

const folder = join(fixtures, 'blip/adapters');
const tiny = join(fixtures, 'blip/tiny');
const { adapters }: { adapters: Record<string, Expected> } = JSON.parse(
  readFileSync(join(folder, 'expected.json'), 'utf8'),
);

let pixels: Float32Array;
beforeAll(async () => {
  await using values = await openWeights(join(tiny, 'expected.safetensors'));
  pixels = await values.readFloat32('all_pixel_values');
});

async function withModel(name: string, work: (model: PretrainedModel) => Promise<void>) {
  await using model = await loadModel(join(folder, name), { hub: { offline: true } });
  await work(model);
}

describe.each(Object.entries(adapters))('the adapter %s', (name, { sums, generate: runs }) => {
  it('changes the tensors that PEFT changes, to the same values', () =>
    withModel(name, async (model) => {
      await using base = await loadModel(tiny);
      const [changed, plain] = [await loadParameters(model), await loadParameters(base)];
      const different = plain.names.filter((parameter) => {
        const { data } = plain.tensor(parameter);
        return changed.tensor(parameter).data.some((value, i) => value !== data[i]);
      });
      // PyTorch has tied tensors under both names.
      expect(
        Object.keys(sums)
          .filter((key) => plain.names.includes(key))
          .sort(),
      ).toEqual([...different].sort());
      for (const parameter of different) {
        const { data } = changed.tensor(parameter);
        const sum = data.reduce((total, value) => total + value, 0);
        const squares = data.reduce((total, value) => total + value * value, 0);
        const [wantedSum, wantedSquares] = sums[parameter];
        expect(Math.abs(sum - wantedSum), parameter).toBeLessThan(1e-8 * (data.length + 10));
        expect(Math.abs(squares / wantedSquares - 1), parameter).toBeLessThan(1e-6);
      }
    }));

  it.each(Object.keys(runs))('writes what the merged model writes: %s', (run) =>
    withModel(name, async (model) => {
      const { options, ids, sequences_scores: scores } = runs[run];
      using inference = await Inference.open(model.config, model.weights);
      const encoded = await inference.encode(tensor('f32', [24, 3, 48, 48], pixels));
      const config = model.config.text_config;
      const settings = resolveGeneration(options, model.generation);
      const prompt = [config.bos_token_id];
      const rows = await generate(inference.decode(encoded), settings, { config, prompt });
      for (const [i, found] of rows.flat().entries()) {
        expect(found.ids).toEqual(ids[i].slice(0, found.ids.length));
        expect(ids[i].slice(found.ids.length).every((id) => id === 0 || id === 10)).toBe(true);
        if (scores) expect(found.score).toBeCloseTo(scores[i], 4);
      }
      // The pictures count.
      expect(new Set(ids.map((row) => row.join())).size).toBeGreaterThan(1);
    }),
  );
});
