/** XMP spliced into pictures: what is written is read, all else is as before, and undoing gives the old file. */
import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { embeddedPlace, readEmbedded, withEmbedded } from '../../../src/metadata/embed/embedded.ts';
import { type NewCaption, readDescribed, writeCaption } from '../../../src/metadata/xmp/caption.ts';
import { undoCaption } from '../../../src/metadata/xmp/undo.ts';
import { complaintsOfAll, hasExiftool, tagsOfAll } from '../exiftool.ts';
import { described } from '../xmp/layouts.ts';
import { partsOf } from './parts.ts';
import { cameraJpeg, multiPicture, plainPictures, segment, withSegments } from './pictures.ts';

const folder = mkdtempSync(join(tmpdir(), 'refcap-embed-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const xmpMark = 'http://ns.adobe.com/xap/1.0/\0';
const person = described['as by Lightroom'];
const caption: NewCaption = {
  ...{ text: 'a dog & a cat', agent: 'refcap 1', model: 'm', when: '2025-01-02T03:04:05Z' },
};
const pictures: Record<string, Buffer> = {};
let plain: Buffer;
beforeAll(async () => {
  Object.assign(pictures, await plainPictures());
  plain = pictures['plain.jpg'];
  const exif = segment(0xe1, Buffer.from('Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0', 'latin1'));
  const xmp = segment(0xe1, Buffer.from(xmpMark + person));
  pictures['exif-xmp.jpg'] = withSegments(plain, exif, segment(0xe0, Buffer.from('JFXX\0')), xmp);
  pictures['two-pictures.jpg'] = multiPicture(plain, true, exif);
  pictures['two-pictures-xmp.jpg'] = multiPicture(plain, false, xmp);
  // XMP behind the index: the index stays where it is, what it points at moves.
  const both = multiPicture(plain, true);
  const end = 2 + both.readUInt16BE(4) + 2;
  const late = Buffer.concat([both.subarray(0, end), xmp, both.subarray(end)]);
  // The first size and the second place follow what was put between.
  late.writeUInt32LE(late.readUInt32LE(end - 28) + xmp.length, end - 28);
  late.writeUInt32LE(late.readUInt32LE(end - 8) + xmp.length, end - 8);
  pictures['two-pictures-late-xmp.jpg'] = late;
  pictures['motion-photo.jpg'] = Buffer.concat([plain, Buffer.from('\0\0\0\x18ftypmp42 a video')]);
  if (hasExiftool) pictures['camera.jpg'] = cameraJpeg(plain, folder);
});

const names = [
  ...['plain.jpg', 'progressive.jpg', 'exif-xmp.jpg', 'two-pictures.jpg', 'two-pictures-xmp.jpg'],
  ...['two-pictures-late-xmp.jpg', 'motion-photo.jpg', 'plain.png', 'palette.png', 'lossy.webp'],
  ...['lossless.webp', 'alpha.webp', 'animated.webp', 'plain.tif', 'big.tif', 'other-order.tif'],
  ...(hasExiftool ? ['camera.jpg'] : []),
];

/** The picture with the caption. */
function captioned(bytes: Buffer, text = caption.text): Buffer {
  const packet = writeCaption(readEmbedded(bytes, 'a'), { ...caption, text }, 'overwrite', 'a');
  return withEmbedded(bytes, packet, 'a');
}

/** The picture without it. */
function undone(bytes: Buffer): Buffer {
  const packet = readEmbedded(bytes, 'a') ?? '';
  return withEmbedded(bytes, undoCaption(packet, 'a').packet, 'a');
}

const pixels = (bytes: Buffer) => sharp(bytes, { animated: true }).raw().toBuffer();

function saved(name: string, bytes: Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

describe('a caption in a picture', () => {
  it.each(names)('leaves all else as it is: %s', async (name) => {
    const before = pictures[name];
    const written = captioned(before);
    expect(readDescribed(readEmbedded(written, 'a') ?? '', 'a').description).toBe(caption.text);
    expect(partsOf(written)).toEqual(partsOf(before));
    expect(await pixels(written)).toEqual(await pixels(before));
    // A longer and a shorter one in its place.
    for (const text of ['a dog '.repeat(100), 'a']) {
      const again = captioned(written, text);
      expect(readDescribed(readEmbedded(again, 'a') ?? '', 'a').altText).toBe(text);
      expect(partsOf(again)).toEqual(partsOf(before));
    }
  });

  it.each(names.filter((name) => !name.endsWith('.tif')))('is undone to the byte: %s', (name) => {
    expect(undone(captioned(pictures[name])).equals(pictures[name])).toBe(true);
  });

  it.each(names.filter((name) => name.endsWith('.tif')))('is undone in TIFF: %s', async (name) => {
    const left = undone(captioned(pictures[name]));
    expect(readEmbedded(left, 'a')).toBeUndefined();
    expect(left.includes('dog')).toBe(false);
    expect(partsOf(left)).toEqual(partsOf(pictures[name]));
    expect(await pixels(left)).toEqual(await pixels(pictures[name]));
  });

  it.each(['two-pictures.jpg', 'two-pictures-xmp.jpg', 'two-pictures-late-xmp.jpg'])(
    'keeps the second picture in reach: %s',
    (name) => {
      for (const bytes of [pictures[name], captioned(pictures[name])]) {
        const at = bytes.indexOf('MPF\0') + 4;
        const isLittle = bytes[at] === 0x49;
        const read = (place: number) =>
          isLittle ? bytes.readUInt32LE(place) : bytes.readUInt32BE(place);
        const [size, second] = [read(at + 54), at + read(at + 74)];
        expect(bytes.subarray(second).equals(plain)).toBe(true);
        expect(size).toBe(bytes.length - plain.length);
      }
    },
  );

  it('fits where the room of others is given up', () => {
    const long = person.replace(/ {99}/, ' '.repeat(64_000));
    const bytes = withSegments(plain, segment(0xe1, Buffer.from(xmpMark + long)));
    const written = captioned(bytes, 'a dog '.repeat(300));
    expect(partsOf(written)).toEqual(partsOf(bytes));
  });

  it('keeps the times of the file, on request, and its permissions', async () => {
    const path = saved('times.jpg', plain);
    const then = new Date('2020-02-03T04:05:06Z');
    for (const keepTimes of [true, false]) {
      utimesSync(path, then, then);
      await embeddedPlace(path, { keepTimes }).write(person);
      expect(statSync(path).mtime.getTime() === then.getTime()).toBe(keepTimes);
      expect(readEmbedded(readFileSync(path), path)).toBe(person);
    }
  });
});

describe('what cannot carry a caption', () => {
  const packet = (length: number) => person.replace('Ann', 'A'.repeat(length));
  const chunk = (type: string, content: string) => {
    const named = Buffer.from(type + content, 'latin1');
    const sizes = Buffer.alloc(8);
    sizes.writeUInt32BE(content.length);
    sizes.writeUInt32BE(crc32(named), 4);
    return Buffer.concat([sizes.subarray(0, 4), named, sizes.subarray(4)]);
  };
  const inPng = (...chunks: Buffer[]) => {
    const bytes = pictures['plain.png'];
    return Buffer.concat([bytes.subarray(0, 33), ...chunks, bytes.subarray(33)]);
  };
  const extension = (content: string) => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(Buffer.byteLength(content));
    const mark = Buffer.from(`http://ns.adobe.com/xmp/extension/\0${'A'.repeat(32)}`);
    return segment(0xe1, Buffer.concat([mark, head, Buffer.from(content)]));
  };
  const refused: Record<string, [() => Buffer, RegExp]> = {
    'a cut JPEG': [() => plain.subarray(0, plain.length - 9), /cut off or damaged \(its end is m/],
    'a JPEG cut before its picture': [() => plain.subarray(0, 100), /cut off or damaged/],
    'a cut PNG': [() => pictures['plain.png'].subarray(0, -5), /PNG is cut off/],
    'a cut WebP': [() => pictures['lossy.webp'].subarray(0, -5), /WebP is cut off/],
    'a cut TIFF': [() => pictures['plain.tif'].subarray(0, -40), /TIFF is cut off/],
    'a GIF': [() => Buffer.from('GIF89a'), /embedded in JPEG, PNG, WebP, TIFF.* files alone/],
    'an empty file': [() => Buffer.alloc(0), /embedded in JPEG/],
    'two packets': [
      () =>
        withSegments(plain, ...[1, 2].map(() => segment(0xe1, Buffer.from(xmpMark + packet(2))))),
      /several XMP packets/,
    ],
    'a full packet': [
      () => withSegments(plain, segment(0xe1, Buffer.from(xmpMark + packet(64_000)))),
      /longer than the 65502 bytes/,
    ],
    'words in extended XMP': [
      () => withSegments(plain, extension(person)),
      /it has dc:description in its extended XMP/,
    ],
    'a cut extension': [() => withSegments(plain, extension(person).fill(9, 72, 73)), /./],
    'a signed JPEG': [
      () => withSegments(plain, segment(0xeb, Buffer.from('JP\0\x01....jumbc2pa'))),
      /Content Credentials/,
    ],
    'a signed PNG': [() => inPng(chunk('caBX', 'c2pa')), /Content Credentials/],
    "ImageMagick's profile": [
      () => inPng(chunk('tEXt', 'Raw profile type xmp\0...')),
      /ImageMagick's own way/,
    ],
  };
  it.each(Object.keys(refused))('is told: %s', (name) => {
    const [make, message] = refused[name];
    const bytes = make();
    expect(() => captioned(bytes, 'a dog '.repeat(300))).toThrow(message);
  });

  it('is no extended XMP about other things', () => {
    const other = person
      .replaceAll('dc:description', 'dc:rights')
      .replace(' photoshop:CaptionWriter="Ann"', '');
    const bytes = withSegments(plain, extension(other));
    expect(partsOf(captioned(bytes))).toEqual(partsOf(bytes));
    expect(undone(captioned(bytes)).equals(bytes)).toBe(true);
  });

  it.each(['plain.jpg', 'plain.png', 'lossy.webp', 'plain.tif'])(
    'cut anywhere it is told, or written whole: %s',
    (name) => {
      const bytes = pictures[name];
      for (let length = 0; length < bytes.length; length += 7) {
        const cut = bytes.subarray(0, length);
        try {
          expect(partsOf(captioned(cut))).toEqual(partsOf(cut));
        } catch (error) {
          expect(error).toMatchObject({ name: 'InputError' });
        }
      }
    },
  );
});

describe.skipIf(!hasExiftool)('exiftool', () => {
  const isOurs = (tag: string) =>
    /refcap|dc:Description$|AltText|:CaptionWriter|XMPToolkit|WebP_Flags|MPImage(?:Length|Start)/.test(
      tag,
    );
  const others = (all: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(all).filter(([tag]) => !isOurs(tag)));

  it('reads it in every picture, and everything else as before', () => {
    const old = names.map((name) => saved(`old-${name}`, pictures[name]));
    const written = names.map((name) => saved(name, captioned(pictures[name])));
    const [before, after] = [old, written].map((paths) => tagsOfAll(paths));
    const [faults, newFaults] = [old, written].map((paths) => complaintsOfAll(paths));
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
