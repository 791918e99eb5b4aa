/** Properties that every metric has, whatever the captions; equality with the reference programs is in conformance.test.ts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CaptionedImage,
  createBleu,
  createCider,
  createRouge,
  createRougeL,
  createSacreBleu,
  Diversity,
  DocumentFrequencies,
  type Metric,
  sacreBleuFrom,
  tokenize13a,
} from '../../src/metrics/index.ts';
import { splitWords, trimEnd, WordNumbers } from '../../src/metrics/words/words.ts';

const word = fc.constantFrom(
  'a',
  'the',
  'dog',
  'man',
  'red',
  'runs',
  'on',
  'grass',
  "'s",
  '1\u00a01/2',
);
const caption = fc.array(word, { maxLength: 12 }).map((words) => words.join(' '));
const image = fc
  .record({ candidate: caption, references: fc.array(caption, { minLength: 1, maxLength: 5 }) })
  .map((texts): CaptionedImage => ({ ...texts, tokenized: texts }));
const corpus = fc.array(image, { minLength: 1, maxLength: 12 });

function frequenciesOf(images: readonly CaptionedImage[]): DocumentFrequencies {
  const frequencies = new DocumentFrequencies();
  for (const { tokenized } of images) frequencies.add(tokenized.references);
  return frequencies;
}

const makers: Record<string, (images: readonly CaptionedImage[]) => Metric> = {
  bleu: () => createBleu(),
  'rouge-l': () => createRougeL(),
  cider: (images) => createCider(frequenciesOf(images)),
  rouge: () => createRouge(),
  'rouge, stemmed mean': () => createRouge({ stem: true, over: 'mean' }),
  sacrebleu: () => createSacreBleu(),
};

function rowsOf(metric: Metric, images: readonly CaptionedImage[]): Float64Array[] {
  return images.map((one) => {
    // A row in the middle of others must leave them alone.
    const out = new Float64Array(metric.width + 2).fill(7);
    metric.statistics(one, out, 1);
    expect([out[0], out.at(-1)]).toEqual([7, 7]);
    return out.slice(1, -1);
  });
}

function corpusScores(metric: Metric, images: readonly CaptionedImage[]): number[] {
  const sums = new Float64Array(metric.width);
  for (const row of rowsOf(metric, images)) {
    for (const [index, value] of row.entries()) sums[index] += value;
  }
  return metric.scores(sums, images.length);
}

describe.each(Object.entries(makers))('%s', (_, make) => {
  it('gives an image the same statistics whatever was counted before, in any order of images', () => {
    fc.assert(
      fc.property(corpus, (images) => {
        const forward = rowsOf(make(images), images);
        const reversed = [...images].reverse();
        expect(rowsOf(make(reversed), reversed).reverse()).toEqual(forward);
      }),
    );
  });

  it('does not depend on the order of references', () => {
    fc.assert(
      fc.property(corpus, (images) => {
        const turned = images.map(({ candidate, references }): CaptionedImage => {
          const texts = { candidate, references: [...references].reverse() };
          return { ...texts, tokenized: texts };
        });
        const [scores, other] = [images, turned].map((all) => corpusScores(make(all), all));
        for (const [index, score] of scores.entries()) expect(other[index]).toBeCloseTo(score, 12);
      }),
    );
  });

  it('gives finite scores, of any text, between 0 and the maximum', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), caption);
    const any = fc
      .record({ candidate: text, references: fc.array(text, { minLength: 1, maxLength: 3 }) })
      .map((texts): CaptionedImage => ({ ...texts, tokenized: texts }));
    fc.assert(
      fc.property(fc.array(any, { minLength: 1, maxLength: 5 }), (images) => {
        const metric = make(images);
        const most = metric.names.includes('CIDEr')
          ? 10
          : metric.names[0] === 'sacreBLEU'
            ? 100
            : 1;
        for (const score of corpusScores(metric, images)) {
          expect(score).toBeGreaterThanOrEqual(0);
          expect(score).toBeLessThanOrEqual(most + 1e-9);
        }
      }),
    );
  });
});

describe('a candidate equal to its only reference', () => {
  const same = (text: string): CaptionedImage => ({
    candidate: text,
    references: [text],
    tokenized: { candidate: text, references: [text] },
  });
  const images = [
    'a dog runs on the grass',
    'the red man runs to a house',
    'two cats sleep here',
  ].map(same);

  it.each([
    ['bleu', 1],
    ['rouge-l', 1],
    ['cider', 10],
    ['rouge', 1],
    ['sacrebleu', 100],
  ])('scores the maximum of %s', (name, maximum) => {
    for (const score of corpusScores(makers[name](images), images)) {
      expect(score).toBeCloseTo(maximum, 6);
    }
  });
});

describe('BLEU', () => {
  it('takes of two reference lengths as close the shorter', () => {
    const texts = { candidate: 'a b c d', references: ['a b c d e', 'a b c'] };
    const [row] = rowsOf(createBleu(), [{ ...texts, tokenized: texts }]);
    expect([...row.slice(0, 2)]).toEqual([4, 3]);
  });
});

describe('CIDEr', () => {
  it('is zero for a single image, whose n-grams are in every document', () => {
    const texts = { candidate: 'a dog', references: ['a dog'] };
    const images = [{ ...texts, tokenized: texts }];
    expect(corpusScores(createCider(frequenciesOf(images)), images)).toEqual([0, 0]);
  });

  it('scores the same by document frequencies that were merged, sent or saved', () => {
    fc.assert(
      fc.property(corpus, fc.nat(), (images, seed) => {
        const whole = frequenciesOf(images);
        const cut = seed % (images.length + 1);
        const merged = new DocumentFrequencies();
        for (const part of [images.slice(0, cut), images.slice(cut)]) {
          merged.merge(frequenciesOf(part).table());
        }
        const saved = DocumentFrequencies.fromJSON(JSON.parse(JSON.stringify(whole)));
        const sent = DocumentFrequencies.fromTable(structuredClone(whole.table()));
        const expected = corpusScores(createCider(whole), images);
        for (const frequencies of [merged, saved, sent]) {
          expect(frequencies.documents).toBe(images.length);
          expect(corpusScores(createCider(frequencies), images)).toEqual(expected);
        }
      }),
    );
  });

  it('counts on after a merge', () => {
    const one = ['a dog'];
    const merged = DocumentFrequencies.fromTable(frequenciesOf([]).table());
    merged.add(one);
    merged.merge(merged.table());
    merged.add(one);
    expect(merged.toJSON()).toEqual({
      documents: 3,
      frequencies: { a: 3, 'a dog': 3, dog: 3 },
    });
  });

  it.each([
    [{ documents: 0, frequencies: {} }, 'documents'],
    [{ documents: 2, frequencies: { 'a dog': 1.5 } }, 'frequencies["a dog"]'],
  ])('refuses %j, naming the field', (file, field) => {
    expect(() => DocumentFrequencies.fromJSON(file)).toThrow(field);
  });
});

describe('sacreBLEU', () => {
  it('splits as mteval-v13a does', () => {
    expect(tokenize13a('He said, "3.5 &amp; 1,000-2" (ok)...').join('|')).toBe(
      'He|said|,|"|3.5|&|1,000|-|2|"|(|ok|)|.|.|.',
    );
  });

  it('leaves out orders that a single sentence is too short for, but not in a corpus', () => {
    const texts = { candidate: 'a dog', references: ['a dog'] };
    const [row] = rowsOf(createSacreBleu(), [{ ...texts, tokenized: texts }]);
    expect(sacreBleuFrom(row, true).score).toBeCloseTo(100, 9);
    expect(sacreBleuFrom(row, false).score).toBe(0);
  });
});

describe('Diversity', () => {
  it('counts n-grams, words and captions over all captions', () => {
    const diversity = new Diversity(new Set(['a dog runs']));
    for (const text of ['a dog runs', 'a dog runs', 'a dog', '']) diversity.add(text);
    expect(diversity.result()).toEqual({
      captions: 4,
      distinct: [3 / 8, 2 / 5, 1 / 2, 0],
      vocabulary: 3,
      meanLength: 2,
      unique: 3 / 4,
      novel: 1 / 2,
    });
  });
});

describe('words', () => {
  it('are split and stripped at what Python takes for white space', () => {
    const spaces = '\t\n\v\f\r\x1c\x1f \x85\u00a0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000';
    for (const space of spaces) expect(splitWords(`a${space}b`)).toEqual(['a', 'b']);
    for (const other of '\u200b\ufeff\x1b\x00') expect(splitWords(`a${other}b`)).toHaveLength(1);
    expect(trimEnd(`a ${spaces}`)).toBe('a');
  });

  it('are numbered in the order of their appearance, however many', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 3000, size: 'max' }), (words) => {
        const vocabulary = new WordNumbers();
        const expected = [...new Set(words)];
        expect(words.map((text) => vocabulary.id(text))).toEqual(
          words.map((text) => expected.indexOf(text)),
        );
        expect(vocabulary.words()).toEqual(expected);
        expect(vocabulary.find('not there, surely')).toBe(-1);
      }),
      { numRuns: 10 },
    );
  });
});
