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
import { decoded, encodedNames, encodedPictures, whyNoEncoders } from './encoders.ts';
import { box, bytesOf, type HeifLayout, heif, heifParts, u16, u32 } from './heif.ts';
import { type Relaid, relaid } from './relaid.ts';

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
/** Layouts that the same items may be in; those of libheif and of phones are among them. */
const ways: Readonly<Record<string, Relaid>> = {
  'old places': { ilocVersion: 0, offsetSize: 4, baseSize: 0 },
  'old places, meta last': { ilocVersion: 0, offsetSize: 8, baseSize: 4, metaLast: true },
  'parts in meta': {
    ...{ ilocVersion: 1, offsetSize: 4, baseSize: 0 },
    inMeta: /^(?:Exif|grid|mime)/,
  },
  'items cut in two': { ilocVersion: 1, offsetSize: 8, baseSize: 8, metaLast: true, isCut: true },
  'long names': { ilocVersion: 2, offsetSize: 8, baseSize: 8 },
  'long names, parts in meta': {
    ...{ ilocVersion: 2, offsetSize: 4, baseSize: 4 },
    inMeta: /^(?:Exif|grid|mime)/,
  },
};
const relaidNames = [...avifs, ...encodedNames]
  .filter((name) => name !== 'sequence.avif')
  .flatMap((name) => Object.keys(ways).map((way) => `${way}, ${name}`));
const names = [...Object.keys(layouts), ...avifs, ...encodedNames, ...relaidNames];
beforeAll(async () => {
  for (const [name, layout] of Object.entries(layouts)) pictures[name] = heif(layout);
  const small = () => sharp(join(repositoryRoot, 'samples/dog-on-grass.jpg')).resize(48, 32);
  pictures['plain.avif'] = await small().avif({ effort: 0 }).toBuffer();
  const withExif = small()
    .withExif({ IFD0: { Make: 'A' } })
    .withIccProfile('p3');
  pictures['exif.avif'] = await withExif.avif({ effort: 0 }).toBuffer();
  if (hasExiftool) {
    const path = saved('others-xmp.avif', pictures['exif.avif']);
    change(path, ['-XMP-dc:Title=Snow', '-XMP-xmp:Rating=4']);
    pictures['others-xmp.avif'] = readFileSync(path);
  }
  Object.assign(pictures, await encodedPictures(folder));
  for (const name of relaidNames) {
    const [, way, file] = /^(.*), (.*)$/.exec(name) ?? [];
    pictures[name] = relaid(pictures[file], ways[way]);
  }
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

/** The file with an XMP item 7 that describes another item. */
function withOtherXmp(bytes: Buffer, xmp: string, describes: number): Buffer {
  const entry = box('infe', [2, 0, 0, 0], u16(7), u16(0), 'mime\0application/rdf+xml\0');
  const iref = box('iref', u32(0), box('cdsc', u16(7), u16(1), u16(describes)));
  return relaid(bytes, {
    ...{ ilocVersion: 1, offsetSize: 4, baseSize: 0 },
    more: { id: 7, entry, iref, content: bytesOf(xmp) },
  });
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

  it.each(names)('is undone to the byte: %s', (name) => {
    const before = pictures[name];
    const old = readEmbedded(before, 'a');
    // Over words of others, and over a caption of another length.
    const written = captioned(captioned(before, 'a dog '.repeat(99)));
    const { packet } = undoCaption(readEmbedded(written, 'a') ?? '', 'a');
    expect(packet).toBe(old);
    const undone = withEmbedded(written, packet, 'a');
    // XMP that was cut in two is whole afterwards.
    if (old !== undefined && name.startsWith('items cut'))
      expect(heifParts(undone)).toEqual(heifParts(before));
    else expect(undone.equals(before)).toBe(true);
  });

  it.each([...avifs, ...relaidNames.filter((name) => avifs.some((each) => name.endsWith(each)))])(
    'shows the same pixels: %s',
    async (name) => {
      expect(await pixels(captioned(pictures[name]))).toEqual(await pixels(pictures[name]));
    },
  );

  it.skipIf(encodedNames.length === 0)(
    `is seen by other decoders as before (${encodedNames.length > 0 ? encodedNames.join(', ') : whyNoEncoders})`,
    async () => {
      const shown = async (bytes: Buffer, name: string) => decoded(saved(`shown-${name}`, bytes));
      for (const name of encodedNames) {
        const before = await shown(pictures[name], name);
        expect(before.length, name).toBeGreaterThan(0);
        expect(await shown(captioned(pictures[name]), name), name).toEqual(before);
      }
      for (const name of relaidNames.filter((each) => /heic|grid/.test(each))) {
        const [, original] = /, ([^,]*)$/.exec(name) ?? [];
        const before = await shown(pictures[original], original);
        expect(await shown(captioned(pictures[name]), original), name).toEqual(before);
      }
    },
  );

  it('is that of the picture itself where others in the file have XMP of their own', () => {
    // As phones write maps of depth: a second picture, and XMP that describes it alone.
    const other = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><a/></x:xmpmeta>';
    const ofOther = withOtherXmp(pictures['plain.avif'], other, 2);
    expect(readEmbedded(ofOther, 'a')).toBeUndefined();
    const written = captioned(ofOther);
    expect(written.includes(other)).toBe(true);
    expect(readDescribed(readEmbedded(written, 'a') ?? '', 'a').description).toBe(caption.text);
    const { packet } = undoCaption(readEmbedded(written, 'a') ?? '', 'a');
    expect(withEmbedded(written, packet, 'a').equals(ofOther)).toBe(true);
    expect(readEmbedded(withOtherXmp(pictures['plain.avif'], other, 1), 'a')).toBe(other);
    if (pictures['two-pictures.heic'])
      expect(readEmbedded(pictures['two-pictures.heic'], 'a')).toContain('>a.jpg<');
  });

  it.skipIf(!hasExiftool)('is read by exiftool, and everything else as before', () => {
    // exiftool 12.57 does not read XMP in meta, and so not what others wrote there.
    const read = names.filter((name) => !/in meta/.test(name) || !pictures[name].includes('<rdf:'));
    const old = read.map((name) => saved(`old-${name}`, pictures[name]));
    const written = read.map((name) => saved(name, captioned(pictures[name])));
    const [before, after] = [old, written].map((paths) => tagsOfAll(paths));
    const [faults, newFaults] = [old, written].map((paths) => complaintsOfAll(paths));
    const isOurs = (tag: string) =>
      /refcap|dc:Description$|AltText|:CaptionWriter|XMPToolkit|MediaDataOffset|MediaDataSize|ChunkOffset|MetaOffset/.test(
        tag,
      );
    const others = (all: Record<string, unknown>) =>
      Object.fromEntries(Object.entries(all).filter(([tag]) => !isOurs(tag)));
    for (const [i, name] of read.entries()) {
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
