/** Small vocabularies: what they keep, and that their tokenizer segments as it was counted. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  makeVocabulary,
  parseVocabulary,
  tokenizerFromVocabulary,
  writeVocabulary,
} from '../../../src/data/index.ts';
import { fixtures } from '../../paths.ts';

const reserved = ['[PAD]', '[UNK]', '[CLS]', '[SEP]'];
const bert = parseVocabulary(
  readFileSync(join(fixtures, 'tokenizer', 'vocab.txt'), 'utf8'),
  'vocab.txt',
);
const captions = (
  JSON.parse(readFileSync(join(fixtures, 'tokenizer', 'cases.json'), 'utf8')) as { text: string }[]
)
  .map(({ text }) => text)
  .filter((text) => !text.includes('[')); // written special tokens are no words

describe('makeVocabulary', () => {
  it('without a base keeps frequent words, the most frequent first', () => {
    const { tokens, words, unknown } = makeVocabulary(['a dog .', 'A cat.', 'the dog', 'b'], {
      minCount: 2,
    });
    expect(tokens).toEqual([...reserved, '.', 'a', 'dog']);
    expect([words, unknown]).toEqual([9, 3]);
  });

  it('with a base keeps its order, its pieces, and loses what became rare', () => {
    const base = [...reserved, 'zebra', 'skate', 'skateboard', '##board', '##s', 'dog', '##x'];
    const text = ['skateboard skate', 'skate dogs dogs', 'zebra dogx'];
    const { tokens, unknown } = makeVocabulary(text, { base, minCount: 2 });
    // skateboard has no token of its own any more and ##board is too rare: it is unknown.
    expect(tokens).toEqual([...reserved, 'skate', '##s', 'dog']);
    expect(unknown).toBe(3);
  });

  it('spells a word that lost its token by the pieces that are left', () => {
    const base = [...reserved, 'skate', 'skateboard', '##board', 'side'];
    const text = ['skateboard', 'sideboard sideboard skate skate'];
    const { tokens } = makeVocabulary(text, { base, minCount: 2 });
    const tokenizer = tokenizerFromVocabulary(tokens);
    expect(tokens).toEqual([...reserved, 'skate', '##board', 'side']);
    expect(tokenizer.encode('skateboard').map((id) => tokenizer.token(id))).toEqual([
      '[CLS]',
      'skate',
      '##board',
      '[SEP]',
    ]);
  });

  it('adds whole words where asked', () => {
    const base = [...reserved, 'wake', '##board', 'a'];
    const text = ['wakeboard', 'a wakeboard'];
    expect(makeVocabulary(text, { base, minCount: 2 }).tokens).toEqual([
      ...reserved,
      'wake',
      '##board',
    ]);
    expect(makeVocabulary(text, { base, minCount: 2, addWords: true }).tokens).toEqual([
      ...reserved,
      'wakeboard',
    ]);
  });

  it('counts what its own tokenizer does: every token is used, unknown words agree, any order', () => {
    const options = fc.record({
      minCount: fc.integer({ min: 1, max: 6 }),
      addWords: fc.boolean(),
      some: fc.shuffledSubarray(captions.slice(0, 120), { minLength: 30 }),
      useBase: fc.boolean(),
    });
    fc.assert(
      fc.property(options, ({ minCount, addWords, some, useBase }) => {
        const settings = { minCount, addWords, ...(useBase ? { base: bert } : {}) };
        const made = makeVocabulary(some, settings);
        const tokenizer = tokenizerFromVocabulary(made.tokens);
        const uses = new Map<number, number>();
        for (const text of some)
          for (const id of tokenizer.encode(text, { specialTokens: false }))
            uses.set(id, (uses.get(id) ?? 0) + 1);
        expect(uses.get(tokenizer.ids.unknown) ?? 0).toBe(made.unknown);
        for (let id = reserved.length; id < tokenizer.size; id++)
          expect(uses.get(id) ?? 0, made.tokens[id]).toBeGreaterThanOrEqual(minCount);
        expect(makeVocabulary([...some].reverse(), settings).tokens).toEqual(made.tokens);
      }),
      { seed: 3, numRuns: 12 },
    );
  });

  it('decodes what it encodes, up to unknown words', () => {
    const { tokens } = makeVocabulary(captions, { base: bert, minCount: 1 });
    const small = tokenizerFromVocabulary(tokens);
    const whole = tokenizerFromVocabulary(bert);
    for (const text of captions)
      expect(small.decode(small.encode(text))).toBe(whole.decode(whole.encode(text)));
  });

  it('is written as a vocab.txt', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'refcap-vocabulary-'));
    const path = join(folder, 'vocab.txt');
    const { tokens } = makeVocabulary(captions, { base: bert });
    await writeVocabulary(path, tokens);
    expect(parseVocabulary(readFileSync(path, 'utf8'), path)).toEqual(tokens);
    rmSync(folder, { recursive: true });
  });
});
