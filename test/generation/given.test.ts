/** Given concepts laid out as tokens. */
import { expect, it } from 'vitest';
import { conceptFeeds } from '../../src/generation/given.ts';
import { conceptSchema } from '../../src/model/concepts/config.ts';

const config = conceptSchema.parse({
  class_tokens: 2,
  word_tokens: 2,
  class_groups: [0, 1, 2],
  class_names: [[5], [6, 7], [8]],
  words: [5, 9, 10],
});

const slots = (given: readonly (readonly [readonly number[], number])[]) => {
  const concepts = given.map(([words, probability]) => ({ words, probability }));
  const { conceptWords, conceptProbabilities } = conceptFeeds(config, [[], concepts]);
  expect([conceptWords.shape, conceptProbabilities.shape]).toEqual([
    [2, 4, 2],
    [2, 4],
  ]);
  expect([...conceptWords.data].slice(0, 8)).toEqual(new Array(8).fill(-1));
  const words = [...conceptWords.data].slice(8).map(Number);
  return [0, 1, 2, 3].map((i): [number[], number] => [
    words.slice(2 * i, 2 * i + 2),
    Number(Number(conceptProbabilities.data[4 + i]).toFixed(6)),
  ]);
};
const free = [[-1, -1], 0.000001];

it('stand where their kind does, the likeliest first', () => {
  expect(
    slots([
      [[9], 0.25],
      [[5], 0.5],
      [[6, 7], 0.75],
      [[11], 0.5],
    ]),
  ).toEqual([
    [[6, 7], 0.75],
    [[5, -1], 0.5],
    [[11, -1], 0.5],
    [[9, -1], 0.25],
  ]);
});

it('take room of the other kind, and the least likely find none', () => {
  expect(
    slots([
      [[9], 0.5],
      [[10], 0.25],
      [[11], 0.125],
    ]),
  ).toEqual([[[11, -1], 0.125], free, [[9, -1], 0.5], [[10, -1], 0.25]]);
  const many = slots([20, 21, 22, 23, 24].map((id, i) => [[id], (i + 1) / 8]));
  expect(many.map(([[first]]) => first).sort()).toEqual([21, 22, 23, 24]);
});

it('are as likely as it is said', () => {
  expect(slots([[[9], 0]])[2]).toEqual([[9, -1], 0]);
});
