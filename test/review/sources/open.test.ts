/** Drafts of every format: read, decided, written back, read again; what was not decided stays byte for byte. */
import { copyFileSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { describedPicture } from '../../../src/metadata/described.ts';
import { sidecarPlace } from '../../../src/metadata/places.ts';
import { undoPicture } from '../../../src/metadata/undo.ts';
import { writeCaption } from '../../../src/metadata/xmp/caption.ts';
import type { ReviewDecision, Verdict } from '../../../src/review/decisions/decision.ts';
import { openDrafts } from '../../../src/review/sources/open.ts';
import { folderOf, images } from '../../data/dataset-folder.ts';
import { repositoryRoot } from '../../paths.ts';

const by = { by: 'anna', when: '2026-01-02T03:04:05Z', seconds: 2.5 };
const decided = (...all: [file: string, verdict: Verdict, draft: string, text: string][]) =>
  new Map(
    all.map(([file, verdict, draft, text]): [string, ReviewDecision] => [
      file,
      { file, verdict, draft, text, ...by },
    ]),
  );

const candidate = (text: string, meanLogprob: number) => ({
  ...{ text, ids: [1, 2], logprob: 9 * meanLogprob, meanLogprob },
  words: [{ text, logprob: -1, dependence: 2 }],
});
const row = (file: string, ...texts: string[]) => ({
  file,
  caption: texts[0],
  captions: texts.map((text, i) => candidate(text, -0.1 - i)),
  ...{ width: 4, height: 3, ms: 1.5 },
});

const rows = [
  row('a.jpg', 'a dog', 'a puppy'),
  row('b.jpg', 'a cat', 'a kitten'),
  row('c.jpg', 'a bird', 'an owl'),
  row('d.jpg', 'a cow'),
];
const all = decided(
  ['a.jpg', 'accepted', 'a dog', 'a dog'],
  ['b.jpg', 'chosen', 'a cat', 'a kitten'],
  ['c.jpg', 'wrong', 'a bird', ''],
  ['d.jpg', 'edited', 'a cow', 'a brown cow'],
);

describe.each(['jsonl', 'json'] as const)('drafts in %s', (format) => {
  const text = (values: readonly unknown[]): string => {
    const lines = values.map((value) => JSON.stringify(value));
    return format === 'jsonl' ? `${lines.join('\r\n')}\r\n` : `[\n${lines.join(',\n')}\n]\n`;
  };
  const name = `captions.${format}`;
  const read = (path: string): Record<string, unknown>[] => {
    const content = readFileSync(path, 'utf8');
    if (format === 'json') return JSON.parse(content);
    return content
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  };

  it('are read with their candidates, confidence and dependence', async () => {
    const { drafts } = await openDrafts(join(folderOf({ [name]: text(rows) }), name));
    expect(drafts[0]).toEqual({
      file: 'a.jpg',
      candidates: [
        { text: 'a dog', confidence: Math.exp(-0.1) },
        { text: 'a puppy', confidence: Math.exp(-1.1) },
      ],
      dependence: 2,
    });
  });

  it('are left alone where nothing was decided', async () => {
    const lines = rows.map((row) => JSON.stringify(row, null, format === 'json' ? 1 : 0));
    const content = format === 'json' ? `[${lines.join(',')}]` : lines.join('\n');
    const path = join(folderOf({ [name]: content }), name);
    const { ino } = statSync(path);
    expect(await (await openDrafts(path)).write(new Map())).toBe(0);
    expect(readFileSync(path, 'utf8')).toBe(content);
    expect(statSync(path).ino).toBe(ino);
  });

  it('are written with who decided what, and read again as decided', async () => {
    const path = join(folderOf({ [name]: text(rows) }), name);
    const source = await openDrafts(path);
    expect(await source.write(all)).toBe(4);
    const [accepted, chosen, wrong, edited] = read(path);
    expect(accepted).toEqual({
      ...rows[0],
      captions: [rows[0].captions[0]],
      review: { verdict: 'accepted', ...by, draft: 'a dog', candidates: rows[0].captions },
    });
    expect(chosen).toMatchObject({ caption: 'a kitten', captions: [rows[1].captions[1]] });
    expect(wrong).toMatchObject({ caption: 'a bird', review: { verdict: 'wrong' } });
    expect(edited).toMatchObject({ caption: 'a brown cow', captions: [{ text: 'a brown cow' }] });
    const again = await openDrafts(path);
    expect(again.drafts.map(({ decision, ...draft }) => draft)).toEqual(source.drafts);
    expect(again.drafts.map(({ decision }) => decision)).toEqual([...all.values()]);
    // Written once more nothing changes.
    const bytes = readFileSync(path);
    expect(await again.write(all)).toBe(0);
    expect(readFileSync(path)).toEqual(bytes);
    // And a decision is replaced by another, the draft with all candidates still there.
    await again.write(decided(['b.jpg', 'accepted', 'a cat', 'a cat']));
    expect(read(path)[1]).toMatchObject({ caption: 'a cat', captions: [rows[1].captions[0]] });
    expect((await openDrafts(path)).drafts[1].candidates).toHaveLength(2);
  });
});

describe('other drafts in JSON lines', () => {
  it('keep the lines that were not decided byte for byte, and names of fields', async () => {
    const lines = [
      '{ "file_name": "a.jpg",  "text": "a dog" }',
      '',
      '{"file_name":"b.jpg","text":"x"}',
    ];
    const path = join(folderOf({ 'metadata.jsonl': lines.join('\n') }), 'metadata.jsonl');
    const source = await openDrafts(path);
    await source.write(decided(['b.jpg', 'edited', 'x', 'a cat']));
    const after = readFileSync(path, 'utf8').split('\n');
    expect(after.slice(0, 2)).toEqual(lines.slice(0, 2));
    expect(JSON.parse(after[2])).toMatchObject({ file_name: 'b.jpg', text: 'a cat' });
  });

  it.each([
    [
      '{"file":"a.jpg","caption":"x"}\n{"file":"a.jpg","caption":"y"}',
      /line 2: a.jpg comes a second time/,
    ],
    ['{"file":"a.jpg","caption":"x"}\n{"file":', /line 2: not valid JSON/],
    ['{"file":"a.jpg"}', /line 1: there is no caption/],
    ['{"caption":"a"}', /line 1: there is no picture/],
    ['{"file":"a.jpg","caption":"x","review":"nice"}', /"review" is not what refcap review writes/],
    ['[1]', /line 1: this is no JSON object/],
  ])('are refused by their line: %s', async (text, message) => {
    const path = join(folderOf({ 'a.jsonl': text }), 'a.jsonl');
    await expect(openDrafts(path)).rejects.toThrow(message);
    expect(readFileSync(path, 'utf8')).toBe(text);
  });
});

describe('drafts in CSV', () => {
  const csv = [
    'file,caption,logprob,meanLogprob,width,height,ms',
    'a.jpg,a dog,-1,-0.1,4,3,1',
    'a.jpg,a puppy,-2,-0.2,4,3,1',
    'b.jpg,"a ""cat"", maybe",-1,-0.5,4,3,1',
    'c.jpg,a bird,-1,-0.5,4,3,1\n',
  ].join('\n');

  it('get columns for decisions; other candidates are marked', async () => {
    const path = join(folderOf({ 'captions.csv': csv }), 'captions.csv');
    const source = await openDrafts(path);
    expect(source.drafts[0].candidates).toEqual([
      { text: 'a dog', confidence: Math.exp(-0.1) },
      { text: 'a puppy', confidence: Math.exp(-0.2) },
    ]);
    const some = decided(
      ['a.jpg', 'chosen', 'a dog', 'a puppy'],
      ['b.jpg', 'edited', 'a "cat", maybe', 'a cat'],
    );
    expect(await source.write(some)).toBe(2);
    const written: Record<string, string>[] = parse(readFileSync(path), { columns: true });
    expect(written).toMatchObject([
      { caption: 'a dog', review: 'unchosen' },
      { caption: 'a puppy', review: 'chosen', reviewer: 'anna', reviewed: by.when, draft: '' },
      { caption: 'a cat', review: 'edited', draft: 'a "cat", maybe', seconds: '2.5' },
      { caption: 'a bird', review: '', reviewer: '' },
    ]);
    const again = await openDrafts(path);
    expect(again.drafts.map(({ decision }) => decision)).toEqual([...some.values(), undefined]);
    expect(again.drafts.map(({ candidates }) => candidates)).toEqual(
      source.drafts.map(({ candidates }) => candidates),
    );
    expect(await again.write(some)).toBe(0);
    await again.write(decided(['b.jpg', 'wrong', 'a "cat", maybe', '']));
    expect(parse(readFileSync(path), { columns: true })[2]).toMatchObject({
      ...{ caption: 'a "cat", maybe', review: 'wrong', draft: '' },
    });
  });
});

describe('drafts in text files', () => {
  it('are replaced by the accepted caption alone; those of wrong drafts become empty', async () => {
    const folder = folderOf({
      ...images('a.jpg', 'b.jpg', 'c.jpg'),
      ...{ 'a.txt': 'a dog\na puppy\n', 'b.txt': 'a cat\n', 'c.txt': 'a bird\n' },
    });
    const source = await openDrafts(folder);
    expect(source.drafts[0].candidates).toEqual([{ text: 'a dog' }, { text: 'a puppy' }]);
    const some = decided(
      ['a.jpg', 'edited', 'a dog', 'an old dog'],
      ['b.jpg', 'wrong', 'a cat', ''],
    );
    expect(await source.write(some)).toBe(2);
    const texts = ['a', 'b', 'c'].map((name) => readFileSync(join(folder, `${name}.txt`), 'utf8'));
    expect(texts).toEqual(['an old dog\n', '', 'a bird\n']);
  });
});

describe('drafts in metadata', () => {
  const drafted = (text: string): string =>
    writeCaption(
      undefined,
      { text, agent: 'refcap 0', model: 'm', when: by.when },
      'overwrite',
      'x',
    );

  it('become a person’s words, which undoing leaves alone; wrong ones are taken out', async () => {
    const own = drafted('x')
      .replaceAll('x</', 'by hand</')
      .replace(/<refcap:description>.*?</, '<refcap:description>x<');
    const folder = folderOf({
      ...{
        'a.jpg.xmp': drafted('a dog'),
        'b.xmp': drafted('a cat'),
        'c.jpg.xmp': drafted('a bird'),
      },
      ...{ 'd.jpg.xmp': own },
    });
    for (const name of ['a', 'b', 'c', 'd'])
      copyFileSync(join(repositoryRoot, 'samples/cat.jpg'), join(folder, `${name}.jpg`));
    const source = await openDrafts(folder);
    expect(source.drafts.map(({ file, candidates }) => [file, candidates[0].text])).toEqual([
      ['a.jpg', 'a dog'],
      ['b.jpg', 'a cat'],
      ['c.jpg', 'a bird'],
    ]);
    const some = decided(
      ['a.jpg', 'accepted', 'a dog', 'a dog'],
      ['b.jpg', 'edited', 'a cat', 'a <cat> & co'],
      ['c.jpg', 'wrong', 'a bird', ''],
    );
    expect(await source.write(some)).toBe(3);
    const again = await openDrafts(folder);
    expect(
      again.drafts.map(({ candidates, decision }) => [
        candidates[0].text,
        decision?.text,
        decision?.by,
      ]),
    ).toEqual([
      ['a dog', 'a dog', 'anna'],
      ['a cat', 'a <cat> & co', 'anna'],
    ]);
    expect(await again.write(some)).toBe(0);
    const [a, b, c] = await Promise.all(
      ['a', 'b', 'c'].map((name) => describedPicture(join(folder, `${name}.jpg`))),
    );
    expect([a, b]).toMatchObject([
      { description: 'a dog', altText: 'a dog', isMachineMade: false, isReviewed: true },
      { description: 'a <cat> & co', isReviewed: true },
    ]);
    expect(c).toBeUndefined();
    // Another decision takes the place of the first, and undoing keeps what a person said.
    await again.write(decided(['b.jpg', 'wrong', 'a cat', '']));
    expect(await sidecarPlace(join(folder, 'b.xmp')).read()).toBeUndefined();
    const undone = await undoPicture(join(folder, 'a.jpg'));
    expect(undone[0].changedSince).toEqual(['description', 'altText', 'writer']);
    expect((await describedPicture(join(folder, 'a.jpg')))?.description).toBe('a dog');
  });
});

describe('openDrafts', () => {
  it('says what is not there', async () => {
    const folder = folderOf({ ...images('a.jpg'), 'a.md': 'x' });
    await expect(openDrafts(join(folder, 'no'))).rejects.toThrow('there is no such file or folder');
    await expect(openDrafts(join(folder, 'a.md'))).rejects.toThrow('say with --format');
    await expect(openDrafts(folder)).rejects.toThrow('there is no draft in it');
    await expect(openDrafts(folder, { format: 'csv' })).rejects.toThrow('name the csv file');
  });

  it('leaves an evaluation as it was measured: decisions go into a file of their own', async () => {
    const line = { file: 'a', path: 'a.jpg', caption: 'a dog', references: ['x'], scores: {} };
    const text = `${JSON.stringify(line)}\n`;
    const folder = folderOf({ 'results.json': '{}', 'captions.jsonl': text });
    const source = await openDrafts(folder);
    expect(source.drafts[0].path).toBe('a.jpg');
    await source.write(decided(['a', 'edited', 'a dog', 'a cat']));
    expect(readFileSync(join(folder, 'captions.jsonl'), 'utf8')).toBe(text);
    const again = await openDrafts(folder);
    expect(again.drafts[0].decision?.text).toBe('a cat');
  });
});
