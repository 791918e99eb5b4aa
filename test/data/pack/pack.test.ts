/** Packs: read back they are the dataset, the same bytes whatever happened on the way. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readDataset } from '../../../src/data/datasets/read.ts';
import { type PackFormat, packFormats } from '../../../src/data/pack/formats.ts';
import { type PackOptions, packDataset } from '../../../src/data/pack/pack.ts';
import { readPicture } from '../../../src/data/shards/picture.ts';
import { jpeg, newFolder } from '../shards/shards.ts';

const source = newFolder();
const count = 11;

beforeAll(async () => {
  mkdirSync(join(source, 'images/a.b'), { recursive: true });
  const rows: string[] = [];
  for (let i = 0; i < count; i++) {
    const file = `a.b/${i}${i % 2 ? '' : ' ü'}.jpg`;
    writeFileSync(join(source, 'images', file), await jpeg(i));
    const split = ['train', 'train', 'val', 'test', 'restval'][i % 5];
    for (const caption of [`caption ${i}`, `"quoted", ${i}`])
      rows.push(JSON.stringify({ file, caption, split }));
  }
  writeFileSync(join(source, 'captions.jsonl'), rows.join('\n'));
});

const pack = (folder: string, format: PackFormat, changes: Partial<PackOptions> = {}) =>
  packDataset(source, folder, { format, shardBytes: 600, ...changes });

const filesIn = (folder: string) =>
  Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex'),
      ]),
  );

async function contentOf(path: string) {
  const { images } = await readDataset(path);
  const rows = await Promise.all(
    images.map(async ({ path: file, split, captions }) => [
      createHash('sha256')
        .update(await readPicture(file))
        .digest('hex'),
      split,
      ...captions,
    ]),
  );
  return rows.sort();
}

describe.each(packFormats)('a pack in the format %s', (format) => {
  it('is the dataset, read back', async () => {
    const folder = newFolder();
    const { manifest, failures } = await pack(folder, format);
    expect(failures).toEqual([]);
    expect(await contentOf(folder)).toEqual(await contentOf(source));
    expect(manifest.shards.length).toBeGreaterThan(4);
    expect(manifest).toMatchObject({
      isWhole: true,
      splits: { train: { images: 7, captions: 14 }, dev: { images: 2 }, test: { images: 2 } },
    });
    const files = filesIn(folder);
    expect(Object.keys(files)).toEqual(
      [...manifest.shards.map(({ name }) => name), 'manifest.json'].sort(),
    );
    for (const { name, sha256 } of manifest.shards) expect(files[name]).toBe(sha256);
  });

  it('has the same bytes each time, also when it was stopped', async () => {
    const [once, twice] = [newFolder(), newFolder()];
    await pack(once, format);
    await pack(twice, format);
    expect(filesIn(twice)).toEqual(filesIn(once));
    const stopped = newFolder();
    const stop = new AbortController();
    let images = 0;
    const half = pack(stopped, format, {
      signal: stop.signal,
      onImage: () => {
        if (++images === 5) stop.abort();
      },
    });
    await expect(half).rejects.toThrow();
    const there = Object.keys(filesIn(stopped));
    expect(there.length).toBeGreaterThan(1);
    expect(there.length).toBeLessThan(Object.keys(filesIn(once)).length);
    await pack(stopped, format);
    expect(filesIn(stopped)).toEqual(filesIn(once));
    // A shard that is not as it was left is written again.
    const [first, second] = Object.keys(filesIn(once)).filter((name) => name.startsWith('train'));
    writeFileSync(join(stopped, first), 'damaged');
    rmSync(join(stopped, second));
    await pack(stopped, format);
    expect(filesIn(stopped)).toEqual(filesIn(once));
  });

  it('of something else is not gone on with', async () => {
    const folder = newFolder();
    await pack(folder, format);
    await expect(pack(folder, format, { shardBytes: 901 })).rejects.toThrow(
      `${folder}: it holds a pack with another --shard-size (600); choose another folder.`,
    );
    await expect(packDataset(folder, folder, { format, shardBytes: 600 })).rejects.toThrow(
      'it holds a pack of another dataset; choose another folder.',
    );
    writeFileSync(join(folder, 'manifest.json'), '{"format": 1}');
    await expect(pack(folder, format)).rejects.toThrow(
      /manifest\.json: format is not what refcap data pack writes/,
    );
  });
});

describe('a pack', () => {
  it('of tars is one for tar, its files in order', async () => {
    const folder = newFolder();
    await pack(folder, 'webdataset', { shardBytes: 1e6 });
    const list = execFileSync('tar', ['-tvf', join(folder, 'test-000000.tar')], {
      encoding: 'utf8',
    });
    expect(
      list
        .trim()
        .split('\n')
        .map((line) => line.split(/\s+/).slice(0, 2).concat(line.split(/\s+/).slice(-1))),
    ).toEqual(
      ['a_b/3.jpg', 'a_b/3.txt', 'a_b/3.json', 'a_b/8_.jpg', 'a_b/8_.txt', 'a_b/8_.json'].map(
        (name) => ['-rw-r--r--', '0/0', name],
      ),
    );
    const text = execFileSync('tar', ['-xOf', join(folder, 'test-000000.tar'), 'a_b/3.txt'], {
      encoding: 'utf8',
    });
    expect(text).toBe('caption 3\n"quoted", 3\n');
  });

  it('leaves out what is no picture, and says so', async () => {
    const folder = newFolder();
    for (const name of ['0.jpg', '1.jpg']) writeFileSync(join(folder, name), 'text');
    writeFileSync(join(folder, '2.jpg'), await jpeg(2));
    for (const i of [0, 1, 2]) writeFileSync(join(folder, `${i}.txt`), 'a caption');
    const output = newFolder();
    const { manifest, failures } = await packDataset(folder, output, {
      format: 'webdataset',
      shardBytes: 1e6,
    });
    expect(failures).toHaveLength(2);
    expect(failures[0]).toMatch(/\.jpg: the file is text, not a picture that is read\.$/);
    const images = Object.values(manifest.splits).reduce((sum, split) => sum + split.images, 0);
    expect(images).toBe(1);
  });
});
