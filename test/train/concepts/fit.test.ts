/** Fitting concepts to images whose captions are known to follow from their features. */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../src/base/random.ts';
import { noWord } from '../../../src/model/concepts/concepts.ts';
import {
  type FittedConcepts,
  fitConcepts,
  type SpokenWords,
  speaker,
} from '../../../src/train/concepts/fit.ts';
import { conceptNoise, textConcepts } from '../../../src/train/concepts/texts.ts';

const width = 8;
const images = 400;
const config = {
  class_tokens: 2,
  word_tokens: 2,
  class_groups: [0, 0, 1, 2],
  class_names: [[10], [11, 12], [13]],
  class_kinds: [],
  words: [20, 21, 22, 23],
};

/** Image i shows class i % 4; its captions name it four times in five, and hold word 20 + i % 4. */
function made() {
  const random = createRandom(9);
  const pooled = new Float32Array(images * width);
  const classes = new Float32Array(images * 4);
  const spoken: SpokenWords[] = [];
  for (let i = 0; i < images; i++) {
    const kind = i % 4;
    for (let j = 0; j < width; j++)
      pooled[i * width + j] = (j === kind ? 2 : 0) + 0.3 * random.normal();
    for (let j = 0; j < 4; j++) classes[i * 4 + j] = j === kind ? 0.97 : 0.01;
    const [first, second] = config.class_names[config.class_groups[kind]];
    const named = random.next() < 0.8;
    const words = new Set([20 + kind]);
    if (named) words.add(first);
    const pairs = new Set(named && second !== undefined ? [`${first} ${second}`] : []);
    spoken.push({ words, pairs });
  }
  const image = Array.from({ length: images }, (_, i) => i);
  return { rows: { pooled, width, classes, image }, spoken };
}

const { rows, spoken } = made();
const told: string[] = [];
const fitting: Promise<FittedConcepts> = fitConcepts(config, rows, spoken, {
  folds: 2,
  seed: 3,
  session: { threads: 1 },
  onLayer: (layer, layers) => told.push(`${layer} of ${layers}`),
});

describe('speaker', () => {
  const says = speaker({ ...config, class_kinds: [1] });
  const heard = (words: number[], pairs: string[] = []): SpokenWords => ({
    words: new Set(words),
    pairs: new Set(pairs),
  });

  it('hears a name of two words side by side, and one with its kind by either word', () => {
    expect(says([11, 12], heard([12]))).toBe(true);
    expect(says([11, 12], heard([11]))).toBe(true);
    expect(says([11, 12], heard([10]))).toBe(false);
    const compound = speaker(config);
    expect(compound([11, 12], heard([11, 12]))).toBe(false);
    expect(compound([11, 12], heard([11, 12], ['11 12']))).toBe(true);
  });
});

describe('fitConcepts', () => {
  it('tells of each layer that it fits', async () => {
    await fitting;
    expect(told).toEqual(['1 of 3', '2 of 3', '3 of 3']);
  });

  it('finds the words that follow from the features, in images that it was not fitted to', async () => {
    const { rows: found } = await fitting;
    const right = Array.from(
      { length: images },
      (_, i) => found.words[(i * 4 + 2) * 2] === 20 + (i % 4),
    );
    expect(right.filter(Boolean).length / images).toBeGreaterThan(0.98);
    // What it marks as right is what the captions hold.
    for (const at of [0, 7, 133])
      for (let token = 0; token < 4; token++) {
        const [first, second] = found.words.subarray(
          (at * 4 + token) * 2,
          (at * 4 + token) * 2 + 2,
        );
        const said =
          second === noWord
            ? spoken[at].words.has(first)
            : spoken[at].pairs.has(`${first} ${second}`);
        expect(found.right[at * 4 + token] === 1).toBe(said);
      }
  });

  it('is as sure of a name as the captions bear it out, not as the classifier is', async () => {
    const { rows: found } = await fitting;
    let [sum, hits] = [0, 0];
    for (let i = 0; i < images; i++) {
      sum += found.probabilities[i * 4];
      hits += found.right[i * 4];
    }
    expect(hits / images).toBeGreaterThan(0.7);
    expect(Math.abs(sum / images - hits / images)).toBeLessThan(0.05);
  });

  it('adds up classes of one name', async () => {
    const { rows: found } = await fitting;
    // Image 0 and 1 show classes 0 and 1, which are called alike.
    expect(found.words.slice(0, 2)).toEqual(Int32Array.of(10, noWord));
    expect(found.words.slice(8, 10)).toEqual(Int32Array.of(10, noWord));
    expect(found.words.slice(16, 18)).toEqual(Int32Array.of(11, 12));
  });

  it('gives the same again', async () => {
    const again = await fitConcepts(config, rows, spoken, {
      folds: 2,
      seed: 3,
      session: { threads: 1 },
    });
    expect(again.rows).toEqual((await fitting).rows);
  });

  it('does not score an image by what was fitted to it', async () => {
    // Captions that follow from nothing: whoever has seen them knows them, others cannot.
    const random = createRandom(4);
    const noise = spoken.map(() => ({
      words: new Set([20 + random.integer(4)]),
      pairs: new Set<string>(),
    }));
    const fitted = await fitConcepts(config, rows, noise, {
      folds: 2,
      seed: 3,
      session: { threads: 1 },
    });
    let hits = 0;
    for (let i = 0; i < images; i++) hits += fitted.rows.right[i * 4 + 2];
    expect(hits / images).toBeLessThan(0.4);
  });
});

describe('textConcepts', () => {
  it('speak of the text as often as those of pictures are right', async () => {
    const { rows: found } = await fitting;
    const noise = conceptNoise(config, found);
    const random = createRandom(1);
    const text = { words: new Set([13, 22]), pairs: new Set<string>() };
    let [rightNames, rightWords] = [0, 0];
    const rounds = 2000;
    for (let round = 0; round < rounds; round++) {
      const { words, probabilities } = textConcepts(noise, text, random);
      expect(probabilities.every((p) => p > 0 && p < 1)).toBe(true);
      if (words[0] === 13 || words[2] === 13) rightNames += 1;
      if (words[4] === 22 || words[6] === 22) rightWords += 1;
      // A concept that the text speaks of is not told twice.
      expect([words[0], words[2]].filter((word) => word === 13).length).toBeLessThan(2);
    }
    // The model's pictures share a concept with the text, so these are right more often than the average one.
    expect(rightWords / rounds).toBeGreaterThan(0.9);
    expect(rightNames / rounds).toBeGreaterThan(0.6);
  });

  it('draw the same from the same seed', async () => {
    const noise = conceptNoise(config, (await fitting).rows);
    const text = { words: new Set([10, 20]), pairs: new Set<string>() };
    const draw = () => textConcepts(noise, text, createRandom(77));
    expect(draw()).toEqual(draw());
  });
});
