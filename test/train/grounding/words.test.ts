/** Which tokens of a trained caption stand in phrases that have boxes. */
import { describe, expect, it } from 'vitest';
import type { EntityImage } from '../../../src/data/captions/entities.ts';
import { tokenizerFromVocabulary } from '../../../src/data/text/tokenizer.ts';
import { groundedTokens } from '../../../src/train/grounding/words.ts';
import { encodeCaption } from '../../../src/train/loop/batches.ts';

const vocabulary = `[PAD] [UNK] [CLS] [SEP] [DEC] a black dog t shirt in snow ##board run ##s picture of -`;
const tokenizer = tokenizerFromVocabulary(vocabulary.split(' '));

const entities: EntityImage = {
  file: 'a.jpg',
  width: 100,
  height: 50,
  boxes: { '1': [[0, 0, 50, 25]], '2': [[50, 0, 100, 50]] },
  captions: [
    {
      words: ['A', 'black', 'dog', 'in', 'a', 'T-shirt', ',', 'snowboard', '.'],
      phrases: [
        { id: '1', types: ['animals'], first: 0, words: 3 },
        { id: '2', types: ['clothing'], first: 5, words: 1 },
        { id: '9', types: ['scene'], first: 7, words: 1 },
      ],
    },
    {
      words: ['A', 'dog', 'runs'],
      phrases: [{ id: '1', types: ['animals'], first: 2, words: 1 }],
    },
  ],
};

function found(caption: string, { prompt = '', maxWords = 20 } = {}) {
  const encoded = encodeCaption(caption, tokenizer, { bos: 4, maxWords, prompt });
  const [tokens] = groundedTokens(entities, [caption], [encoded], tokenizer);
  return tokens.map(({ label, boxes }) => [tokenizer.decode([encoded.ids[label + 1]]), boxes]);
}

const left = [[0, 0, 0.5, 0.5]];
const right = [[0.5, 0, 1, 1]];

describe('groundedTokens', () => {
  it('are the words of phrases that have boxes, as labels of the caption', () => {
    expect(found('a black dog in a t-shirt , snowboard .')).toEqual([
      ['a', left],
      ['black', left],
      ['dog', left],
      ['t', right],
      ['-', right],
      ['shirt', right],
    ]);
  });

  it('are all pieces of a word, after a prompt too', () => {
    expect(found('A dog runs', { prompt: 'a picture of' })).toEqual([
      ['run', left],
      ['##s', left],
    ]);
  });

  it('end where a caption was cut, and are none in a caption without boxes', () => {
    expect(found('A black dog in a T-shirt, snowboard.', { maxWords: 2 })).toEqual([
      ['a', left],
      ['black', left],
    ]);
    expect(found('a dog in snow')).toEqual([]);
  });
});
