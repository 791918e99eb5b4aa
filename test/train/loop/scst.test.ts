/** Self-critical training: captions that are drawn, and how much more or less likely each is to become. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tensor } from '../../../src/engine/runtime/tensor.ts';
import { Inference } from '../../../src/generation/inference.ts';
import { resolveGeneration } from '../../../src/generation/options.ts';
import { loadModel, type PretrainedModel } from '../../../src/model/checkpoint/pretrained.ts';
import { parseTrainConfig } from '../../../src/train/config/config.ts';
import type { DrawnCaption } from '../../../src/train/loop/scoring.ts';
import { drawSamples } from '../../../src/train/loop/scst.ts';
import { openWeights } from '../../../src/weights/open.ts';
import { fixtures } from '../../paths.ts';

const tiny = join(fixtures, 'blip/tiny');
let model: PretrainedModel;
let inference: Inference;
beforeAll(async () => {
  model = await loadModel(tiny);
  inference = await Inference.open(model.config, model.weights, { threads: 1 });
});
afterAll(async () => {
  inference[Symbol.dispose]();
  await model[Symbol.asyncDispose]();
});

/** Draws for six pictures; a caption's reward is its length and its place in the split. */
async function draw(baseline: 'mean' | 'greedy', samples: number) {
  await using values = await openWeights(join(tiny, 'expected.safetensors'));
  const pixels = tensor('f32', [6, 3, 48, 48], await values.readFloat32('pixel_values'));
  const asked: { place: number; captions: readonly DrawnCaption[] }[] = [];
  const drawn = await drawSamples(
    {
      inference,
      tokenizer: model.tokenizer,
      config: parseTrainConfig({ stage: 'scst', scst: { samples, baseline, temperature: 1.5 } }),
      prompt: [model.config.text_config.bos_token_id],
      settings: resolveGeneration({ max_length: 12, num_beams: 1 }, {}),
      reward: (place, captions) => {
        asked.push({ place, captions });
        return captions.map(({ text }) => text.length + 100 * place);
      },
    },
    { images: pixels, concepts: {} },
    [10, 11, 12, 13, 14, 15],
    4,
  );
  return { ...drawn, asked };
}

describe('drawn captions', () => {
  it('are weighed by how far they are above the others of their picture', async () => {
    const { advantages, reward, captions, asked } = await draw('mean', 4);
    expect(asked.map(({ place }) => place)).toEqual([10, 11, 12, 13, 14, 15]);
    const rewards = asked.map((one) =>
      one.captions.map(({ text }) => text.length + 100 * one.place),
    );
    for (const [i, own] of rewards.entries())
      for (const [j, x] of own.entries()) {
        const others = own.filter((_, k) => k !== j);
        const mean = others.reduce((a, b) => a + b, 0) / others.length;
        expect(advantages[4 * i + j]).toBeCloseTo(x - mean, 3);
      }
    expect(advantages.some((x) => x > 0) && advantages.some((x) => x < 0)).toBe(true);
    const all = rewards.flat();
    expect(reward).toBeCloseTo(all.reduce((a, b) => a + b, 0) / all.length, 6);
    // What is trained is what was rewarded.
    for (const [i, { captions: rewarded }] of asked.entries())
      for (const [j, { text, ended }] of rewarded.entries()) {
        const { ids } = captions[i][j];
        expect(model.tokenizer.decode(ids)).toBe(text);
        expect(ended).toBe(ids.at(-1) === model.tokenizer.ids.sep);
      }
  });

  it('are weighed by how far they are above the greedy caption', async () => {
    const { advantages, asked } = await draw('greedy', 3);
    // A picture's own captions are asked about first, then its greedy one.
    for (let i = 0; i < 6; i++) {
      const [own, greedy] = [asked[2 * i].captions, asked[2 * i + 1].captions];
      expect(greedy).toHaveLength(1);
      for (const [j, { text }] of own.entries())
        expect(advantages[3 * i + j]).toBeCloseTo(text.length - greedy[0].text.length, 3);
    }
    const texts = (from: number) =>
      new Set(asked.filter((_, k) => k % 2 === from).map(({ captions }) => captions[0].text));
    expect(texts(0)).not.toEqual(texts(1));
  });
});
