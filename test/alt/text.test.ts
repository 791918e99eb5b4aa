/** From captions to alt texts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { altText, checkAltTemplate, wordsOfFileName } from '../../src/alt/text.ts';

describe('altText', () => {
  it.each([
    ['a dog runs', 'A dog runs'],
    ['  a  dog\nruns ', 'A dog runs'],
    ['a picture of a dog', 'A dog'],
    ['an image of a photo of a dog', 'A dog'],
    ['this is a close-up photo of a dog', 'A dog'],
    ['there is a picture of two dogs', 'Two dogs'],
    ['a photo showing dogs', 'Dogs'],
    // These say what is to be seen.
    ['a painting of a dog', 'A painting of a dog'],
    ['a man taking a picture of a dog', 'A man taking a picture of a dog'],
    ['pictures on a wall', 'Pictures on a wall'],
    ['there is a dog', 'There is a dog'],
    ['a picture', 'A picture'],
    ['a picture of', 'A picture of'],
    ['élan', 'Élan'],
    ['"stop" sign', '"Stop" sign'],
    ['2 dogs', '2 dogs'],
    ['', ''],
    [' . ', ''],
  ])('%j: %j', (caption, expected) => expect(altText(caption)).toBe(expected));

  it.each([
    ['a dog and a cat on a mat', 17, 'A dog and a cat'],
    ['a dog and a cat on a mat', 16, 'A dog and a cat'],
    ['a dog and a cat on a mat', 12, 'A dog'],
    ['a dog, and a cat', 8, 'A dog'],
    ['a dog and a cat', 15, 'A dog and a cat'],
    ['doooooooog', 4, 'Dooo'],
    ['🐶🐶🐶', 2, '🐶🐶'],
  ])('%j in %d characters: %j', (caption, maxLength, expected) => {
    expect(altText(caption.replaceAll('🐶', 'ð'), { maxLength })).toBe(
      expected.replaceAll('🐶', 'ð').replace(/^ð/, 'Ð'),
    );
  });

  it('is never longer than it may be, cuts between words, and is its own alt text', () => {
    const word = fc.constantFrom(
      'a',
      'dog',
      'with',
      'of',
      'picture',
      'the',
      'zürich',
      'x'.repeat(30),
    );
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 30, max: 125 }),
        (words, maxLength) => {
          const text = altText(words.join(' '), { maxLength });
          expect([...text].length).toBeLessThanOrEqual(maxLength);
          expect(text).not.toBe('');
          const known = new Set(words);
          for (const shown of text.toLowerCase().split(' ')) expect(known).toContain(shown);
          expect(altText(text, { maxLength })).toBe(text);
        },
      ),
      { seed: 24 },
    );
  });

  it('stands in a template whose values are known; else alone', () => {
    const template = '{title}: {caption} ({context})';
    const values = { title: 'Rex ', context: 'Zoo' };
    expect(altText('a dog', { template, values })).toBe('Rex: a dog (Zoo)');
    expect(altText('a dog', { template, values: { title: 'Rex' } })).toBe('A dog');
    expect(altText('a dog', { template, values: { title: ' ', context: 'Zoo' } })).toBe('A dog');
    expect(
      altText('a dog', { template: '{caption}, {name}', values: { name: '$& {caption}' } }),
    ).toBe('A dog, $& {caption}');
  });

  it('shortens the caption for the template, and leaves the template where it takes all the room', () => {
    const caption = Array.from({ length: 30 }, () => 'dogs').join(' ');
    const shown = altText(caption, {
      template: '{context}: {caption}.',
      values: { context: 'At home' },
    });
    expect(shown).toMatch(/^At home: (?:dogs )+dogs\.$/);
    expect(shown.length).toBeLessThanOrEqual(125);
    expect(shown.length).toBeGreaterThan(120);
    const title = 'x'.repeat(110);
    expect(altText(caption, { template: '{title} {caption}', values: { title } })).toMatch(
      /^Dogs dogs/,
    );
    expect(altText('a dog', { template: '{title} {caption}', values: { title } })).toBe(
      `${title} a dog`,
    );
  });
});

describe('checkAltTemplate', () => {
  it.each([
    [
      '{caption} {foo}',
      undefined,
      /\{foo\} stands for nothing; there are \{caption\}, \{context\}/,
    ],
    ['a picture', undefined, /no \{caption\}/],
    ['{caption}', 'Zoo', /need each other/],
    ['{context} {caption}', undefined, /need each other/],
    [undefined, 'x'.repeat(120), /too little of 125/],
  ])('refuses %j with context %j', (template, context, message) => {
    expect(() => checkAltTemplate(template, context)).toThrow(message);
  });

  it.each([
    [undefined, undefined],
    [undefined, 'Zoo'],
    ['{title}: {caption}', undefined],
    ['{name}: {caption} {context}', 'Zoo'],
  ])('takes %j with context %j', (template, context) => {
    expect(() => checkAltTemplate(template, context)).not.toThrow();
  });
});

describe('wordsOfFileName', () => {
  it.each([
    ['a/red-fox_in.snow.jpg', 'red fox in snow'],
    ['RedFox.png', 'Red Fox'],
    ['IMG_1234.JPG', undefined],
    ['DSC00012.jpg', undefined],
    ['PXL_20240101_120000.jpg', undefined],
    ['9f86d081884c7d65.jpg', undefined],
    ['photo-2.jpg', undefined],
    ['thumb-800x600.webp', undefined],
    ['map.jpg', 'map'],
  ])('%s: %s', (path, expected) => expect(wordsOfFileName(path)).toBe(expected));
});
