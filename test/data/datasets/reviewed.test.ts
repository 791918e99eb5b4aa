/** Files that refcap review wrote into: accepted captions are read as reviewed, wrong ones are left out and counted. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readDataset } from '../../../src/data/datasets/read.ts';
import type { ReviewDecision, Verdict } from '../../../src/review/decisions/decision.ts';
import { openDrafts } from '../../../src/review/sources/open.ts';
import { folderOf, images } from '../dataset-folder.ts';

const names = ['a', 'b', 'c', 'd', 'e'].map((name) => `${name}.jpg`);
const said = (file: string, verdict: Verdict, text: string): [string, ReviewDecision] => [
  file,
  {
    file,
    verdict,
    draft: `of ${file}`,
    text,
    by: 'anna',
    when: '2026-01-02T03:04:05Z',
    seconds: 1,
  },
];
const decided = new Map([
  said('a.jpg', 'accepted', 'of a.jpg'),
  said('b.jpg', 'chosen', 'other b.jpg'),
  said('c.jpg', 'edited', 'by hand'),
  said('d.jpg', 'wrong', ''),
]);

const files: Record<string, string> = {
  'captions.jsonl': names
    .map((file) => {
      const captions = [{ text: `of ${file}` }, { text: `other ${file}` }];
      return `${JSON.stringify({ file, caption: `of ${file}`, captions })}\n`;
    })
    .join(''),
  'captions.csv': `file,caption\n${names
    .map((file) => `${file},of ${file}\n${file},other ${file}\n`)
    .join('')}`,
};

it.each(Object.keys(files))('%s', async (name) => {
  const folder = folderOf({ [name]: files[name], ...images(...names) });
  await (await openDrafts(join(folder, name))).write(decided);
  const { images: found, notes } = await readDataset(folder);
  const read = [...found].sort((x, y) => (x.id < y.id ? -1 : 1));
  expect(read.map(({ id, captions, isReviewed }) => [id, captions, isReviewed ?? false])).toEqual([
    ['a.jpg', ['of a.jpg'], true],
    ['b.jpg', ['other b.jpg'], true],
    ['c.jpg', ['by hand'], true],
    ['e.jpg', ['of e.jpg', 'other e.jpg'], false],
  ]);
  expect(notes.join('\n')).toMatch(/[12] captions? that a reviewer called wrong left out/);
});

it('an accepted caption goes before references that the row has too', async () => {
  const row = (file: string) => ({ file, caption: 'x', references: ['by others'] });
  const text = names.map((file) => `${JSON.stringify(row(file))}\n`).join('');
  const folder = folderOf({ 'captions.jsonl': text, ...images(...names) });
  const [, edited] = said('c.jpg', 'edited', 'by hand');
  const one = new Map([['c.jpg', { ...edited, draft: 'x' }]]);
  await (await openDrafts(join(folder, 'captions.jsonl'))).write(one);
  const { images: found } = await readDataset(folder);
  expect(found.map(({ captions }) => captions[0]).sort()).toEqual([
    ...['by hand', 'by others', 'by others', 'by others', 'by others'],
  ]);
});

it('a field or column called review that others wrote says nothing', async () => {
  const rows = names.map((file) => JSON.stringify({ file, text: file, review: 'wrong' }));
  const json = folderOf({ 'captions.jsonl': rows.join('\n'), ...images(...names) });
  const csv = folderOf({
    'captions.csv': `file,caption,review\n${names.map((file) => `${file},x,wrong\n`).join('')}`,
    ...images(...names),
  });
  for (const folder of [json, csv]) {
    const { images: found } = await readDataset(folder);
    expect(found).toHaveLength(names.length);
    expect(found.some(({ isReviewed }) => isReviewed)).toBe(false);
  }
});
