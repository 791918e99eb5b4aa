/** XMP in AVIF and HEIC: pictures, Exif and all other items are where the file says, and undoing gives the old file. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canCarry, readEmbedded, withEmbedded } from '../../../src/metadata/embed/embedded.ts';
import { type NewCaption, readDescribed, writeCaption } from '../../../src/metadata/xmp/caption.ts';
import { undoCaption } from '../../../src/metadata/xmp/undo.ts';
import { repositoryRoot } from '../../paths.ts';
import { change, complaintsOfAll, hasExiftool, tagsOfAll } from '../exiftool.ts';
import { type HeifLayout, heif, heifParts } from './heif.ts';

const folder = mkdtempSync(join(tmpdir(), 'refcap-heif-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const caption: NewCaption = {
  ...{ text: 'a dog & a cat', agent: 'refcap 1', model: 'm', when: '2025-01-02T03:04:05Z' },
};

const layouts: Record<string, HeifLayout> = {
  'plain.heic': {},
  'old-places.heic': { ilocVersion: 0 },
  'long-names.heic': { ilocVersion: 2, offsetSize: 8 },
  'bases.heic': { baseSize: 4 },
  'long-bases.heic': { baseSize: 8, offsetSize: 8 },
  'meta-last.heic': { metaLast: true },
  'open-end.heic': { isOpen: true },
  'exif-in-meta.heic': { inMeta: true },
  'no-references.heic': { references: false },
  'sequence.heic': { sequence: 'stco' },
  'long-sequence.heic': { sequence: 'co64', metaLast: true },
  'motion-photo.heic': { more: [Buffer.from('\0\0\0\x0cmpvdabcd', 'latin1')] },
};
const pictures: Record<string, Buffer> = {};
const avifs = ['plain.avif', 'exif.avif', ...(hasExiftool ? ['others-xmp.avif'] : [])];
const names = [...Object.keys(layouts), ...avifs];
beforeAll(async () => {
  for (const [name, layout] of Object.entries(layouts)) pictures[name] = heif(layout);
  const small = () => sharp(join(repositoryRoot, 'samples/dog-on-grass.jpg')).resize(48, 32);
  pictures['plain.avif'] = await small().avif({ effort: 0 }).toBuffer();
  const withExif = small()
    .withExif({ IFD0: { Make: 'A' } })
    .withIccProfile('p3');
  pictures['exif.avif'] = await withExif.avif({ effort: 0 }).toBuffer();
  if (!hasExiftool) return;
  const path = saved('others-xmp.avif', pictures['exif.avif']);
  change(path, ['-XMP-dc:Title=Snow', '-XMP-xmp:Rating=4']);
  pictures['others-xmp.avif'] = readFileSync(path);
});

function saved(name: string, bytes: Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

function captioned(bytes: Buffer, text = caption.text): Buffer {
  const packet = writeCaption(readEmbedded(bytes, 'a'), { ...caption, text }, 'overwrite', 'a');
  return withEmbedded(bytes, packet, 'a');
}

const pixels = (bytes: Buffer) => sharp(bytes).raw().toBuffer();

describe('a caption in AVIF and HEIC', () => {
  it.each(names)('leaves all else as it is: %s', (name) => {
    const before = pictures[name];
    expect(canCarry(before.subarray(0, 16))).toBe(true);
    expect(heifParts(before).length).toBeGreaterThan(4);
    for (const text of [caption.text, 'a dog '.repeat(100), 'a']) {
      const written = captioned(before, text);
      expect(readDescribed(readEmbedded(written, 'a') ?? '', 'a').description).toBe(text);
      expect(heifParts(written)).toEqual(heifParts(before));
      // In the place of the first, none is left of which.
      const again = captioned(written, 'a bird');
      expect(heifParts(again)).toEqual(heifParts(before));
      expect(again.toString('latin1').split('<x:xmpmeta').length).toBe(
        written.toString('latin1').split('<x:xmpmeta').length,
      );
    }
  });

  it.each(names.filter((name) => name !== 'others-xmp.avif'))(
    'is undone to the byte: %s',
    (name) => {
      const packet = readEmbedded(captioned(pictures[name]), 'a') ?? '';
      const undone = withEmbedded(captioned(pictures[name]), undoCaption(packet, 'a').packet, 'a');
      expect(undone.equals(pictures[name])).toBe(true);
    },
  );

  it.each(avifs)('shows the same pixels: %s', async (name) => {
    expect(await pixels(captioned(pictures[name]))).toEqual(await pixels(pictures[name]));
  });

  it.skipIf(!hasExiftool)('is read by exiftool, and everything else as before', () => {
    const old = names.map((name) => saved(`old-${name}`, pictures[name]));
    const written = names.map((name) => saved(name, captioned(pictures[name])));
    const [before, after] = [old, written].map((paths) => tagsOfAll(paths));
    const [faults, newFaults] = [old, written].map((paths) => complaintsOfAll(paths));
    const isOurs = (tag: string) =>
      /refcap|dc:Description$|AltText|:CaptionWriter|XMPToolkit|MediaDataOffset|MediaDataSize|ChunkOffset|MetaOffset/.test(
        tag,
      );
    const others = (all: Record<string, unknown>) =>
      Object.fromEntries(Object.entries(all).filter(([tag]) => !isOurs(tag)));
    for (const [i, name] of names.entries()) {
      expect(after[i], name).toMatchObject({
        'XMP-dc:Description': caption.text,
        'XMP-iptcCore:AltTextAccessibility': caption.text,
      });
      expect(others(after[i]), name).toEqual(others(before[i]));
      expect(newFaults[i], name).toEqual(faults[i]);
    }
  });
});

describe('what cannot carry a caption', () => {
  const uuid = Buffer.from('0000001c75756964d8fec3d61b0e483c92975828877ec48100000000', 'hex');
  const refused: Record<string, [Buffer, RegExp]> = {
    'a signed picture': [heif({ more: [uuid] }), /Content Credentials/],
    'a film in fragments': [heif({ more: [Buffer.from('\0\0\0\x08moof', 'latin1')] }), /fragments/],
    'a picture without numbers for places': [heif({ offsetSize: 0, baseSize: 4 }), /no numbers/],
    'a cut picture': [heif().subarray(0, -5), /cut off or damaged \(the box "mdat" goes beyond/],
    'a picture cut in an open box': [
      heif({ isOpen: true }).subarray(0, -5),
      /part of the picture is m/,
    ],
    'a picture without meta': [
      Buffer.from('\0\0\0\x14ftypheic\0\0\0\0mif1', 'latin1'),
      /no box meta/,
    ],
  };
  it.each(Object.keys(refused))('is told: %s', (name) => {
    const [bytes, message] = refused[name];
    expect(() => captioned(bytes)).toThrow(message);
  });

  it('is no film', () => {
    expect(canCarry(Buffer.from('\0\0\0\x18ftypmp42\0\0\0\0isom', 'latin1'))).toBe(false);
  });

  it.each(['plain.heic', 'sequence.heic', 'exif-in-meta.heic', 'plain.avif'])(
    'cut anywhere, or with any byte of its boxes another, it is told or written whole: %s',
    (name) => {
      const bytes = pictures[name];
      const check = (broken: Buffer): void => {
        try {
          const written = captioned(broken);
          expect(readDescribed(readEmbedded(written, 'a') ?? '', 'a').description).toBe(
            caption.text,
          );
        } catch (error) {
          expect(error).toMatchObject({ name: 'InputError' });
        }
      };
      for (let length = 0; length < bytes.length; length += 11) check(bytes.subarray(0, length));
      for (let at = 12; at < Math.min(bytes.length, 420); at++)
        for (const value of [0, 1, 255]) {
          const broken = Buffer.from(bytes);
          broken[at] = value;
          check(broken);
        }
    },
  );
});
