/** Batches: every image once an epoch, captions laid out as they are, labels one word ahead. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/base/random.ts';
import { tokenizerFromVocabulary } from '../../src/data/tokenizer.ts';
import { encodeCaption, epochBatches, textBatch, trainingText } from '../../src/train/batches.ts';
import { ignoredLabel } from '../../src/train/objective.ts';

const captions = fc.array(
  fc.array(fc.integer({ min: 4, max: 99 }), { minLength: 1, maxLength: 9 }),
  {
    minLength: 1,
    maxLength: 5,
  },
);
const images = fc
  .array(captions, { minLength: 1, maxLength: 60 })
  .map((list) => list.map((c) => c.map((ids) => ({ ids: [2, ...ids, 3], words: ids.length }))));

describe('batches', () => {
  it('hold every image once, in an order that the seed decides', () => {
    fc.assert(
      fc.property(images, fc.integer({ min: 1, max: 12 }), fc.nat(), (list, size, seed) => {
        const batches = epochBatches(list, size, createRandom(seed));
        expect(batches.flat().sort((a, b) => a - b)).toEqual([...list.keys()]);
        expect(batches.every((batch) => batch.length <= size)).toBe(true);
        expect(epochBatches(list, size, createRandom(seed))).toEqual(batches);
      }),
    );
  });

  it('lay out ids and the words after them', () => {
    fc.assert(
      fc.property(images, (list) => {
        const batch = [...list.keys()];
        const { shape, ids, labels, words, captions: count } = textBatch(list, batch, 0);
        const [n, perImage, length] = shape;
        expect(n).toBe(list.length);
        let seenWords = 0;
        for (const [i, image] of list.entries())
          for (let j = 0; j < perImage; j++) {
            const start = (i * perImage + j) * length;
            const row = Array.from(ids.subarray(start, start + length));
            const next = Array.from(labels.subarray(start, start + length));
            const caption = image[j]?.ids ?? [];
            expect(row.slice(0, Math.max(0, caption.length - 1))).toEqual(caption.slice(0, -1));
            expect(next.filter((id) => id !== ignoredLabel)).toEqual(caption.slice(1));
            seenWords += next.filter((id) => id !== ignoredLabel).length;
          }
        expect(seenWords).toBe(words + count);
      }),
    );
  });

  it('train on cleaned text, cut to the longest allowed', () => {
    expect(trainingText('A dog, running;  fast!', 22)).toBe('a dog running fast');
    expect(trainingText('one two three four', 3)).toBe('one two three');
    const tokenizer = tokenizerFromVocabulary(['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'a', 'dog']);
    expect(encodeCaption('A dog, barking', tokenizer, 2, 22)).toEqual({
      ids: [2, 4, 5, 1, 3],
      words: 3,
    });
  });
});
