/** Words of a picture, wherever its metadata keep them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describedPicture } from '../../src/metadata/described.ts';
import { iptcOfPhotoshop, readIptc } from '../../src/metadata/iptc.ts';
import { change, hasExiftool } from './exiftool.ts';
import { described, undescribed } from './xmp/layouts.ts';

const folder = mkdtempSync(join(tmpdir(), 'refcap-described-'));
const file = join(folder, 'a.jpg');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let plain: Buffer;
beforeAll(async () => {
  const create = { width: 8, height: 8, channels: 3, background: 'red' } as const;
  plain = await sharp({ create }).jpeg().toBuffer();
});

describe('words of a picture', () => {
  it('are those of the file beside it that is named whole, then of the other', async () => {
    writeFileSync(file, plain);
    expect(await describedPicture(file)).toBeUndefined();
    const [person] = Object.values(described);
    writeFileSync(join(folder, 'a.xmp'), person);
    writeFileSync(`${file}.xmp`, undescribed['nothing at all']);
    expect((await describedPicture(file))?.description).toBe('An old dog');
    writeFileSync(`${file}.xmp`, person.replace('An old', 'A new'));
    expect((await describedPicture(file))?.description).toBe('A new dog');
    for (const name of ['a.xmp', 'a.jpg.xmp']) rmSync(join(folder, name));
  });

  it('are none of pictures that are missing or carry none', async () => {
    expect(await describedPicture(join(folder, 'none.jpg'))).toBeUndefined();
    writeFileSync(file, 'GIF89a');
    expect(await describedPicture(file)).toBeUndefined();
  });

  it.skipIf(!hasExiftool).each([
    ['Latin', ['-IPTC:Caption-Abstract=Møn på is']],
    ['UTF-8', ['-IPTC:CodedCharacterSet=UTF8', '-IPTC:Caption-Abstract=Møn på is']],
  ])("are those of IPTC's older form too: %s", async (_, options) => {
    for (const kind of ['jpg', 'tif']) {
      const path = join(folder, `b.${kind}`);
      writeFileSync(path, kind === 'jpg' ? plain : await sharp(plain).tiff().toBuffer());
      change(path, [...options, '-IPTC:Keywords=snow', '-IPTC:Keywords=sea']);
      expect(await describedPicture(path)).toEqual({
        description: 'Møn på is',
        altText: undefined,
        keywords: ['snow', 'sea'],
        isOurs: false,
        isMachineMade: false,
        isReviewed: false,
      });
      change(path, ['-XMP-dc:Description=XMP goes first']);
      expect((await describedPicture(path))?.description).toBe('XMP goes first');
    }
  });

  it.each([
    ['nothing', ''],
    ['a length without content', '\x1c\x02\x78\x00\x09abc'],
    ['an extended length', '\x1c\x02\x78\x80\x04....'],
    ['another block', 'abc'],
  ])('in a damaged block do no harm: %s', (_, text) => {
    const words = readIptc(Buffer.from(text, 'latin1'));
    expect(words.keywords).toEqual([]);
    expect(
      iptcOfPhotoshop(Buffer.from(`8BIM\x04\x04\0\0\0\0\0\x09${text}`, 'latin1')),
    ).toBeDefined();
    expect(iptcOfPhotoshop(Buffer.from(`8BIM\x04\x04\xff\0\0\0\0\x09`, 'latin1'))).toBeUndefined();
  });
});
