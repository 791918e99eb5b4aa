/** Files of concepts: what is read, and what is said of what cannot be. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../../src/base/errors.ts';
import { readConceptFile, scoresOfPicture } from '../../../src/caption/concepts/read.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refcap-concepts-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function read(name: string, text: string) {
  await writeFile(join(folder, name), text);
  return readConceptFile(join(folder, name));
}

describe('readConceptFile', () => {
  it('reads names, a line each or as a JSON array', async () => {
    const names = { kind: 'names', names: ['hot dog', 'Owl'] };
    expect(await read('a.txt', '\ufeffhot dog\r\n\n  Owl\n')).toEqual(names);
    expect(await read('a.json', '["hot dog", "Owl"]')).toEqual(names);
  });

  it('reads scores alike from JSON, JSON lines and CSV', async () => {
    const rows = [
      { file: 'a.jpg', concepts: { owl: 0.9, 'hot dog': 0.25 } },
      { file: 'x/b.jpg', concepts: { cat: 1 } },
    ];
    const expected = {
      kind: 'scores',
      scores: new Map(rows.map(({ file, concepts }) => [file, concepts])),
    };
    expect(await read('s.json', JSON.stringify(rows))).toEqual(expected);
    const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join('\n');
    expect(await read('s.jsonl', lines)).toEqual(expected);
    const csv = 'file,concept,probability\na.jpg,owl,.9\na.jpg,"hot dog",0.25\nx/b.jpg,cat,1\n';
    expect(await read('s.csv', csv)).toEqual(expected);
  });

  it.each([
    ['empty.txt', '\n', 'empty.txt: the file names no concept.'],
    ['object.json', '{"owl": 1}', 'object.json: this is no list'],
    ['broken.json', '[', 'broken.json: not valid JSON'],
    ['much.jsonl', '{"file": "a", "concepts": {"owl": 1.5}}', 'much.jsonl, line 1: concepts.owl: '],
    ['line.jsonl', '{"file": "a", "concepts": {"owl": 1}}\n[1]', 'line.jsonl, line 2: '],
    [
      'twice.jsonl',
      '{"file":"a","concepts":{"owl":1}}\n{"file":"a","concepts":{"owl":0}}',
      "line 2: a has a score for 'owl' already.",
    ],
    ['word.csv', 'file,concept,probability\na,owl,high\n', 'word.csv, row 1: probability: '],
    ['column.csv', 'file,name,p\na,owl,1\n', 'column.csv, row 1: concept: '],
  ])('%s is named with what is wrong', async (name, text, message) => {
    const reading = read(name, text);
    await expect(reading).rejects.toThrow(InputError);
    await expect(reading).rejects.toThrow(message);
  });

  it('names a file that is not there', async () => {
    await expect(readConceptFile(join(folder, 'none.txt'))).rejects.toThrow(
      'there is no such file',
    );
  });
});

describe('scoresOfPicture', () => {
  const scores = new Map([
    ['b.jpg', { cat: 1 }],
    ['x/b.jpg', { dog: 1 }],
    ['http://h/c.jpg', { owl: 1 }],
  ]);

  it.each([
    ['b.jpg', { cat: 1 }],
    ['photos/x/b.jpg', { dog: 1 }],
    ['photos/y/b.jpg', { cat: 1 }],
    ['http://h/c.jpg', { owl: 1 }],
  ])('finds %s by the longest end of its path', (picture, expected) => {
    expect(scoresOfPicture(scores, picture, 'f')).toEqual(expected);
  });

  it('names a picture that has none', () => {
    expect(() => scoresOfPicture(scores, 'p/d.jpg', 'f.csv')).toThrow(
      'p/d.jpg: f.csv has no scores of concepts for it.',
    );
  });
});
