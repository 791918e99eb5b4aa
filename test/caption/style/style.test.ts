/** How captions are written down: pure functions. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agreedNouns } from '../../../src/caption/style/keywords.ts';
import { neutralPeople } from '../../../src/caption/style/neutral.ts';
import { asSentence, checkTemplate, styled } from '../../../src/caption/style/style.ts';

describe('a style', () => {
  it.each([
    [{}, 'a man runs'],
    [{ sentence: true }, 'A man runs.'],
    [{ neutralPeople: true, sentence: true }, 'A person runs.'],
    [{ prefix: 'photo of ', suffix: ', 2024', sentence: true }, 'Photo of a man runs, 2024.'],
    [{ template: '{name} in {folder}: {caption} {caption}' }, 'cat.1 in b: a man runs a man runs'],
    [{ template: '$& {caption}' }, '$& a man runs'],
    [{ prefix: '{name} ', template: '[{caption}]' }, '[{name} a man runs]'],
  ])('is applied in its order: %j', (style, text) => {
    expect(styled('a man runs', style, 'a/b/cat.1.jpg')).toBe(text);
  });

  it('makes no words of none', () => {
    expect(styled('', { prefix: 'a ', sentence: true, template: 'x {caption}' }, 'a.jpg')).toBe('');
  });

  it.each([
    ['a dog', 'A dog.'],
    [' "a dog" ', '"A dog".'],
    ['is it?', 'Is it?'],
    ['écru', 'Écru.'],
    ['2 dogs', '2 Dogs.'],
    ['A dog.', 'A dog.'],
    ['he said "no."', 'He said "no."'],
    ['', ''],
  ])('makes a sentence: %s', (text, sentence) => {
    expect(asSentence(text)).toBe(sentence);
  });

  it('makes sentences that stay', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(asSentence(asSentence(text))).toBe(asSentence(text));
      }),
    );
  });

  it.each([
    ['no caption', /needs \{caption\}/],
    ['{caption} {date}', /there is no \{date\}/],
  ])('has templates that are checked: %s', (template, message) => {
    expect(() => checkTemplate(template)).toThrow(message);
  });
});

describe('neutral words', () => {
  it.each([
    ['a man in a yellow shirt', 'a person in a yellow shirt'],
    ['Two women and three boys', 'Two people and three people'],
    ['a man and a woman dance', 'two people dance'],
    ['a little girl and a baby boy', 'a little child and a baby'],
    ["a woman's hat", "a person's hat"],
    ['a boy with his dog near him', 'a person with their dog near them'],
    ['a girl holds her hat', 'a person holds their hat'],
    ['a dog looks at her', 'a dog looks at them'],
    ['a dog follows her in snow', 'a dog follows them in snow'],
    ['a man as he is running', 'a person as they are running'],
    ['Man on a bench', 'Person on a bench'],
    ['a snowman, a cowboy and a mother', 'a snowman, a cowboy and a mother'],
    ['a human-made lake in Germany', 'a human-made lake in Germany'],
    ['constructor', 'constructor'],
  ])('%s', (text, neutral) => {
    expect(neutralPeople(text)).toBe(neutral);
    expect(neutralPeople(neutral)).toBe(neutral);
  });
});

describe('keywords', () => {
  const captions = [
    'a white dog is running with a toy in its mouth',
    'two dogs play with a toy on the grass',
    'dogs run over grass',
    'a dog runs in front of a group of people',
    'the dog jumps over a fence',
    'dogs with a ball',
  ];

  it('are nouns on which captions agree, most first, as most write them', () => {
    expect(agreedNouns(captions, 9)).toEqual(['dog', 'toy', 'grass']);
    expect(agreedNouns(captions, 1)).toEqual(['dog']);
  });

  it('count once a caption, and need two', () => {
    expect(agreedNouns(['a cat and a cat and a cat', 'a dog'], 9)).toEqual([]);
    expect(agreedNouns([], 9)).toEqual([]);
    expect(agreedNouns(['', ''], 9)).toEqual([]);
  });
});
