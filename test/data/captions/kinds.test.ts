/** Files that hold no captions as text are named for what they are. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readCandidates } from '../../../src/data/captions/captions.ts';
import { temporaryFolder, write } from '../caption-files.ts';

const folder = temporaryFolder();

describe('readCandidates', () => {
  const cases: Record<string, [Uint8Array, RegExp]> = {
    'a.parquet': [Buffer.from('PAR1\x15\x04'), /is a Parquet table; write its pictures to files/],
    'a.arrow': [Buffer.from('ARROW1\0\0'), /is an Arrow table;/],
    'a.gz': [gzipSync(gzipSync('a dog\n')), /is compressed twice; unpack it first \(gunzip\)/],
    'a.pkl': [Buffer.from([0x80, 4, 0x95]), /is a Python pickle; write the captions as JSON/],
    'a.sqlite': [Buffer.from('SQLite format 3\0'), /is an SQLite database; export the table/],
    'a.zip': [Buffer.from('PK\x03\x04\x14\0'), /is compressed; unpack it first \(unzip\)/],
    'a.xlsx': [
      Buffer.from(`PK\x03\x04${'\0'.repeat(26)}[Content_Types].xml`),
      /is an Excel workbook; save the sheet as CSV/,
    ],
    'a.zst': [
      Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x24]),
      /is compressed; unpack it first \(zstd -d\)/,
    ],
    'a.html': [Buffer.from('<!DOCTYPE html><html>'), /is a web page; it should hold captions/],
  };
  for (const [name, [content, message]] of Object.entries(cases))
    it(`names ${name}, whatever it is called`, async () => {
      await expect(readCandidates(write(folder, name, content))).rejects.toThrow(message);
      await expect(readCandidates(write(folder, `${name}.txt`, content))).rejects.toThrow(message);
    });

  it('names a tar archive as tar writes it', async () => {
    write(folder, 'x.txt', 'a dog');
    const path = join(folder, 'shard.bin');
    execFileSync('tar', ['-cf', path, '-C', folder, 'x.txt']);
    await expect(readCandidates(path)).rejects.toThrow(
      /shard\.bin: the file is a tar archive .*; unpack it first \(tar -xf\), and name the folder\.$/,
    );
    expect(readFileSync(path).length).toBeGreaterThan(512);
  });

  it('names a picture', async () => {
    const create = { width: 2, height: 2, channels: 3 as const, background: '#208040' };
    const path = write(folder, 'p.jpg', await sharp({ create }).jpeg().toBuffer());
    await expect(readCandidates(path)).rejects.toThrow(/is a picture \(JPEG\); it should hold/);
  });

  it('takes texts that begin like other files', async () => {
    for (const text of ['BMW cars in a row\n', 'Rar! says a parrot\n', 'PK, a dog\n', '7zebras\n'])
      expect((await readCandidates(write(folder, 't.txt', text))).texts.get(0)).toBe(text.trim());
  });
});
