import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { openShard, readShards } from '../../../src/data/shards/open.ts';
import { readPicture } from '../../../src/data/shards/picture.ts';
import { itemsOf, newFolder, type Picture, parquetOf } from './shards.ts';

const picture = (number: number, path: string | null = `${number}.jpg`): Picture => ({
  // Bytes that are no text.
  bytes: Uint8Array.of(0xff, 0xd8, number, 0x80),
  path,
});

const table = () => join(newFolder(), 'train-00000-of-00001.parquet');

describe('a Parquet table', () => {
  it('gives a sample a row, over row groups', async () => {
    const path = parquetOf(
      table(),
      [0, 1, 2, 3, 4].map((n) => picture(n)),
      {
        caption: ['a', 'b', null, 'd', ' '],
      },
    );
    expect(await itemsOf(readShards([path]))).toEqual([
      ['0', 'a'],
      ['1', 'b'],
      ['2'],
      ['3', 'd'],
      ['4'],
    ]);
  });

  it('has lists of captions, splits, and keys of its rows where no path says one', async () => {
    const path = parquetOf(table(), [picture(0, null), picture(1, 'x/y.png')], {
      sentences: [['a', 'b'], ['c']],
      split: ['val', 'test'],
    });
    expect(await itemsOf(readShards([path]))).toEqual([
      ['0', 'a', 'b'],
      ['x/y', 'c'],
    ]);
    const splits: unknown[] = [];
    for await (const item of readShards([path]))
      if (item.kind === 'sample') splits.push(item.split);
    expect(splits).toEqual(['dev', 'test']);
  });

  it('tells a row without a picture by its address', async () => {
    const path = parquetOf(table(), [picture(0), { bytes: null, path: 'gone.jpg' }], {
      text: ['a', 'b'],
    });
    expect(await itemsOf(readShards([path]))).toEqual([
      ['0', 'a'],
      `parquet://1::${path}: the row has no picture's bytes.`,
    ]);
  });

  it('gives the bytes of a row by its address, in any order', async () => {
    const path = parquetOf(
      table(),
      [0, 1, 2, 3, 4, 5, 6].map((n) => picture(n)),
      {},
    );
    for (const row of [6, 0, 3, 1, 5, 0])
      expect(await readPicture(`parquet://${row}::${path}`)).toEqual(picture(row).bytes);
    await expect(readPicture(`parquet://7::${path}`)).rejects.toThrow('there is no such row');
  });

  it('may keep bytes alone, in a column of any name', async () => {
    const write = (name: string): string => {
      const path = table();
      const buffer = parquetWriteBuffer({
        columnData: [
          { name: 'jpg', data: [Uint8Array.of(1), Uint8Array.of(2)], type: 'BYTE_ARRAY' },
          { name, data: [Uint8Array.of(3), Uint8Array.of(0xff)], type: 'BYTE_ARRAY' },
          { name: 'caption', data: ['a', 'b'], type: 'STRING' },
          { name: '__key__', data: ['k0', 'k1'], type: 'STRING' },
        ],
      });
      writeFileSync(path, Buffer.from(buffer));
      return path;
    };
    const path = write('scan');
    for (const [columns, bytes] of [
      [{}, [1, 2]],
      [{ image: 'scan' }, [3, 0xff]],
    ] as const) {
      const found: unknown[] = [];
      for await (const item of readShards([path], { columns }))
        if (item.kind === 'sample')
          found.push([item.key, [...(await item.read())], [...(await readPicture(item.address))]]);
      expect(found).toEqual([
        ['k0', [bytes[0]], [bytes[0]]],
        ['k1', [bytes[1]], [bytes[1]]],
      ]);
    }
    expect(await itemsOf(readShards([path], { columns: { caption: 'blurb' } }))).toEqual([
      `${path}: there is no column "blurb"; it has jpg, scan, caption, __key__.`,
    ]);
  });

  it('without pictures or cut off is refused in a sentence', async () => {
    const path = table();
    writeFileSync(
      path,
      Buffer.from(parquetWriteBuffer({ columnData: [{ name: 'text', data: ['a'] }] })),
    );
    expect(await itemsOf(readShards([path]))).toEqual([
      `${path}: no column holds pictures, as {bytes, path} or as bytes; it has text; say which with --image-column.`,
    ]);
    const whole = parquetOf(table(), [picture(0)], { caption: ['a'] });
    writeFileSync(whole, readFileSync(whole).subarray(0, -20));
    await expect(openShard(whole)).rejects.toThrow(
      /: the Parquet table is cut off, damaged or of a rare kind \(.*\); fetch or write it again\.$/,
    );
    // An empty footer, over which the reader stumbles: its own words help nobody.
    const length = Buffer.alloc(60);
    length.writeUInt32LE(40, 56);
    writeFileSync(whole, Buffer.concat([Buffer.from('PAR1'), length, Buffer.from('PAR1')]));
    await expect(openShard(whole)).rejects.toThrow(
      /: the Parquet table is cut off, damaged or of a rare kind; fetch or write it again\.$/,
    );
  });
});
