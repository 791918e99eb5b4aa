/** The text tokenizer against transformers' BertTokenizer, and the errors of its files. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { InputError } from '../../../src/base/errors.ts';
import {
  createTextTokenizer,
  loadTextTokenizer,
  parseVocabulary,
  tokenizerFromVocabulary,
  wordPieceFiles,
  wordPieceJson,
} from '../../../src/data/index.ts';
import { fixtures } from '../../paths.ts';

const folder = join(fixtures, 'tokenizer');
const tiny = join(fixtures, 'blip', 'tiny');
const read = (path: string): string => readFileSync(path, 'utf8');
const bert = parseVocabulary(read(join(folder, 'vocab.txt')), 'vocab.txt');
const tokenizer = tokenizerFromVocabulary(bert, 'vocab.txt');

const cases = JSON.parse(read(join(folder, 'cases.json'))) as {
  text: string;
  ids: number[];
  tokens: string[];
}[];
const hard = JSON.parse(read(join(folder, 'unicode.json'))) as {
  encode: [text: string, ids: number[]][];
  decode: [ids: number[], plain: string, joined: string][];
};
const expected = JSON.parse(read(join(tiny, 'expected.json'))) as {
  generate: Record<string, { ids: number[][]; texts: string[] }>;
};

describe('BERT uncased from vocab.txt', () => {
  it('knows its special tokens and its size', () => {
    expect(tokenizer.size).toBe(30522);
    expect(tokenizer.ids).toEqual({
      pad: 0,
      unknown: 100,
      cls: 101,
      sep: 102,
      mask: 103,
      dec: undefined,
      enc: undefined,
    });
    expect(tokenizer.id('dog')).toBe(3899);
    expect(tokenizer.token(3899)).toBe('dog');
    expect([tokenizer.id('no such token'), tokenizer.token(30522)]).toEqual([undefined, undefined]);
  });

  it(`encodes the ${cases.length} reference texts`, () => {
    for (const { text, ids, tokens } of cases) {
      const actual = tokenizer.encode(text);
      expect(actual, text).toEqual(ids);
      expect(
        actual.map((id) => tokenizer.token(id)),
        text,
      ).toEqual(tokens);
      expect(tokenizer.encode(text, { specialTokens: false }), text).toEqual(ids.slice(1, -1));
    }
  });

  it(`encodes ${hard.encode.length} texts of mixed scripts`, () => {
    for (const [text, ids] of hard.encode)
      expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(ids);
  });

  it(`decodes ${hard.decode.length} sequences with unknown and special ids`, () => {
    const joining = tokenizerFromVocabulary(bert, 'vocab.txt', { joinContractions: true });
    for (const [ids, plain, joined] of hard.decode) {
      expect(tokenizer.decode(ids)).toBe(plain);
      expect(joining.decode(ids)).toBe(joined);
    }
  });

  it('decodes the published example of BLIP', () => {
    const ids = [30522, 1037, 2450, 3564, 2006, 1996, 3509, 2007, 2014, 3899, 102];
    expect(tokenizer.decode(ids)).toBe('a woman sitting on the beach with her dog');
    expect(tokenizer.decode([])).toBe('');
    expect(tokenizer.decode([30522, 102])).toBe('');
  });
});

describe('a model folder', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'refcap-tokenizer-'));
  afterAll(() => rmSync(scratch, { recursive: true }));
  const put = (files: Record<string, string>): string => {
    const path = mkdtempSync(join(scratch, 'model-'));
    for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
    return path;
  };

  it('may have a vocabulary of 150,000', async () => {
    const words = Array.from({ length: 150_000 }, (_, i) => `w${i}`);
    const path = put({ 'vocab.txt': ['[PAD]', '[UNK]', '[CLS]', '[SEP]', ...words].join('\n') });
    const large = await loadTextTokenizer(path);
    expect(large.size).toBe(150_004);
    expect(large.encode('w149999')).toEqual([2, 150_003, 3]);
  });

  it('lets tokenizer_config.json win over the normalizer of tokenizer.json, as transformers does', async () => {
    const { 'tokenizer.json': json } = wordPieceFiles([
      '[PAD]',
      '[UNK]',
      '[CLS]',
      '[SEP]',
      'Dog',
      'dog',
    ]);
    const cased = put({
      'tokenizer.json': json,
      'tokenizer_config.json': '{"do_lower_case":false}',
    });
    expect((await loadTextTokenizer(cased)).encode('Dog')).toEqual([2, 4, 3]);
    const uncased = put({ 'tokenizer.json': json, 'tokenizer_config.json': '{}' });
    expect((await loadTextTokenizer(uncased)).encode('Dog')).toEqual([2, 5, 3]);
  });

  it('of the tiny checkpoint decodes every generated caption', async () => {
    const own = await loadTextTokenizer(tiny);
    let count = 0;
    for (const { ids, texts } of Object.values(expected.generate))
      texts.forEach((text, i) => {
        expect(own.decode(ids[i])).toBe(text);
        count++;
      });
    expect(count).toBeGreaterThan(100);
  });

  it('gives the same with vocab.txt alone as with tokenizer.json', async () => {
    const [whole, alone] = await Promise.all([
      loadTextTokenizer(tiny),
      loadTextTokenizer(put({ 'vocab.txt': read(join(tiny, 'vocab.txt')) })),
    ]);
    expect(alone.ids).toEqual(whole.ids);
    for (const { text } of cases) expect(alone.encode(text)).toEqual(whole.encode(text));
  });

  it('of an old tokenizer.json, whose model has no type, works the same', async () => {
    const json = JSON.parse(read(join(tiny, 'tokenizer.json'))) as {
      model: Record<string, unknown>;
    };
    delete json.model.type;
    const old = await loadTextTokenizer(put({ 'tokenizer.json': JSON.stringify(json) }));
    const own = await loadTextTokenizer(tiny);
    for (const { text } of cases) expect(old.encode(text)).toEqual(own.encode(text));
  });

  it('takes its settings from tokenizer_config.json', async () => {
    const vocabulary = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'Dog', 'dog', "'", 's', 'é'].join('\n');
    const config = { clean_up_tokenization_spaces: true, do_lower_case: false };
    const own = await loadTextTokenizer(
      put({ 'vocab.txt': `${vocabulary}\r\n`, 'tokenizer_config.json': JSON.stringify(config) }),
    );
    expect(own.encode("Dog's é", { specialTokens: false })).toEqual([4, 6, 7, 8]);
    expect(own.decode([4, 6, 7])).toBe("Dog's");
  });

  it('written by this project reads back the same, by either file', async () => {
    const tokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'a', 'man', '##s', "'", 's', '.'];
    const files = wordPieceFiles(tokens);
    for (const names of [
      ['vocab.txt', 'tokenizer_config.json'],
      ['tokenizer.json', 'tokenizer_config.json'],
    ]) {
      const own = await loadTextTokenizer(
        put(Object.fromEntries(names.map((name) => [name, files[name]]))),
      );
      expect(own.encode("A mans man's .")).toEqual([2, 4, 5, 6, 5, 7, 8, 9, 3]);
      expect(own.decode([4, 5, 7, 8, 9])).toBe("a man's.");
    }
  });

  const wrong: Record<string, [Record<string, string>, RegExp]> = {
    'no tokenizer at all': [{}, /there is neither tokenizer\.json nor vocab\.txt/],
    'broken JSON': [{ 'tokenizer.json': '{"model": ' }, /tokenizer\.json: not valid JSON/],
    'JSON of another kind': [
      { 'tokenizer.json': '{"a": 1}' },
      /tokenizer\.json: not a tokenizer\.json \(model: /,
    ],
    'an unknown model': [
      {
        'tokenizer.json': JSON.stringify({
          ...wordPieceJson(bert.slice(0, 2000), 'v'),
          model: { type: 'Magic', vocab: {} },
        }),
      },
      /tokenizer\.json: not a tokenizer\.json \(model\.type: only WordPiece is supported\)\.$/,
    ],
    'an empty vocabulary': [{ 'vocab.txt': '' }, /vocab\.txt: the vocabulary is empty\.$/],
    'a repeated token': [
      { 'vocab.txt': '[PAD]\na\nb\na\n' },
      /vocab\.txt: line 4 repeats the token "a" of line 2; remove one\.$/,
    ],
    'no [SEP]': [
      { 'vocab.txt': '[PAD]\n[UNK]\n[CLS]\na\n' },
      /vocab\.txt: the vocabulary has no \[SEP\]; add it/,
    ],
    'a wrong setting': [
      { 'vocab.txt': 'a', 'tokenizer_config.json': '{"do_lower_case": 3}' },
      /tokenizer_config\.json: do_lower_case: /,
    ],
  };
  for (const [name, [files, message]] of Object.entries(wrong))
    it(`with ${name} is refused in one sentence`, async () => {
      const loading = loadTextTokenizer(put(files));
      await expect(loading).rejects.toThrow(message);
      await expect(loading).rejects.toBeInstanceOf(InputError);
    });

  it('[DEC] in the vocabulary is special too', () => {
    const own = createTextTokenizer(
      wordPieceJson(['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'a', '[DEC]'], 'v'),
      'v',
    );
    expect(own.ids.dec).toBe(5);
    expect(own.decode([5, 4, 3])).toBe('a');
  });
});
