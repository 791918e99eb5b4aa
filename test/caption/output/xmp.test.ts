/** Captions into XMP files: what is kept, what is gone on with, and what is refused before any work. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { CaptionRow } from '../../../src/caption/output/formats.ts';
import type { CaptionSink } from '../../../src/caption/output/output.ts';
import { skippingDescribed } from '../../../src/caption/output/skipping.ts';
import { type XmpSinkOptions, xmpSink } from '../../../src/caption/output/xmp.ts';
import { describedPicture } from '../../../src/metadata/described.ts';
import { undoPicture } from '../../../src/metadata/undo.ts';
import { readDescribed } from '../../../src/metadata/xmp/caption.ts';
import { described, undescribed } from '../../metadata/xmp/layouts.ts';
import { fixtures } from '../../paths.ts';

const root = mkdtempSync(join(tmpdir(), 'refcap-xmp-sink-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const settings: XmpSinkOptions = {
  ...{ existing: 'keep', resume: false, where: 'full' },
  ...{ agent: 'refcap 1', model: 'm' },
};
const row = (file: string, caption: string): CaptionRow => ({
  ...{ file, caption, captions: [], width: 1, height: 1, ms: 1 },
});
const [person] = Object.values(described);

/** Offers a picture to a sink of its own; gives what is in its XMP file then. */
async function offered(file: string, caption: string, changes: Partial<XmpSinkOptions> = {}) {
  const sink = xmpSink({ ...settings, ...changes });
  const isThere = await sink.has(file);
  if (!isThere) await sink.write([row(file, caption)]);
  await sink.finish();
  const path = changes.where === 'stem' ? file.replace('.jpg', '.xmp') : `${file}.xmp`;
  return { isThere, ...readDescribed(readFileSync(path, 'utf8'), path) };
}

/** A picture whose XMP file is `packet`. */
function picture(packet?: string): string {
  const file = join(mkdtempSync(join(root, 'p-')), 'a.jpg');
  if (packet !== undefined) writeFileSync(`${file}.xmp`, packet);
  return file;
}

describe('pictures', () => {
  const photo = readFileSync(join(fixtures, 'blip/tiny/images/cat-0.png'));
  const inPicture = (changes: Partial<XmpSinkOptions> = {}) =>
    xmpSink({ ...settings, where: {}, ...changes });

  it('carry their captions, and are as before when that is undone', async () => {
    const file = picture();
    writeFileSync(file, photo);
    const sink = inPicture();
    expect(await sink.has('other name', file)).toBe(false);
    await sink.write([row('other name', 'a cat')]);
    expect((await describedPicture(file))?.description).toBe('a cat');
    expect(await inPicture().has(file)).toBe(true);
    expect(await inPicture({ existing: 'overwrite', resume: true }).has(file)).toBe(true);
    expect(await inPicture({ existing: 'overwrite' }).has(file)).toBe(false);
    expect(await undoPicture(file)).toEqual([{ name: file, changedSince: [] }]);
    expect(readFileSync(file)).toEqual(photo);
  });

  it('are left alone where words stand beside them', async () => {
    const file = picture(person);
    writeFileSync(file, photo);
    expect(await inPicture().has(file)).toBe(true);
    expect(await inPicture({ existing: 'empty-only' }).has(file)).toBe(false);
    const other: CaptionSink = {
      has: async (name) => name === 'done',
      write: async () => undefined,
      finish: async () => undefined,
    };
    const skipping = skippingDescribed(other);
    expect(await skipping.has(file)).toBe(true);
    expect(await skipping.has('done')).toBe(true);
    expect(await skipping.has(join(root, 'none.jpg'))).toBe(false);
  });

  it('that cannot carry captions are told before any work', async () => {
    const file = picture();
    for (const [bytes, message] of [
      [photo.subarray(0, -3), /PNG is cut off/],
      [Buffer.from('GIF89a'), /embedded in JPEG/],
    ] as const) {
      writeFileSync(file, bytes);
      await expect(inPicture().has(file)).rejects.toThrow(message);
    }
  });
});

describe('XMP files', () => {
  it.each(['full', 'stem'] as const)('are made, and taken away by undoing: %s', async (naming) => {
    const file = picture();
    expect(await offered(file, 'a dog', { where: naming })).toMatchObject({
      isThere: false,
      description: 'a dog',
      altText: 'a dog',
    });
    const path = naming === 'stem' ? file.replace('.jpg', '.xmp') : `${file}.xmp`;
    expect(await undoPicture(file)).toEqual([{ name: path, changedSince: [] }]);
    expect(existsSync(path)).toBe(false);
    expect(await undoPicture(file)).toEqual([]);
  });

  it.each([
    ['keep', true, 'An old dog', undefined],
    ['overwrite', false, 'a cat', 'a cat'],
    ['append', false, 'An old dog. a cat', 'a cat'],
    ['empty-only', false, 'An old dog', 'a cat'],
  ] as const)("deal with a person's words: %s", async (existing, isThere, description, altText) => {
    const file = picture(person);
    const found = await offered(file, 'a cat', { existing });
    expect(found).toMatchObject({ isThere, description, altText });
    await undoPicture(file);
    expect(readFileSync(`${file}.xmp`, 'utf8')).toBe(person);
  });

  it.each(Object.entries(undescribed))('keep what else they hold: %s', async (_, packet) => {
    const file = picture(packet);
    const found = await offered(file, 'a cat', { existing: 'overwrite' });
    expect(found).toMatchObject({ isThere: false, description: 'a cat' });
    await undoPicture(file);
    expect(readFileSync(`${file}.xmp`, 'utf8')).toBe(packet);
  });

  it('are gone on with: what refcap wrote stays', async () => {
    const file = picture();
    await offered(file, 'a dog');
    for (const existing of ['overwrite', 'append', 'empty-only', 'keep'] as const)
      expect(await offered(file, 'a cat', { existing, resume: true })).toMatchObject({
        isThere: true,
        description: 'a dog',
      });
    expect(await offered(file, 'a cat', { existing: 'append' })).toMatchObject({
      isThere: false,
      description: 'a cat',
    });
  });

  it('belong to one picture', async () => {
    const file = picture();
    const sink = xmpSink({ ...settings, where: 'stem' });
    await sink.has(file);
    await expect(sink.has(file.replace('.jpg', '.png'))).rejects.toThrow(
      /a\.png: .*a\.xmp already belongs to another picture/,
    );
  });

  it.each([
    ['<x:xmpmeta', /not well-formed/],
    [Buffer.from('\ufeff<a/>', 'utf16le'), /not UTF-8/],
    [Buffer.from([0x3c, 0x61, 0xff]), /not UTF-8/],
  ])('that are broken are refused and stay', async (content, message) => {
    const file = picture();
    writeFileSync(`${file}.xmp`, content);
    await expect(xmpSink(settings).has(file)).rejects.toThrow(message);
    await expect(undoPicture(file)).rejects.toThrow(message);
    expect(readFileSync(`${file}.xmp`)).toEqual(Buffer.from(content));
  });

  it('need a place', async () => {
    await expect(xmpSink(settings).has('https://a/b.jpg')).rejects.toThrow(/no place/);
    await expect(xmpSink(settings).has(join(root, 'no/a.jpg'))).rejects.toThrow(/does not exist/);
  });
});
