/** What training takes of a model's generation config: what must not be written, and nothing else. */
import { describe, expect, it } from 'vitest';
import { generationDefaults, resolveGeneration } from '../../../src/generation/options.ts';
import {
  neverWritten,
  samplingSettings,
  savedGeneration,
  validationSettings,
} from '../../../src/train/loop/generation.ts';

/** Everything that a generation_config.json may say. */
const busy = {
  max_length: 40,
  max_new_tokens: 30,
  min_length: 9,
  min_new_tokens: 4,
  num_beams: 3,
  do_sample: true,
  temperature: 0.3,
  top_k: 5,
  top_p: 0.5,
  length_penalty: 2,
  repetition_penalty: 1.8,
  no_repeat_ngram_size: 2,
  early_stopping: true,
  num_return_sequences: 3,
  bad_words_ids: [[7], [8, 9], [2]] as [number, ...number[]][],
  suppress_tokens: [4, 7],
  begin_suppress_tokens: [5],
};

describe('settings of captions in training', () => {
  it('are of the run alone at a validation, but for what must not be written', () => {
    expect(validationSettings(busy, 14, 2)).toEqual({
      ...generationDefaults,
      max_length: 14,
      num_beams: 2,
      bad_words_ids: busy.bad_words_ids,
      suppress_tokens: busy.suppress_tokens,
      begin_suppress_tokens: busy.begin_suppress_tokens,
    });
  });

  it('leave to drawn captions and their baseline the distribution that is trained', () => {
    const never = neverWritten(busy, 2);
    expect(never).toEqual([4, 7]);
    expect(samplingSettings(never, 14)).toEqual({
      ...generationDefaults,
      max_length: 14,
      num_beams: 1,
      suppress_tokens: [4, 7],
    });
    expect(neverWritten({ bad_words_ids: [[7], [8, 9]] }, 2)).toEqual([7]);
    expect(neverWritten({}, 2)).toEqual([]);
  });
});

describe('the saved generation config', () => {
  it('has the lengths and beams of the run, and of the start what goes with them', () => {
    const saved = savedGeneration(busy, 14, 3);
    const { max_new_tokens: _, ...rest } = busy;
    expect(saved).toEqual({ ...rest, max_length: 14 });
    expect(() => resolveGeneration({}, saved)).not.toThrow();
  });

  it.each([1, 2, 3])('can be used as it is, with %d beams', (beams) => {
    for (const length of [5, 10, 14])
      for (const do_sample of [false, true]) {
        const saved = savedGeneration({ ...busy, do_sample }, length, beams);
        const settings = resolveGeneration({}, saved);
        expect(settings.min_length).toBeLessThan(length);
        expect(settings.num_beams).toBe(beams);
        expect(settings.max_length).toBe(length);
      }
  });
});
