/** Models that write together: two of the same write what one writes, under every option. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tensor } from '../../src/engine/runtime/tensor.ts';
import type { Sequence } from '../../src/generation/context.ts';
import { generate } from '../../src/generation/generate.ts';
import { type EncodedImages, Inference } from '../../src/generation/inference.ts';
import { Ensemble, meanScores } from '../../src/generation/members.ts';
import { resolveGeneration } from '../../src/generation/options.ts';
import { logSumExp } from '../../src/generation/selection.ts';
import type { GenerationOptions } from '../../src/model/checkpoint/generation-config.ts';
import { loadModel, type PretrainedModel } from '../../src/model/checkpoint/pretrained.ts';
import { openWeights } from '../../src/weights/open.ts';
import { fixtures } from '../paths.ts';

const tiny = join(fixtures, 'blip/tiny');
let model: PretrainedModel;
let inference: Inference;
let encoded: EncodedImages;

beforeAll(async () => {
  model = await loadModel(tiny);
  inference = await Inference.open(model.config, model.weights, { threads: 1 });
  await using values = await openWeights(join(tiny, 'expected.safetensors'));
  const pixels = tensor('f32', [24, 3, 48, 48], await values.readFloat32('all_pixel_values'));
  encoded = await inference.encode(pixels);
});
afterAll(async () => {
  inference[Symbol.dispose]();
  await model[Symbol.asyncDispose]();
});

const options: GenerationOptions[] = [
  {},
  { repetition_penalty: 1.8 },
  { repetition_penalty: 0.6 },
  { no_repeat_ngram_size: 2 },
  { suppress_tokens: [12, 104, 128], begin_suppress_tokens: [118] },
  { bad_words_ids: [[12], [104, 128]] },
  { min_length: 8, max_length: 14 },
  { do_sample: true, temperature: 0.7, repetition_penalty: 1.3 },
  { do_sample: true, top_p: 0.8, num_return_sequences: 2 },
  { do_sample: true, top_k: 3, repetition_penalty: 1.8, no_repeat_ngram_size: 2 },
  { num_beams: 3, repetition_penalty: 1.8, length_penalty: 0.5, num_return_sequences: 2 },
  { num_beams: 3, do_sample: true, temperature: 1.4, top_p: 0.9 },
];

const plain = (all: Sequence[][]) =>
  all.map((list) => list.map(({ ids, logprobs, score }) => ({ ids, logprobs, score })));

describe('members that are the same', () => {
  it.each(options)('write what one writes, to the bit: %j', async (given) => {
    const settings = resolveGeneration({ max_length: 14, ...given }, {});
    const config = model.config.text_config;
    const context = { config, prompt: [config.bos_token_id], seed: 3 };
    const together = new Ensemble([inference, inference]).decode([encoded, encoded]);
    const alone = await generate(inference.decode(encoded), settings, context);
    expect(plain(await generate(together, settings, context))).toEqual(plain(alone));
  });
});

describe('the scores of members', () => {
  const scoresOf = (logits: number[][]) => ({
    logits: Float32Array.from(logits.flat()),
    normalizer: Float32Array.from(logits, (row) => logSumExp(Float32Array.from(row))),
  });

  it('are logits of the mean of the probabilities, on the scale of the members', () => {
    const a = scoresOf([
      [3, 1, -2],
      [0, 0, 10],
    ]);
    const b = scoresOf([
      [8, 9, 7],
      [1, 2, 3],
    ]);
    const { logits, normalizer } = meanScores([a, b]);
    for (const row of [0, 1]) {
      const mean = (a.normalizer[row] + b.normalizer[row]) / 2;
      expect(normalizer[row]).toBeCloseTo(mean, 6);
      const own = logits.subarray(3 * row, 3 * row + 3);
      expect(logSumExp(own)).toBeCloseTo(normalizer[row], 5);
      for (const i of [0, 1, 2]) {
        const [p, q] = [a, b].map((s) => Math.exp(s.logits[3 * row + i] - s.normalizer[row]));
        expect(Math.exp(own[i] - normalizer[row])).toBeCloseTo((p + q) / 2, 6);
      }
    }
  });

  it('stay finite for words that are next to impossible', () => {
    const far = scoresOf([[200, 0]]);
    expect(meanScores([far, far])).toEqual(far);
  });
});
