/** From ids to texts and words. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { toCaption, WordCollector } from '../../src/caption/result.ts';
import { loadModel } from '../../src/model/checkpoint/pretrained.ts';
import { tiny } from './models.ts';

let tokenizer: Awaited<ReturnType<typeof loadModel>>['tokenizer'];
beforeAll(async () => {
  await using model = await loadModel(join(tiny));
  tokenizer = model.tokenizer;
});
const idsOf = (text: string) => tokenizer.encode(text, { specialTokens: false });

describe('a caption', () => {
  it('sums the log-probabilities of what follows the prompt', () => {
    const words = idsOf('a brown owl');
    const ids = [180, ...words];
    const logprobs = words.map((_, i) => -(i + 1) / 4);
    const sum = logprobs.reduce((total, x) => total + x, 0);
    const caption = toCaption({ ids, logprobs, score: -0.5 }, tokenizer, 1, false);
    expect(caption).toEqual({
      text: 'a brown owl',
      ids,
      logprob: sum,
      meanLogprob: sum / words.length,
      score: -0.5,
    });
    expect(toCaption({ ids, logprobs }, tokenizer, 1, false)).not.toHaveProperty('score');
  });

  it('has words whose log-probabilities sum to its own, less those of ids without text', () => {
    const text = 'a zebra owl xylophone';
    const words = idsOf(text);
    expect(words.length).toBeGreaterThan(4); // some of them are pieces
    const ids = [180, ...words, 10];
    const logprobs = [...words, 10].map((_, i) => -(i + 1));
    const caption = toCaption({ ids, logprobs }, tokenizer, 1, true);
    expect(caption.words?.map((word) => word.text).join(' ')).toBe(caption.text);
    const sum = caption.words?.reduce((total, { logprob }) => total + logprob, 0);
    const isEndText = tokenizer.decode([10]) !== '';
    expect(sum).toBe(caption.logprob + (isEndText ? 0 : ids.length - 1));
  });
});

it('knows a word to be whole when the next one begins', () => {
  const collector = new WordCollector(tokenizer);
  const told = idsOf('a brown owl').map((id) => collector.push(id, -1)?.text);
  expect(told).toEqual([undefined, 'a', 'brown']);
  expect(collector.end()).toEqual({ text: 'owl', logprob: -1 });
  expect(collector.end()).toBeUndefined();
});
