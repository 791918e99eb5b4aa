/** Options of generation: what is refused, and where what is not given comes from. */
import { describe, expect, it } from 'vitest';
import { resolveGeneration } from '../../src/generation/options.ts';

describe('options of generation', () => {
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
