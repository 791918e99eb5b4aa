import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openShard, readShards } from '../../../src/data/shards/open.ts';
import { readPicture } from '../../../src/data/shards/picture.ts';
import { type Files, itemsOf, newFolder, tarOf, zipOf } from './shards.ts';

const writers = { tar: tarOf, zip: zipOf };

describe.each(['tar', 'zip'] as const)('a %s', (kind) => {
  const write = (files: Files): string => writers[kind](join(newFolder(), `x.${kind}`), files);
  const read = (files: Files, columns = {}) => itemsOf(readShards([write(files)], { columns }));

  it('gives samples: a picture with the files of its key', async () => {
    const found = await read({
      'a/0.jpg': '0',
      'a/0.txt': 'one\n\n two \n',
      'a/0.json': '{"caption": "three"}',
      'a/1.PNG': '1',
      'a/1.json': '{"captions": ["four", {"raw": "five"}], "split": "val"}',
      'a/2.webp': '2',
      'a/2.cls': '7',
    });
    expect(found).toEqual([['a/0', 'one', 'two'], ['a/1', 'four', 'five'], ['a/2']]);
  });

  it("reads img2dataset's output, whose captions may be missing", async () => {
    const record = (key: string, caption: string | null) =>
      JSON.stringify({ caption, url: 'http://a/b', key, status: 'success', width: 24 });
    const found = await read({
      '000000000.jpg': '0',
      '000000000.json': record('000000000', 'a dog'),
      '000000000.txt': 'a dog',
      '000000001.jpg': '1',
      '000000001.json': record('000000001', null),
    });
    expect(found).toEqual([['000000000', 'a dog'], ['000000001']]);
  });

  it('takes the caption of the field that is named', async () => {
    const files = { '0.jpg': '0', '0.txt': 'no', '0.json': '{"caption": "no", "alt_de": "ja"}' };
    expect(await read(files, { caption: 'alt_de' })).toEqual([['0', 'ja']]);
  });

  it("has a sample's split and record", async () => {
    const path = write({ '0.jpg': '0', '0.json': '{"split": "restval", "id": 7}' });
    for await (const item of readShards([path]))
      expect(item).toMatchObject({ kind: 'sample', split: 'train', metadata: { id: 7 } });
  });

  it('says what gives no sample, by its address, and goes on', async () => {
    const path = write({
      '0.txt': 'a text',
      '1.jpg': '1',
      '1.json': '{"caption": ',
      '2.jxl': '2',
      '3.jpg': '3',
      '3.txt': Buffer.from([0x61, 0xff]),
      '4.jpg': '4',
      '4.png': '4',
      'README.md': 'about',
    });
    const found = await itemsOf(readShards([path]));
    expect(found).toEqual([
      `${kind}://0.txt::${path}: a text without a picture; no picture of this key is in the shard.`,
      ['1'],
      expect.stringMatching(/1\.json::.*: not valid JSON \(.*\); write the shard again\.$/),
      `${kind}://2.jxl::${path}: a picture of a kind that is not read; convert it to JPEG or PNG.`,
      ['3'],
      `${kind}://3.txt::${path}: not valid UTF-8; write the shard again.`,
      ['4'],
      `${kind}://4.jpg::${path}: 4.png has the same key, 4; the first is read.`,
    ]);
  });

  it('gives the bytes of a picture by its address', async () => {
    const path = write({ 'a/0.jpg': 'zero', 'a/1.jpg': 'one', '0.jpg': 'other' });
    const bytes = async (member: string) =>
      Buffer.from(await readPicture(`${kind}://${member}::${path}`)).toString();
    expect(await Promise.all(['a/1.jpg', '0.jpg', 'a/0.jpg'].map(bytes))).toEqual([
      'one',
      'other',
      'zero',
    ]);
    await expect(bytes('a/2.jpg')).rejects.toThrow(
      `${kind}://a/2.jpg::${path}: there is no such file in the `,
    );
  });

  it('reads each picture of a sample when it is asked to', async () => {
    const path = write({ '0.jpg': 'zero', '1.jpg': 'one' });
    const texts: string[] = [];
    for await (const item of readShards([path]))
      if (item.kind === 'sample') texts.push(Buffer.from(await item.read()).toString());
    expect(texts).toEqual(['zero', 'one']);
  });
});

describe('shards', () => {
  it('of which one is missing or damaged leave the others', async () => {
    const folder = newFolder();
    const paths = [0, 1, 2].map((i) => join(folder, `${i}.tar`));
    tarOf(paths[0], { '0.jpg': '0', '0.txt': 'a', '1.jpg': '1'.repeat(2000) });
    truncateSync(paths[0], 2000);
    tarOf(paths[2], { '2.jpg': '2' });
    const zip = join(folder, 'x.zip');
    writeFileSync(zip, 'no zip');
    expect(await itemsOf(readShards([...paths, zip, 'x.bin']))).toEqual([
      ['0', 'a'],
      `${paths[0]}: the tar is cut off behind 0.txt; fetch or write the shard again.`,
      `${paths[1]}: there is no such shard; check the name.`,
      ['2'],
      expect.stringMatching(
        /x\.zip: the zip is cut off or damaged \(.*\); fetch or write it again\.$/,
      ),
      'x.bin: not the name of a shard (.tar, .zip or .parquet).',
    ]);
  });

  it('in which the files of a key lie apart are one sample in a zip', async () => {
    const path = zipOf(join(newFolder(), 'x.zip'), {
      'i/0.jpg': '0',
      'i/1.jpg': '1',
      'i/0.txt': 'a',
      'i/1.txt': 'b',
    });
    expect(await itemsOf((await openShard(path)).samples())).toEqual([
      ['i/0', 'a'],
      ['i/1', 'b'],
    ]);
  });
});
