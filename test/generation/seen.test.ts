/** Concepts read from what graphs gave. */
import { expect, it } from 'vitest';
import { tensor } from '../../src/engine/runtime/tensor.ts';
import type { EncodedImages } from '../../src/generation/inference.ts';
import { joinImages } from '../../src/generation/joined.ts';
import { seenConcepts } from '../../src/generation/seen.ts';

/** Two images with two concepts each. */
function encoded(words: readonly number[], probabilities: readonly number[]): EncodedImages {
  return {
    count: 2,
    tokens: tensor('f32', [2, 1, 1]),
    cross: { 'crossKey.0': tensor('f32', [2, 1, 1, 1]) },
    concepts: {
      words: tensor('i32', [2, 2, 2], Int32Array.from(words)),
      probabilities: tensor('f32', [2, 2], Float32Array.from(probabilities)),
    },
  };
}

const first = encoded([5, -1, 6, 7, 5, -1, 5, -1], [0.5, 0.25, 0.125, 0.75]);
const second = encoded([5, -1, 8, -1, 9, -1, 5, -1], [0.25, 0.5, 1, 0.25]);

it('are names with their probabilities, each once', () => {
  expect(seenConcepts([first])).toEqual([
    [
      { words: [5], probability: 0.5 },
      { words: [6, 7], probability: 0.25 },
    ],
    [{ words: [5], probability: 0.75 }],
  ]);
});

it('of several members are the mean, over those that have concepts', () => {
  const { concepts: _, ...plain } = second;
  expect(seenConcepts([first, plain])).toEqual(seenConcepts([first]));
  expect(seenConcepts([first, second])).toEqual([
    [
      { words: [5], probability: 0.375 },
      { words: [6, 7], probability: 0.125 },
      { words: [8], probability: 0.25 },
    ],
    [
      { words: [5], probability: 0.5 },
      { words: [9], probability: 0.5 },
    ],
  ]);
});

it('of images that are read as one are those of all', () => {
  expect(seenConcepts([joinImages(first, 2)])).toEqual([
    [
      { words: [5], probability: 0.75 },
      { words: [6, 7], probability: 0.25 },
    ],
  ]);
});

it('are none without concepts', () => {
  const { concepts: _, ...plain } = first;
  expect(seenConcepts([plain])).toBeUndefined();
});
