/** Datasets in shards: the same as the same pictures in a folder, whatever the shards are. */
import { truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkImages, leakageNote } from '../../../src/data/datasets/check-images.ts';
import { inspectDataset } from '../../../src/data/datasets/inspect.ts';
import { readDataset, surveyDataset } from '../../../src/data/datasets/read.ts';
import { hashImages } from '../../../src/train/features/plan.ts';
import { type Files, jpeg, newFolder, parquetOf, tarOf, zipOf } from '../shards/shards.ts';

const splits = ['train', 'train', 'dev', 'test', 'train'] as const;
const captions = [['a dog', 'the dog'], ['a cat'], ['two birds fly'], ['one'], ['a dog']];
let pictures: Buffer[] = [];
/** The same dataset as files, tars, a zip and tables. */
const sources: Record<string, string> = {};

beforeAll(async () => {
  // The last has the bytes of the first; the fourth is damaged.
  pictures = await Promise.all([0, 1, 2, 3, 0].map(jpeg));
  pictures[3] = pictures[3].subarray(0, 200);
  const folder = newFolder();
  const lines = captions.map((texts, i) =>
    texts.map((text) => JSON.stringify({ file: `${i}.jpg`, caption: text, split: splits[i] })),
  );
  writeFileSync(join(folder, 'captions.jsonl'), lines.flat().join('\n'));
  for (const [i, bytes] of pictures.entries()) writeFileSync(join(folder, `${i}.jpg`), bytes);
  const files = (numbers: readonly number[]): Files =>
    Object.fromEntries(
      numbers.flatMap((i) => [
        [`${i}.jpg`, pictures[i]],
        [`${i}.json`, JSON.stringify({ split: splits[i], captions: captions[i] })],
      ]),
    );
  const shards = newFolder();
  tarOf(join(shards, 'x-0.tar'), files([0, 1]));
  tarOf(join(shards, 'x-1.tar'), files([2, 3, 4]));
  const tables = newFolder();
  const rows = (numbers: readonly number[]) =>
    [
      numbers.map((i) => ({ bytes: pictures[i], path: `${i}.jpg` })),
      { captions: numbers.map((i) => captions[i]) },
    ] as const;
  parquetOf(join(tables, 'data/train-00000-of-00001.parquet'), ...rows([0, 1, 4]));
  parquetOf(join(tables, 'data/validation-00000-of-00001.parquet'), ...rows([2]));
  parquetOf(join(tables, 'data/test-00000-of-00001.parquet'), ...rows([3]));
  Object.assign(sources, {
    files: folder,
    'tars by braces': join(shards, 'x-{0..1}.tar'),
    'tars by a pattern': join(shards, 'x-*.tar'),
    'a folder of tars': shards,
    'a zip': zipOf(join(newFolder(), 'x.zip'), files([0, 1, 2, 3, 4])),
    'Parquet tables': tables,
  });
});

describe.each([
  'tars by braces',
  'tars by a pattern',
  'a folder of tars',
  'a zip',
  'Parquet tables',
])('%s', (name) => {
  it('are read as the files are', async () => {
    const rows = async (path: string) => {
      const { images } = await readDataset(path);
      return images
        .map(({ id, split, captions: texts }) => [id.replace('.jpg', ''), split, ...texts])
        .sort();
    };
    expect(await rows(sources[name])).toEqual(await rows(sources.files));
  });

  it('have the figures and problems that the files have', async () => {
    const figures = async (path: string) => {
      const report = await inspectDataset(path);
      const problems = report.problems.map(({ kind, count }) => [kind, count]);
      return [report.splits, report.captionWords, report.vocabulary, problems];
    };
    expect(await figures(sources[name])).toEqual(await figures(sources.files));
  });

  it('give the bytes of the files to whoever reads pictures', async () => {
    const paths = async (path: string) =>
      (await readDataset(path)).images
        .map((image) => ({ ...image, key: image.id.replace('.jpg', '') }))
        .sort((a, b) => (a.key < b.key ? -1 : 1));
    const [ours, theirs] = [await paths(sources[name]), await paths(sources.files)];
    const hashes = async (images: typeof ours) => [
      (await checkImages(images.map(({ path }) => path))).map(({ hash }) => hash),
      (await hashImages(images.map(({ path }) => ({ path, mayFlip: true })))).map((h) => h.hash),
    ];
    expect(await hashes(ours)).toEqual(await hashes(theirs));
    expect(await leakageNote(ours)).toEqual(await leakageNote(theirs));
  });
});

describe('shards of a dataset', () => {
  it('tell their split by name or folder, and their faults by address', async () => {
    const folder = newFolder();
    const files = { '0.jpg': pictures[0], '0.txt': 'a dog' };
    tarOf(join(folder, 'val-0.tar'), { ...files, '9.txt': 'alone' });
    tarOf(join(folder, 'train/a.tar'), { ...files, '1.jpg': pictures[1] });
    truncateSync(join(folder, 'train/a.tar'), 2100);
    const survey = await surveyDataset(folder);
    expect(survey.dataset.images.map(({ id, split }) => [id, split])).toEqual(
      [
        ['a/0', 'train'],
        ['0', 'dev'],
      ].reverse(),
    );
    expect(survey.strayTexts).toEqual([`tar://9.txt::${join(folder, 'val-0.tar')}`]);
    expect(survey.shardFaults).toEqual([
      expect.stringMatching(/train\/a\.tar: the tar is cut off behind 0\.txt;/),
    ]);
    expect(survey.dataset.notes.join()).toContain('1 fault in the shards: ');
  });

  it('are dealt out where nothing says a split, keys that come twice apart', async () => {
    const folder = newFolder();
    for (const shard of ['x-0', 'x-1'])
      tarOf(join(folder, `${shard}.tar`), {
        '0.jpg': pictures[0],
        '0.txt': shard,
        '1.jpg': pictures[1],
      });
    const survey = await surveyDataset(folder);
    expect(survey.splitsFrom).toBe('seed');
    expect(survey.dataset.images.map(({ id, captions: [text] }) => [id, text])).toEqual([
      ['0', 'x-0'],
      ['x-1/0', 'x-1'],
    ]);
    expect(survey.withoutCaption.map((id) => basename(id))).toEqual(['1', '1']);
  });

  it('without any sample are refused by what is wrong with the first', async () => {
    await expect(readDataset('/nowhere/x-{0..1}.tar')).rejects.toThrow(
      '/nowhere/x-0.tar: there is no such shard; check the name.',
    );
    const path = tarOf(join(newFolder(), 'x.tar'), { '0.jpg': pictures[0] });
    await expect(readDataset(path)).rejects.toThrow(/no picture has a caption; name the caption's/);
  });
});
