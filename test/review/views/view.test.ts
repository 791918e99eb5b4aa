/** Lists of drafts: their order, their filters, pictures that look alike. */
import { join } from 'node:path';
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { perceptualHash } from '../../../src/data/images/perceptual-hash.ts';
import type { ReviewDecision } from '../../../src/review/decisions/decision.ts';
import type { DraftCaption } from '../../../src/review/sources/draft.ts';
import { mostDifferentBits, similarGroups } from '../../../src/review/views/similar.ts';
import { draftQuerySchema, listDrafts } from '../../../src/review/views/view.ts';
import { editDistance, plainWords, repeatsItself } from '../../../src/review/views/words.ts';
import { folderOf } from '../../data/dataset-folder.ts';
import { repositoryRoot } from '../../paths.ts';

const draft = (
  file: string,
  text: string,
  confidence?: number,
  dependence?: number,
): DraftCaption => ({
  file,
  candidates: [confidence === undefined ? { text } : { text, confidence }],
  ...(dependence !== undefined && { dependence }),
});

const drafts = [
  draft('a', 'a dog runs', 0.9),
  draft('b', 'a dog and a dog on a dog', 0.2, 3),
  draft('c', 'a cat', 0.2, 1),
  draft('d', 'the the cat', undefined, 0),
  draft('e', 'a cat', 0.5),
];
const list = (
  query: object,
  decisions: readonly Partial<ReviewDecision>[] = [],
  groups?: number[],
) =>
  listDrafts(drafts, draftQuerySchema.parse({ state: 'all', ...query }), {
    decisionOf: ({ file }) =>
      decisions.find((one) => one.file === file) as ReviewDecision | undefined,
    groups,
  })
    .map((place) => drafts[place].file)
    .join('');

describe('a list of drafts', () => {
  it('begins with the least confident, at equal ones with the least seen; the unknown are last', () => {
    expect(list({})).toBe('cbead');
    expect(list({ order: 'dependence' })).toBe('dcbea');
    expect(list({ order: 'source' })).toBe('abcde');
    expect(list({ order: 'length' })).toBe('badce');
  });

  it('has what is asked for', () => {
    expect(list({ words: 'CAT' })).toBe('ced');
    expect(list({ words: 'dog runs' })).toBe('a');
    expect(list({ words: 'do' })).toBe('');
    expect(list({ minWords: 3, maxWords: 3 })).toBe('ad');
    expect(list({ repeats: 'within' })).toBe('bd');
    expect(list({ repeats: 'shared' })).toBe('ce');
    const decisions = [
      { file: 'a', verdict: 'skipped', text: '' },
      { file: 'b', verdict: 'edited', text: 'a bird' },
    ] as const;
    expect(list({ state: 'open' }, decisions)).toBe('cead');
    expect(list({ state: 'edited' }, decisions)).toBe('b');
    expect(list({ words: 'bird' }, decisions)).toBe('b');
  });

  it('puts pictures together that look alike', () => {
    const groups = [0, undefined, 2, 0, 2] as number[];
    expect(list({ similar: true }, [], groups)).toBe('adce');
  });

  it('has every draft once, whatever the order', () => {
    const some = fc.array(
      fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
    );
    fc.assert(
      fc.property(some, fc.constantFrom('confidence', 'length', 'source'), (values, order) => {
        const all = values.map((value, i) => draft(String(i), 'x', value));
        const query = draftQuerySchema.parse({ order, state: 'open' });
        const places = listDrafts(all, query, { decisionOf: () => undefined });
        expect([...places].sort((a, b) => a - b)).toEqual(all.map((_, i) => i));
      }),
    );
  });
});

describe('words', () => {
  it('are compared without case and punctuation', () => {
    expect(plainWords("A dog's ball, äöü – two-year-old!")).toEqual([
      ...['a', "dog's", 'ball', 'äöü', 'two-year-old'],
    ]);
    expect(repeatsItself('a dog in a field')).toBe(false);
    expect(repeatsItself('a dog and a dog')).toBe(true);
    expect(editDistance(['a', 'dog', 'runs'], ['a', 'big', 'dog'])).toBe(2);
    expect(editDistance([], ['a'])).toBe(1);
  });
});

describe('pictures that look alike', () => {
  it('are the same photo saved otherwise, and no other of the samples', async () => {
    const names = ['cat', 'owl', 'coffee', 'parrot', 'rocket', 'dog-on-grass', 'two-dogs-on-grass'];
    const paths = names.map((name) => join(repositoryRoot, 'samples', `${name}.jpg`));
    const image = () => sharp(paths[0]);
    const copies = folderOf({
      'small.jpg': await image().resize(200).jpeg({ quality: 60 }).toBuffer(),
      'grey.png': await image().resize(333).greyscale().png().toBuffer(),
      'clear.webp': await image().ensureAlpha(0.99).webp().toBuffer(),
    });
    const made = ['small.jpg', 'grey.png', 'clear.webp'].map((name) => join(copies, name));
    const hashes = await Promise.all([...paths, ...made].map(perceptualHash));
    const groups = similarGroups([...hashes, undefined]);
    const other = names.slice(1).map(() => undefined);
    expect(groups).toEqual([0, ...other, 0, 0, 0, undefined]);
  });

  it('are found as by comparing every two', () => {
    const near = fc
      .tuple(fc.bigInt(0n, 7n), fc.array(fc.nat(63), { maxLength: 8 }))
      .map(([base, flips]) =>
        flips.reduce((h, bit) => h ^ (1n << BigInt(bit)), (base * 0x1234567890abcdefn) % 2n ** 64n),
      );
    fc.assert(
      fc.property(fc.array(fc.option(near, { nil: undefined }), { maxLength: 25 }), (hashes) => {
        const group = hashes.map((_, i) => i);
        const distance = (a: bigint, b: bigint) =>
          [...(a ^ b).toString(2)].filter((c) => c === '1').length;
        for (const _ of hashes)
          for (const [i, a] of hashes.entries())
            for (const [j, b] of hashes.entries())
              if (a !== undefined && b !== undefined && distance(a, b) <= mostDifferentBits)
                group[i] = group[j] = Math.min(group[i], group[j]);
        const expected = group.map((g, i) =>
          group.filter((x) => x === g).length > 1 && hashes[i] !== undefined ? g : undefined,
        );
        expect(similarGroups(hashes)).toEqual(expected);
      }),
    );
  });
});
