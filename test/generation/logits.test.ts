/** Rules for the scores of the next word, by hand and as properties. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ScoreRule, scoreRules } from '../../src/generation/logits.ts';
import { resolveGeneration } from '../../src/generation/options.ts';
import type { GenerationOptions } from '../../src/model/checkpoint/generation-config.ts';

const end = 2;
const promptLength = 1;

function apply(options: GenerationOptions, logits: readonly number[], sequence: readonly number[]) {
  const scores = Float32Array.from(logits);
  const rules: ScoreRule[] = scoreRules(resolveGeneration(options, {}), end, promptLength);
  for (const rule of rules) rule(scores, sequence);
  return [...scores];
}

/** Places that may still be chosen. */
const allowed = (scores: readonly number[]) =>
  [...scores.keys()].filter((i) => scores[i] > Number.NEGATIVE_INFINITY);

describe('rules', () => {
  const flat = [1, 1, 1, 1, 1];

  it('are none where nothing is asked for', () => {
    expect(scoreRules(resolveGeneration({}, {}), end, promptLength)).toEqual([]);
  });

  it('penalise each repeated word once: positive logits divided, negative ones multiplied', () => {
    const penalty = { repetition_penalty: 2 };
    expect(apply(penalty, [4, -4, 3, 0], [0, 1, 0, 1, 3])).toEqual([2, -8, 3, 0]);
  });

  it('ban what would repeat a sequence of words', () => {
    expect(allowed(apply({ no_repeat_ngram_size: 2 }, flat, [0, 3, 4, 3]))).toEqual([0, 1, 2, 3]);
    expect(allowed(apply({ no_repeat_ngram_size: 1 }, flat, [0, 3]))).toEqual([1, 2, 4]);
    expect(allowed(apply({ no_repeat_ngram_size: 3 }, flat, [0, 3]))).toEqual([0, 1, 2, 3, 4]);
  });

  it('ban words, and the last of a phrase after the others; never the end alone', () => {
    const bad = { bad_words_ids: [[1], [3, 4], [2]] as [number, ...number[]][] };
    expect(allowed(apply(bad, flat, [0]))).toEqual([0, 2, 3, 4]);
    expect(allowed(apply(bad, flat, [0, 3]))).toEqual([0, 2, 3]);
  });

  it('ban the end until there are words enough, and ids at the beginning or for good', () => {
    expect(allowed(apply({ min_length: 3 }, flat, [0, 1]))).toEqual([0, 1, 3, 4]);
    expect(allowed(apply({ min_length: 3 }, flat, [0, 1, 1]))).toEqual([0, 1, 2, 3, 4]);
    expect(allowed(apply({ min_new_tokens: 3 }, flat, [0, 1, 1]))).toEqual([0, 1, 3, 4]);
    const first = { begin_suppress_tokens: [4], suppress_tokens: [3] };
    expect(allowed(apply(first, flat, [0]))).toEqual([0, 1, 2]);
    expect(allowed(apply(first, flat, [0, 1]))).toEqual([0, 1, 2, 4]);
  });
});

describe('the cuts of sampling', () => {
  const cut = (options: GenerationOptions) => {
    const logits = [0.2, 0.4, 0.1, 0.3].map(Math.log);
    return allowed(apply({ do_sample: true, top_k: 0, ...options }, logits, [9]));
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

  it('keep words whose probabilities reach p, of which none can be spared', () => {
    const logit = fc.float({ min: -8, max: 8, noNaN: true });
    fc.assert(
      fc.property(
        fc.uniqueArray(logit, { minLength: 2, maxLength: 20 }),
        fc.double({ min: 0.05, max: 0.95, noNaN: true }),
        (logits, p) => {
          const kept = allowed(apply({ do_sample: true, top_k: 0, top_p: p }, logits, [99]));
          const total = logits.reduce((sum, x) => sum + Math.exp(x), 0);
          const probabilities = kept.map((i) => Math.exp(logits[i]) / total);
          const reached = probabilities.reduce((a, b) => a + b, 0);
          expect(reached).toBeGreaterThan(p - 1e-6);
          const least = Math.min(...probabilities);
          if (kept.length > 1) expect(reached - least).toBeLessThan(p + 1e-6);
          expect(Math.max(...kept.map((i) => logits[i]))).toBeGreaterThanOrEqual(
            Math.max(...logits),
          );
        },
      ),
    );
  });
});
