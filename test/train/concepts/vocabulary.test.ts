/** What classes are called, and which words are predicted. */
import { describe, expect, it } from 'vitest';
import { tokenizerFromVocabulary } from '../../../src/data/text/tokenizer.ts';
import { conceptFault } from '../../../src/model/concepts/config.ts';
import { conceptConfig, predictedWords } from '../../../src/train/concepts/vocabulary.ts';

const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]'];
const words = 'a the cat dog bird hot on grass runs and sits red of in teddy bear'.split(' ');
const tokenizer = tokenizerFromVocabulary([...special, ...words]);
const idOf = (word: string) => special.length + words.indexOf(word);

const captions = [
  'a cat sits on the grass',
  'a cat and a dog',
  'the hot dog',
  'a hot dog in the grass',
  'a bird',
  'the red bird sits',
  'a dog runs in the grass',
  'a teddy bear',
].map((text) => text.split(' '));

const sizes = { classTokens: 2, wordTokens: 3, words: 4, minNameCount: 2 };

describe('conceptConfig', () => {
  const classes = [
    ['egyptian cat', 'cat', 'feline'],
    ['tabby', 'cat'],
    ['hot dog', 'sandwich'],
    ['chickadee', 'titmouse', 'bird'],
    ['teddy bear', 'toy'],
    ['golden retriever', 'retriever', 'dog', 'animal'],
  ];
  const config = conceptConfig(
    { classes },
    { pictures: captions.slice(1), alone: captions.slice(0, 1) },
    tokenizer,
    sizes,
  );
  const nameOf = (at: number) => config.class_names[config.class_groups[at]];

  it('calls a class by the first of its names that people use, of one word or two', () => {
    expect(nameOf(0)).toEqual([idOf('cat')]);
    expect(nameOf(2)).toEqual([idOf('hot'), idOf('dog')]);
    expect(nameOf(3)).toEqual([idOf('bird')]);
    expect(nameOf(5)).toEqual([idOf('dog')]);
  });

  it('counts classes of one name together', () => {
    expect(config.class_groups[1]).toBe(config.class_groups[0]);
    expect(new Set(config.class_names.map(String)).size).toBe(config.class_names.length);
  });

  it('calls a class unknown whose names nobody uses often enough', () => {
    expect(nameOf(4)).toEqual([tokenizer.ids.unknown]);
  });

  it('fits the vocabulary', () => {
    expect(conceptFault(config, tokenizer.size)).toBeUndefined();
    const none = conceptConfig(
      { classes: [] },
      { pictures: captions, alone: [] },
      tokenizer,
      sizes,
    );
    expect(none.class_tokens).toBe(0);
    expect(conceptFault(none, tokenizer.size)).toBeUndefined();
  });
});

describe('a class that people rather call by its kind', () => {
  const vocabulary = 'golden retriever dog espresso coffee drink garden truck cabbage food'.split(
    ' ',
  );
  const own = tokenizerFromVocabulary([...special, ...vocabulary]);
  const said = (text: string, times: number) =>
    Array.from({ length: times }, () => text.split(' '));
  const uses = [
    ...said('golden retriever', 2),
    ...said('dog', 100),
    ...said('espresso', 2),
    ...said('coffee', 30),
    ...said('drink', 40),
    ...said('cabbage', 2),
    ...said('truck', 90),
    ...said('food', 200),
  ];
  const fillers = Array.from({ length: 15 }, () => ['food', 'drink']);
  const { class_names, class_kinds, class_groups } = conceptConfig(
    {
      classes: [
        ['golden retriever', 'retriever', 'dog'],
        ['espresso', 'coffee', 'drink'],
        ['cabbage', 'vegetable', 'green goods', 'garden truck', 'truck'],
        ...fillers,
      ],
    },
    { pictures: uses, alone: [] },
    own,
    sizes,
  );
  const namesOf = (at: number) =>
    class_names[class_groups[at]].map((id) => vocabulary[id - special.length]);

  it('has the kind as its second word: espresso is coffee, the likelier for each class of that name', () => {
    expect(namesOf(1)).toEqual(['espresso', 'coffee']);
    expect(class_kinds).toEqual([class_groups[1]]);
  });

  it('is called by its kind alone where its own name takes two words and is hardly used', () => {
    expect(namesOf(0)).toEqual(['dog']);
  });

  it('takes no kind from the last word of another name, nor one that covers too many classes', () => {
    expect(namesOf(2)).toEqual(['cabbage']);
    expect(namesOf(3)).toEqual(['food']);
  });
});

describe('predictedWords', () => {
  it('are the commonest that name something, each caption counting once', () => {
    const known = (word: string) => (words.includes(word) ? idOf(word) : undefined);
    expect(predictedWords(captions, known, 3)).toEqual(['dog', 'grass', 'bird'].map(idOf));
    const twice = [['bird', 'bird', 'bird'], ['cat'], ['cat']];
    expect(predictedWords(twice, known, 1)).toEqual([idOf('cat')]);
    expect(predictedWords(captions, known, 99)).not.toContain(idOf('the'));
  });
});
