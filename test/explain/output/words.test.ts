/** What is said of explained words. */
import { describe, expect, it } from 'vitest';
import {
  dependenceLevel,
  dependenceLevels,
  describeWord,
} from '../../../src/explain/output/words.ts';

describe('how much a word depends on the picture', () => {
  it('is said in steps of what its probability loses without the picture', () => {
    const level = (factor: number) => dependenceLevel({ dependence: Math.log(factor) });
    expect([0.5, 1, 1.2].map(level)).toEqual(['hardly', 'hardly', 'hardly']);
    expect([1.3, 1.9].map(level)).toEqual(['a little', 'a little']);
    expect([2, 7].map(level)).toEqual(['much', 'much']);
    expect([8, 1000].map(level)).toEqual(['wholly', 'wholly']);
    expect(dependenceLevels.length).toBe(4);
  });
});

describe('a word in a sentence', () => {
  const word = { text: 'dog', logprob: Math.log(0.25), dependence: 0.3, map: new Float32Array(1) };

  it('says where it looked, how sure the model was, and how much it needed the picture', () => {
    expect(describeWord({ ...word, place: 'lower left' })).toBe(
      'looked lower left; 25 % sure; depends on the picture a little',
    );
    expect(describeWord({ ...word, place: 'centre', dependence: -2 })).toBe(
      'looked at the centre; 25 % sure; depends on the picture hardly',
    );
  });
});
