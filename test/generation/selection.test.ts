/** Choosing words: against sorting, and against the probabilities. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { Best, largestIndex, logSumExp, sample } from '../../src/generation/selection.ts';

const numbers = fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constant(-Infinity)), {
  minLength: 1,
  maxLength: 30,
});

it('the largest is the first of equals', () => {
  fc.assert(
    fc.property(numbers, (list) => {
      const best = largestIndex(Float32Array.from(list));
      expect(list[best]).toBe(Math.max(...list));
      expect(list.indexOf(list[best])).toBe(best);
    }),
  );
});

it('the k best are those of a stable sort', () => {
  fc.assert(
    fc.property(numbers, fc.integer({ min: 1, max: 8 }), (list, k) => {
      const best = new Best(k);
      for (const [place, key] of list.entries())
        if (!(key <= best.limit)) best.offer(place, 10 * key, key);
      const sorted = [...list.keys()].sort((a, b) =>
        list[a] === list[b] ? a - b : list[b] > list[a] ? 1 : -1,
      );
      expect(best.places).toEqual(sorted.slice(0, k));
      expect(best.scores).toEqual(best.places.map((place) => 10 * list[place]));
    }),
  );
});

it('the log of a sum of exponentials holds for large and small numbers', () => {
  for (const shift of [-1000, 0, 1000]) {
    const scores = Float32Array.of(shift, shift + Math.log(3));
    expect(logSumExp(scores) - shift).toBeCloseTo(Math.log(4), 3);
  }
  expect(logSumExp(Float32Array.of(-Infinity, -Infinity))).toBe(-Infinity);
});

it('words are drawn as often as their probabilities say, and banned ones never', () => {
  const random = createRandom(5);
  const probabilities = [0.2, 0.4, 0, 0.1, 0.3];
  const scores = Float32Array.from(probabilities, (p) => Math.log(p) + 7);
  const counts = probabilities.map(() => 0);
  for (let i = 0; i < 20_000; i++) counts[sample(scores, random)] += 1;
  for (const [i, p] of probabilities.entries())
    expect(Math.abs(counts[i] / 20_000 - p)).toBeLessThan(0.015);
  expect(counts[2]).toBe(0);
});
