/** Beam search against all sequences of a toy model that its beams reach. */
import { expect, it } from 'vitest';
import { beamSearch } from '../../src/generation/beams.ts';
import { resolveGeneration } from '../../src/generation/options.ts';
import { logSumExp } from '../../src/generation/selection.ts';
import { parseBlipConfig } from '../../src/model/config.ts';
import { toyDecoder, toyLogits } from './toy-decoder.ts';

const end = 3;
const config = parseBlipConfig({ text_config: { sep_token_id: end } }, 'a toy').text_config;
const prompt = [0, 1];
const beams = 8;

/** Sequences of one or two words with the sums of their log-probabilities; the second goes on from the 8 best first ones. */
function sequences(image: number): { ids: number[]; total: number }[] {
  const grow = (ids: number[], total: number) => {
    const logits = toyLogits(image, ids);
    const normalizer = logSumExp(logits);
    return [...logits].map((logit, id) => ({
      ids: [...ids, id],
      total: total + logit - normalizer,
    }));
  };
  const byTotal = (a: { total: number }, b: { total: number }) => b.total - a.total;
  const first = grow(prompt, 0).sort(byTotal);
  const ended = first.slice(0, beams).filter(({ ids }) => ids.at(-1) === end);
  const running = first.filter(({ ids }) => ids.at(-1) !== end).slice(0, beams);
  return [...ended, ...running.flatMap(({ ids, total }) => grow(ids, total))];
}

it.each([0.5, 1, 2])(
  'finds the best of all that its beams reach, length penalty %d',
  async (penalty) => {
    const options = { num_beams: beams, length_penalty: penalty, num_return_sequences: 3 };
    const settings = resolveGeneration({ ...options, early_stopping: 'never' }, {});
    const found = await beamSearch(toyDecoder(20), settings, { config, prompt }, prompt.length + 2);
    const lengths = new Set<number>();
    for (const [image, list] of found.entries()) {
      const ranked = sequences(image)
        .map(({ ids, total }) => ({ ids, score: total / (ids.length - prompt.length) ** penalty }))
        .sort((a, b) => b.score - a.score);
      expect(list.map(({ ids }) => ids)).toEqual(ranked.slice(0, 3).map(({ ids }) => ids));
      for (const [i, { score, logprobs, ids }] of list.entries()) {
        expect(score).toBeCloseTo(ranked[i].score, 4);
        const sum = logprobs.reduce((a, b) => a + b, 0);
        expect(sum / logprobs.length ** penalty).toBeCloseTo(ranked[i].score, 4);
        lengths.add(ids.length);
      }
    }
    expect([...lengths].sort()).toEqual([prompt.length + 1, prompt.length + 2]);
  },
);
