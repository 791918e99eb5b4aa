/** Batches: every image once an epoch, captions laid out as they are, labels one word ahead. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../src/base/random.ts';
import { tokenizerFromVocabulary } from '../../../src/data/text/tokenizer.ts';
import {
  encodeCaption,
  epochBatches,
  textBatch,
  trainingText,
  unitsOfEpoch,
} from '../../../src/train/loop/batches.ts';
import { ignoredLabel } from '../../../src/train/objective/objective.ts';

const captions = fc.array(
  fc.array(fc.integer({ min: 4, max: 99 }), { minLength: 1, maxLength: 9 }),
  {
    minLength: 1,
    maxLength: 5,
  },
);
const images = fc
  .array(captions, { minLength: 1, maxLength: 60 })
  .map((list) =>
    list.map((c) => c.map((ids) => ({ ids: [2, ...ids, 3], prompt: 0, words: ids.length }))),
  );

describe('batches', () => {
  it('hold every caption once, in an order that the seed decides', () => {
    fc.assert(
      fc.property(
        images,
        fc.integer({ min: 1, max: 12 }),
        fc.option(fc.integer({ min: 1, max: 5 })),
        fc.nat(),
        (list, batchSize, captionsPerImage, seed) => {
          const options = { batchSize, captionsPerImage };
          const batches = epochBatches(list, options, createRandom(seed));
          const seen = batches
            .flat()
            .flatMap((unit) => unit.captions.map((at) => [unit.image, at]));
          const all = list.flatMap((own, image) => own.map((_, at) => [image, at]));
          const inOrder = (a: number[], b: number[]) => a[0] - b[0] || a[1] - b[1];
          expect(seen.sort(inOrder)).toEqual(all);
          expect(batches.every((batch) => batch.length <= batchSize)).toBe(true);
          const most = captionsPerImage ?? 5;
          expect(batches.flat().every((unit) => unit.captions.length <= most)).toBe(true);
          expect(epochBatches(list, options, createRandom(seed))).toEqual(batches);
          // A resumed run counts steps without drawing.
          expect(epochBatches(list, options, createRandom(0)).length).toBe(batches.length);
        },
      ),
    );
  });

  it('are as many as the counts of captions say', () => {
    fc.assert(
      fc.property(
        images,
        fc.integer({ min: 1, max: 12 }),
        fc.option(fc.integer({ min: 1, max: 5 })),
        fc.nat({ max: 3 }),
        (list, batchSize, captionsPerImage, more) => {
          const counts = list.map(({ length }) => length);
          const repeats = list.map((_, image) => 1 + ((image + more) % 3));
          for (const each of [undefined, repeats]) {
            const options = { batchSize, captionsPerImage };
            const batches = epochBatches(list, options, createRandom(0), each);
            const units = unitsOfEpoch(counts, captionsPerImage, each);
            expect(batches.flat().length).toBe(units);
            expect(batches.length).toBe(Math.ceil(units / batchSize));
          }
        },
      ),
    );
  });

  it('lay out ids and the words after them', () => {
    fc.assert(
      fc.property(images, (list) => {
        const { shape, ids, labels, words, captions, count } = textBatch(list, 0);
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
        expect(seenWords).toBe(count);
        expect(count).toBe(words + captions);
      }),
    );
  });

  it('train on cleaned text, cut to the longest allowed', () => {
    expect(trainingText('A dog, running;  fast!', 22)).toBe('a dog running fast');
    expect(trainingText('one two three four', 3)).toBe('one two three');
    const tokenizer = tokenizerFromVocabulary(['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'a', 'dog']);
    const options = { bos: 2, maxWords: 22 };
    expect(encodeCaption('A dog, barking', tokenizer, options)).toEqual({
      ids: [2, 4, 5, 1, 3],
      prompt: 0,
      words: 3,
    });
    expect(encodeCaption('a dog', tokenizer, { ...options, maxIds: 3 }).ids).toEqual([2, 4, 3]);
  });

  it('leave a prompt out of the labels', () => {
    const tokenizer = tokenizerFromVocabulary(['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'a', 'dog']);
    const caption = encodeCaption('dog', tokenizer, { bos: 2, maxWords: 22, prompt: 'a a' });
    expect(caption.ids).toEqual([2, 4, 4, 5, 3]);
    const { ids, labels, count } = textBatch([[caption]], 0);
    expect([...ids]).toEqual([2, 4, 4, 5]);
    expect([...labels]).toEqual([ignoredLabel, ignoredLabel, 5, 3]);
    expect(count).toBe(2);
  });
});
