/** What inspecting a dataset finds: figures against counts by hand, and every kind of problem. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import {
  checkImages,
  findDuplicates,
  leakageNote,
  usableImages,
} from '../../../src/data/datasets/check-images.ts';
import { inspectDataset, type ProblemKind } from '../../../src/data/datasets/inspect.ts';
import { readDataset } from '../../../src/data/datasets/read.ts';
import { shared } from '../../paths.ts';

const scratch = mkdtempSync(join(tmpdir(), 'refcap-inspect-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** A PNG of one colour; equal numbers give equal bytes. */
async function picture(number: number): Promise<Buffer> {
  const background = { r: number % 256, g: (number * 7) % 256, b: 90 };
  return sharp({ create: { width: 6, height: 5, channels: 3, background } })
    .png()
    .toBuffer();
}

function folderOf(files: Record<string, string | Buffer>): string {
  const folder = mkdtempSync(join(scratch, 'set-'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

const casesOf = (report: Awaited<ReturnType<typeof inspectDataset>>) =>
  Object.fromEntries(report.problems.map(({ kind, cases }) => [kind, cases])) as Partial<
    Record<ProblemKind, string[]>
  >;

describe('a table with faults of every kind', () => {
  const rows = [
    'file,caption,split',
    'a.png,A dog runs .,train',
    'a.png,"A dog, a cat",train',
    'a.png,a DOG runs,train',
    'b.png,A dog runs .,dev',
    'b.png,,dev',
    'c.png,A bird,train',
    'gone.png,A hat,train',
    'broken.png,A shoe,train',
    'mute.png,,train',
    'copy.png,One two three four five six,train',
    'lost.png,A boat,',
  ].join('\n');

  async function folder(): Promise<string> {
    return folderOf({
      'captions.csv': rows,
      'a.png': await picture(1),
      'b.png': await picture(1),
      'c.png': await picture(2),
      'copy.png': await picture(2),
      'broken.png': (await picture(3)).subarray(0, 60),
      'mute.png': await picture(4),
      'lost.png': await picture(5),
      'stranger.png': await picture(6),
    });
  }

  it('is told in full, and the rest is counted', async () => {
    const source = await folder();
    const report = await inspectDataset(source, { maxWords: 5 });
    const { 'unreadable images': unreadable, ...others } = casesOf(report);
    expect(others).toEqual({
      'duplicate images across splits': ['a.png (train) = b.png (dev)'],
      'duplicate images within a split': ['c.png = copy.png'],
      'images without a file': ['gone.png (train)'],
      'images without a caption': ['mute.png', 'stranger.png'],
      'images in no split': ['lost.png'],
      'empty captions': ['b.png', 'mute.png'],
      'captions repeated at one image': ['a.png'],
      'captions over the length limit': ['copy.png: 6 words'],
      'splits without an image': ['test'],
    });
    expect(unreadable).toHaveLength(1);
    expect(unreadable?.[0]).toMatch(join(source, 'broken.png: the PNG is cut off'));
    expect(report.splitsFrom).toBe('captions');
    expect(report.splits).toMatchObject({
      train: { images: 3, missing: 1, unreadable: 1, captions: 5 },
      dev: { images: 1, missing: 0, unreadable: 0, captions: 1 },
      test: { images: 0, missing: 0, unreadable: 0, captions: 0 },
      all: { images: 4, missing: 1, unreadable: 1, captions: 6 },
    });
    expect(report.splits.train.captionsPerImage).toEqual({ least: 1, mean: 5 / 3, most: 3 });
    // Of 3, 4, 3, 3, 2 and 6 words.
    expect(report.captionWords.mean).toBeCloseTo(21 / 6, 12);
    expect(report.captionWords.percentiles).toMatchObject({ 0: 2, 25: 3, 50: 3, 75: 4, 100: 6 });
    expect(report.sharedCaptions).toBe(1);
    expect(report.maxWords).toBe(5);
  });

  it('counts the words of the training captions, cut at the limit', async () => {
    const { vocabulary } = await inspectDataset(await folder(), { maxWords: 5 });
    // a 5, dog 3, runs 2, and cat, bird, one, two, three, four, five once.
    expect(vocabulary).toMatchObject({ uses: 17, words: 10, once: 7 });
    const [once, twice, thrice, five] = vocabulary.coverage;
    expect(once).toEqual({ minCount: 1, words: 10, train: 1, dev: 1 });
    expect(twice).toEqual({ minCount: 2, words: 3, train: 10 / 17, dev: 1 });
    expect(thrice).toEqual({ minCount: 3, words: 2, train: 8 / 17, dev: 2 / 3 });
    expect(five).toEqual({ minCount: 5, words: 1, train: 5 / 17, dev: 1 / 3 });
  });

  it('leaves training what can be used, with a note on what not and on the leak', async () => {
    const { images } = await readDataset(await folder());
    const usable = await usableImages(images);
    expect(usable.images.map(({ id }) => id)).toEqual(['a.png', 'b.png', 'c.png', 'copy.png']);
    expect(await leakageNote(images)).toBe(usable.notes[1]);
    expect(await leakageNote(images.filter(({ split }) => split === 'train'))).toBeUndefined();
    expect(usable.notes).toEqual([
      expect.stringMatching(/^1 image is left out: .*broken\.png: the PNG is cut off/),
      'Leakage: 1 picture is in two splits or more, such as a.png (train) = b.png (dev); what is learned in one is measured in the other.',
    ]);
  });
});

it('a clean folder of text files has no problem but the empty split, and says stray texts', async () => {
  const files = {
    'train/a.png': await picture(1),
    'train/a.txt': 'One\nTwo\n',
    'val/b.png': await picture(2),
    'val/b.txt': 'Three',
  };
  const clean = await inspectDataset(folderOf(files));
  expect(casesOf(clean)).toEqual({ 'splits without an image': ['test'] });
  expect(clean.captionFiles).toEqual([]);
  const more = await inspectDataset(
    folderOf({ ...files, 'train/c.txt': 'No image', 'train/d.png': await picture(3) }),
  );
  expect(casesOf(more)).toMatchObject({
    'text files without an image': ['train/c.txt'],
    'images without a caption': ['train/d.png'],
  });
});

it('an image of a split list that no caption names is told once', async () => {
  const report = await inspectDataset(
    folderOf({
      'Flickr8k.token.txt': 'a.png#0\tA dog .\n',
      'Flickr_8k.trainImages.txt': 'a.png\nb.png\nc.png\n',
      'images/a.png': await picture(1),
      'images/b.png': await picture(2),
      'images/d.png': await picture(3),
    }),
  );
  expect(report.splitsFrom).toBe('lists');
  expect(casesOf(report)['images without a caption']).toEqual(['b.png', 'c.png', 'd.png']);
});

it('a source without splits has leakage reported for the splits that it is dealt', async () => {
  const names = Array.from({ length: 20 }, (_, i) => `${i}.png`);
  const same = await picture(1);
  const files = Object.fromEntries(names.map((name) => [name, same]));
  const captions = ['file,caption', ...names.map((name) => `${name},A dog`)].join('\n');
  const report = await inspectDataset(folderOf({ ...files, 'captions.csv': captions }), {
    shares: { dev: 0.2, test: 0.2, seed: 1 },
  });
  expect(report.splitsFrom).toBe('seed');
  expect(report.problems[0].kind).toBe('duplicate images across splits');
  expect(report.problems[0].cases[0].split(' = ')).toHaveLength(20);
});

it('refuses a source of which nothing can be used', async () => {
  await expect(
    inspectDataset(folderOf({ 'captions.csv': 'file,caption\na.png,x' })),
  ).rejects.toThrow('none of 1 captioned image is in');
});

describe('checkImages', () => {
  it('keeps order, hashes every file that is there, and can be stopped', async () => {
    const folder = folderOf({ 'a.png': await picture(1), 'b.png': 'no picture', 'c.png': '' });
    const paths = ['c.png', 'a.png', 'b.png', 'none.png'].map((name) => join(folder, name));
    let last = 0;
    const checked = await checkImages(paths, { onProgress: (done) => (last = done) });
    expect(last).toBe(4);
    expect(checked.map(({ fault }) => fault)).toEqual([
      `${paths[0]}: the file is empty.`,
      undefined,
      expect.stringContaining(`${paths[2]}: the file is text`),
      `${paths[3]}: there is no such file.`,
    ]);
    expect(checked.map(({ hash }) => hash?.length)).toEqual([64, 64, 64, undefined]);
    const signal = AbortSignal.abort();
    await expect(checkImages(paths, { signal })).rejects.toThrow('abort');
  });

  it('remembers what it decoded by content, and nothing that failed', async () => {
    const folder = folderOf({ 'a.png': await picture(1), 'b.png': 'no picture' });
    const memory = join(folder, 'checked.txt');
    const paths = ['a.png', 'b.png'].map((name) => join(folder, name));
    const first = await checkImages(paths, { memory });
    expect(readFileSync(memory, 'utf8')).toBe(`${first[0].hash}\n`);
    expect(await checkImages(paths, { memory })).toEqual(first);
    // What the memory calls good is not decoded: a false memory shows that.
    writeFileSync(memory, `${first[1].hash}\n`);
    expect((await checkImages(paths, { memory })).map(({ fault }) => fault)).toEqual([
      undefined,
      undefined,
    ]);
  });
});

it('findDuplicates tells groups across splits from groups within one', () => {
  const member = (id: string, split: 'train' | 'dev', hash: string | undefined) => ({
    id,
    split,
    hash,
  });
  const list = [
    member('a', 'train', '1'),
    member('b', 'dev', '2'),
    member('c', 'train', '1'),
    member('d', 'train', '2'),
    member('e', 'train', '3'),
    member('f', 'dev', undefined),
    member('g', 'dev', undefined),
  ];
  const { acrossSplits, withinSplit } = findDuplicates(list);
  expect(acrossSplits.map((group) => group.map(({ id }) => id))).toEqual([['b', 'd']]);
  expect(withinSplit.map((group) => group.map(({ id }) => id))).toEqual([['a', 'c']]);
});

describe.runIf(shared)('the Flickr8k beside the repository', () => {
  it('has the one duplicate pair and the missing test split', async () => {
    const report = await inspectDataset(join(shared ?? '', 'flickr8k'));
    const cases = casesOf(report);
    expect(cases['duplicate images within a split']?.[0].split(' = ').sort()).toEqual([
      '2851198725_37b6027625.jpg',
      '3050606344_af711c726c.jpg',
    ]);
    expect(cases['images without a file']).toHaveLength(1000);
    expect(report.splits.all).toMatchObject({ images: 7000, unreadable: 0, captions: 35000 });
    expect(report.captionWords.percentiles).toMatchObject({ 0: 2, 50: 10, 100: 36 });
  });
});
