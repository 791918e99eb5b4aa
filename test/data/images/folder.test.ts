/** A dataset's folder of images: links, cycles, names that are not UTF-8, kinds that are not read. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listImages, readDataset } from '../../../src/data/index.ts';
import { folderOf, images, pairsOf } from '../dataset-folder.ts';

describe('listImages', () => {
  it('follows links to folders, and lists each folder once', async () => {
    const folder = folderOf(images('real/a.jpg', 'real/deep/b.jpg', '.hidden/c.jpg'));
    const outside = folderOf(images('x/d.jpg'));
    mkdirSync(join(folder, 'photos'));
    symlinkSync('../real', join(folder, 'photos/again'));
    symlinkSync('..', join(folder, 'photos/up'));
    symlinkSync(outside, join(folder, 'photos/out'));
    symlinkSync(folder, join(outside, 'x/back'));
    symlinkSync('nowhere', join(folder, 'broken'));
    const list = await listImages(folder);
    expect(list.files).toEqual(['photos/out/x/d.jpg', 'real/a.jpg', 'real/deep/b.jpg']);
    expect(list.find('photos/again/deep/b.jpg')).toBe(join(folder, 'real/deep/b.jpg'));
    expect(list.find('a.jpg')).toBe(join(folder, 'real/a.jpg'));
  });

  it('takes links to files for files', async () => {
    const folder = folderOf(images('real/a.jpg'));
    symlinkSync('real/a.jpg', join(folder, 'b.jpg'));
    expect((await listImages(folder)).files).toEqual(['b.jpg', 'real/a.jpg']);
  });

  it('a dataset may stand behind a link', async () => {
    const outside = folderOf({ ...images('a.jpg'), 'a.txt': 'a dog' });
    const folder = folderOf({});
    symlinkSync(outside, join(folder, 'link'));
    expect(await pairsOf(folder)).toEqual([['link/a.jpg', 'a dog']]);
  });

  it.skipIf(process.platform !== 'linux')('names what is not UTF-8', async () => {
    const folder = folderOf({ ...images('a.jpg'), 'a.txt': 'a dog' });
    const bytes = (name: string) =>
      Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name, 'latin1')]);
    writeFileSync(bytes('caf\xe9.jpg'), '');
    mkdirSync(bytes('\xe9t\xe9'));
    const list = await listImages(folder);
    expect(list.files).toEqual(['a.jpg']);
    expect(list.nameless).toHaveLength(2);
    expect((await readDataset(folder)).notes.join()).toMatch(
      /2 files or folders left out whose name is not UTF-8, such as .*; rename them/,
    );
  });

  it('knows pictures of kinds that are not read', async () => {
    const list = await listImages(folderOf(images('a.heic', 'b.JXL', 'c.bmp', 'd.txt', 'e.psd')));
    expect([list.files, list.passedOver, list.texts]).toEqual([
      ['a.heic', 'c.bmp'],
      ['b.JXL', 'e.psd'],
      ['d.txt'],
    ]);
  });
});
