/** Captions in XMP packets: what is written is read, others' words stay, and undoing leaves what was there. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type NewCaption, readDescribed, writeCaption } from '../../../src/metadata/xmp/caption.ts';
import { undoCaption } from '../../../src/metadata/xmp/undo.ts';
import { change, complaintsOf, hasExiftool, tagsOf } from '../exiftool.ts';
import { described, undescribed } from './layouts.ts';

const folder = mkdtempSync(join(tmpdir(), 'refcap-xmp-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const caption: NewCaption = {
  text: 'a dog & a "cat" <run>',
  agent: 'refcap 0.1.0',
  model: 'refcap-small',
  when: '2025-01-02T03:04:05Z',
};
const layouts = Object.entries({ ...undescribed, ...described });

function saved(text: string): string {
  const path = join(folder, 'a.xmp');
  writeFileSync(path, text);
  return path;
}

describe('a caption in a packet', () => {
  it.each(layouts)('is read again and undone to the byte: %s', (_, before) => {
    for (const keywords of [[], ['dog', 'snow', 'cat']]) {
      const written = writeCaption(before, { ...caption, keywords }, 'overwrite', 'a');
      expect(readDescribed(written, 'a')).toMatchObject({
        description: caption.text,
        altText: caption.text,
        isOurs: true,
        isMachineMade: true,
      });
      expect(readDescribed(written, 'a').keywords).toEqual(expect.arrayContaining(keywords));
      expect(undoCaption(written, 'a')).toEqual({
        packet: before,
        isChanged: true,
        changedSince: [],
      });
    }
  });

  it('makes a packet where there is none, and undoing leaves none', () => {
    const written = writeCaption(undefined, caption, 'overwrite', 'a');
    expect(readDescribed(written, 'a').description).toBe(caption.text);
    expect(undoCaption(written, 'a').packet).toBeUndefined();
  });

  it('is written over an earlier one as if that had not been', () => {
    const first = writeCaption(described['as by Lightroom'], caption, 'append', 'a');
    const again = writeCaption(first, caption, 'append', 'a');
    expect(again).toBe(first);
    expect(readDescribed(again, 'a').description).toBe(`An old dog. ${caption.text}`);
  });

  it.each(Object.entries(described))('fills only what is empty: %s', (_, before) => {
    const written = writeCaption(before, caption, 'empty-only', 'a');
    const { description, altText } = readDescribed(written, 'a');
    expect({ description, altText }).toEqual({ description: 'An old dog', altText: caption.text });
    expect(undoCaption(written, 'a').packet).toBe(before);
    const full = writeCaption(before, caption, 'append', 'a');
    const kept = undoCaption(full.replace('An old', 'A new'), 'a').packet ?? '';
    expect(writeCaption(kept, caption, 'empty-only', 'a')).toContain('A new dog');
  });

  it('stays when a person has changed it since', () => {
    const written = writeCaption(undefined, caption, 'overwrite', 'a');
    const edited = written.replace('>a dog &#38; a', '>two dogs and a');
    const { packet = '', changedSince } = undoCaption(edited, 'a');
    expect(changedSince).toEqual(['description']);
    expect(readDescribed(packet, 'a')).toEqual({
      description: 'two dogs and a "cat" <run>',
      altText: undefined,
      keywords: [],
      isOurs: false,
      isMachineMade: false,
      isReviewed: false,
    });
    expect(packet).not.toContain('refcap');
  });

  it('holds any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (text) => {
        fc.pre(text.trim() !== '');
        const written = writeCaption(undefined, { ...caption, text }, 'overwrite', 'a');
        expect(readDescribed(written, 'a').description).toBe(text);
      }),
    );
  });

  it.each([
    ['<x>', /not well-formed XML/],
    ['no XML', /not well-formed XML/],
    ['<a xmlns="b"/>', /no rdf:RDF/],
    ['<a:b/>', /not well-formed XML/],
  ])('is refused where the packet is broken: %s', (text, message) => {
    expect(() => writeCaption(text, caption, 'append', 'a.xmp')).toThrow(message);
  });
});

describe.skipIf(!hasExiftool)('exiftool', () => {
  it.each(layouts)('reads it, finds nothing wrong, and all else unchanged: %s', (_, before) => {
    const old = tagsOf(saved(before));
    const faults = complaintsOf(saved(before));
    const path = saved(writeCaption(before, caption, 'overwrite', 'a'));
    const tags = tagsOf(path);
    expect(tags).toMatchObject({
      'XMP-dc:Description': caption.text,
      'XMP-iptcCore:AltTextAccessibility': caption.text,
      'XMP-photoshop:CaptionWriter': 'refcap 0.1.0 (refcap-small)',
    });
    const isOurs = (name: string) =>
      /refcap|:Description$|AltText|:CaptionWriter|XMPToolkit/.test(name);
    const others = (all: Record<string, unknown>) =>
      Object.fromEntries(Object.entries(all).filter(([name]) => !isOurs(name)));
    expect(others(tags)).toEqual(others(old));
    expect(complaintsOf(path)).toEqual(faults);
  });

  it('finds nothing wrong with a packet of our own', () => {
    const all = { ...caption, keywords: ['dog', 'cat'] };
    const path = saved(writeCaption(undefined, all, 'overwrite', 'a'));
    expect(complaintsOf(path)).toEqual([]);
    expect(tagsOf(path)).toMatchObject({ 'XMP-dc:Subject': ['dog', 'cat'] });
  });

  it.each([
    ['as it lays packets out', []],
    ['in short form', ['-api', 'Compact=Shorthand,OneDesc']],
  ])('may have written the packet anew in between: %s', (_, options) => {
    const before = described['as by Lightroom'];
    const path = saved(writeCaption(before, caption, 'append', 'a'));
    change(path, [...options, '-XMP-xmp:Rating=5']);
    const { packet = '', changedSince } = undoCaption(readFileSync(path, 'utf8'), 'a');
    expect(changedSince).toEqual([]);
    const toolkit = { 'XMP-x:XMPToolkit': expect.anything() };
    const tags = { ...tagsOf(saved(before)), 'XMP-xmp:Rating': 5, ...toolkit };
    expect(tagsOf(saved(packet))).toEqual(tags);
  });
});
