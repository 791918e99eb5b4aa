/** Reading captions without pictures. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { InputError } from '../../../src/base/errors.ts';
import { readTexts } from '../../../src/train/loop/texts.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refcap-texts-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const lines = '{"id": 1, "captions": ["a dog", "a dog runs"]}\n\n{"captions": ["a cat"]}\n';

it('reads JSON lines, gzipped or not', async () => {
  const expected = [['a dog', 'a dog runs'], ['a cat']];
  expect(await readTexts(await file('a.jsonl', lines))).toEqual(expected);
  expect(await readTexts(await file('a.jsonl.gz', gzipSync(lines)))).toEqual(expected);
  expect(await readTexts(await file('b.jsonl', lines.replaceAll('\n', '\r\n')))).toEqual(expected);
});

it('keeps a line separator of Unicode within a caption', async () => {
  const text = 'a dog\u2028a cat';
  const path = await file('separator.jsonl', JSON.stringify({ captions: [text] }));
  expect(await readTexts(path)).toEqual([[text]]);
});

it.each([
  ['no.jsonl', 'not json\n', /no\.jsonl, line 1: this is not JSON/],
  [
    'field.jsonl',
    '{"captions": ["a"]}\n{"text": "a"}\n',
    /field\.jsonl, line 2: there are no captions/,
  ],
  ['empty.jsonl', '\n', /empty\.jsonl: the file is empty/],
  [
    'cut.jsonl.gz',
    gzipSync(lines).subarray(0, 20),
    /cut\.jsonl\.gz: the gzipped file ends too early/,
  ],
])('says what is wrong with %s', async (name, content, message) => {
  const failure = await readTexts(await file(name, content)).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(InputError);
  expect(String(failure)).toMatch(message);
});

it('says that a file is not there', async () => {
  await expect(readTexts(join(folder, 'nowhere.jsonl'))).rejects.toThrow(InputError);
});
