/** Flags of commands as options of generation. */
import { describe, expect, it } from 'vitest';
import { captionOptions, givenOptions } from '../../src/caption/command-options.ts';

describe('givenOptions', () => {
  it('has what is given, under the captioner’s names, and nothing else', () => {
    expect(givenOptions({})).toEqual({});
    expect(givenOptions({ beams: undefined, sample: false })).toEqual({});
    expect(
      givenOptions({ beams: 3, noRepeatNgram: 2, maxNewTokens: 9, ban: ['a'], sample: true }),
    ).toEqual({
      ...{ num_beams: 3, no_repeat_ngram_size: 2, max_new_tokens: 9, bannedWords: ['a'] },
      do_sample: true,
    });
    expect(
      givenOptions({ minLength: 0, earlyStopping: false, temperature: 0, prompt: '' }),
    ).toEqual({
      ...{ min_length: 0, early_stopping: false, temperature: 0, prompt: '' },
    });
  });
});

describe('captionOptions', () => {
  it('keeps the model’s own beams, and takes as many as there are captions', () => {
    expect(captionOptions({}, {})).toEqual({ num_beams: 1 });
    expect(captionOptions({}, { num_beams: 4 })).toEqual({ num_beams: 4 });
    expect(captionOptions({ numCaptions: 3 }, {})).toEqual({
      num_beams: 3,
      num_return_sequences: 3,
    });
    expect(captionOptions({ numCaptions: 3 }, { num_beams: 5 }).num_beams).toBe(5);
    expect(captionOptions({ beams: 2, numCaptions: 3 }, { num_beams: 5 }).num_beams).toBe(2);
  });

  it('draws words where an option of drawing is given, without beams', () => {
    for (const flags of [{ sample: true }, { topP: 0.9 }, { topK: 5 }, { temperature: 0.5 }])
      expect(captionOptions(flags, { num_beams: 4 })).toMatchObject({
        do_sample: true,
        num_beams: 1,
      });
    expect(captionOptions({ sample: false, topK: 5 }, {})).toEqual({ num_beams: 1, top_k: 5 });
  });
});
