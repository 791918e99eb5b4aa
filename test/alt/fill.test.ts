/** Pages before and after their alt texts: the files of test/fixtures/alt, and that nothing else changes. */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { editPage } from '../../src/alt/edit.ts';
import { type FilledPage, fillSite, picturesWithoutText } from '../../src/alt/fill.ts';
import { decodePage, encodePage } from '../../src/alt/pages/bytes.ts';
import { findGaps } from '../../src/alt/pages/kinds.ts';
import type { Draft } from '../../src/alt/pictures/cache.ts';
import type { Drafts } from '../../src/alt/pictures/drafts.ts';
import { InputError } from '../../src/base/errors.ts';
import { fixtures } from '../paths.ts';

const before = join(fixtures, 'alt/before');
const after = join(fixtures, 'alt/after');
const folder = mkdtempSync(join(tmpdir(), 'refcap-alt-fill-'));
const site = join(folder, 'site');
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(() => {
  cpSync(before, site, { recursive: true });
  mkdirSync(join(site, 'pictures'));
  for (const name of ['dog', 'cat', 'unsure', 'line'])
    writeFileSync(join(site, `pictures/${name}.jpg`), '');
});

const at = (name: string) => join(site, 'pictures', name);
const drafts: Drafts = new Map<string, Draft | InputError>([
  [at('dog.jpg'), { caption: 'a picture of a dog & "its" {ball} * <big>', confidence: 0.9 }],
  [at('cat.jpg'), { caption: 'a café cat', confidence: 0.8 }],
  [at('unsure.jpg'), { caption: 'a thing', confidence: 0.4 }],
  [at('line.jpg'), new InputError('line.jpg: the file is empty.')],
]);
const options = { roots: [site], exclude: [], includeEmpty: false, minConfidence: 0.5 };

async function filled(of = site, more = {}): Promise<FilledPage[]> {
  const pages: FilledPage[] = [];
  for await (const page of fillSite(of, drafts, { ...options, ...more })) pages.push(page);
  return pages;
}

describe('filling a site', () => {
  it('asks for the pictures that have no text, each once', async () => {
    const pictures = await picturesWithoutText(site, options);
    expect([...pictures].map((path) => relative(site, path)).sort()).toEqual([
      'pictures/cat.jpg',
      'pictures/dog.jpg',
      'pictures/unsure.jpg',
    ]);
  });

  it.each(readdirSync(before).filter((name) => name !== 'broken.html'))(
    '%s comes out as the file of after/',
    async (name) => {
      const [page] = await filled(join(site, name));
      const text = page.kind === 'read' ? page.after.text : page.reason;
      expect(text).toBe(readFileSync(join(after, name), 'utf8'));
    },
  );

  it('is done when it was done: a second run changes nothing', async () => {
    for (const page of await filled(after, { roots: [site] }))
      expect(page.kind === 'read' && page.after.text).toBe(
        page.kind === 'read' && page.before.text,
      );
  });

  it('names a broken page and leaves it', async () => {
    const [page] = await filled(join(site, 'broken.html'));
    expect(page).toMatchObject({
      kind: 'broken',
      line: 2,
      reason: expect.stringMatching(/quotation/),
    });
  });

  it('says what became of each picture', async () => {
    const [page] = await filled(join(site, 'index.html'), { includeEmpty: true });
    const outcomes = page.kind === 'read' ? page.outcomes.map(({ outcome }) => outcome) : [];
    expect(outcomes).toContainEqual({ kind: 'filled', text: 'A café cat', confidence: 0.8 });
    expect(outcomes).toContainEqual({ kind: 'doubtful', confidence: 0.4, isAsked: true });
    expect(outcomes).toContainEqual({ kind: 'left', reason: 'line.jpg: the file is empty.' });
    expect(outcomes).toContainEqual({ kind: 'left', reason: 'it is on another machine' });
    expect(outcomes).toContainEqual({ kind: 'left', reason: 'there is no such file' });
  });

  it('puts a template around captions, where its values are known', async () => {
    const [page] = await filled(join(site, 'notes.md'), {
      template: '{title} ({context}): {caption}',
      context: 'Zoo',
    });
    const texts = page.kind === 'read' ? page.outcomes.map(({ outcome }) => outcome) : [];
    expect(texts.map((outcome) => (outcome.kind === 'filled' ? outcome.text : ''))).toEqual([
      'A dog & "its" {ball} * <big>',
      'The dog (Zoo): a dog & "its" {ball} * <big>',
      'A dog & "its" {ball} * <big>',
      'A café cat',
      '',
      'A café cat',
    ]);
  });
});

describe('bytes', () => {
  /** Fills all gaps of a page with a text, from bytes to bytes. */
  function fillBytes(bytes: Buffer, ending: string, text: string): Buffer | undefined {
    const page = decodePage(bytes);
    if (!page) return undefined;
    const found = findGaps(page.text, ending, { includeEmpty: false });
    if (found.kind === 'broken') return undefined;
    const fills = found.gaps.map((gap) => ({ gap, text }));
    return encodePage({ ...page, text: editPage(page, fills) });
  }

  it('of a page in Latin-1 stay, and its texts are written by references', () => {
    const bytes = Buffer.from('<p>caf\xe9 <img src="a.jpg">\r\n\xff', 'latin1');
    const expected = '<p>caf\xe9 <img src="a.jpg" alt="\x01&#233;&#128054;">\r\n\xff'.replace(
      '\x01',
      'x',
    );
    expect(fillBytes(bytes, '.html', 'xé🐶')).toEqual(Buffer.from(expected, 'latin1'));
  });

  it('of UTF-16 and of files that are no text are not read', () => {
    expect(decodePage(Buffer.from('\ufeff<img src="a.jpg">', 'utf16le'))).toBeUndefined();
    expect(decodePage(Buffer.from('a\0b'))).toBeUndefined();
  });

  const piece = fc.constantFrom(
    ...[
      '<img src="a.jpg">',
      "<IMG\r\n\tSRC='a.jpg' >",
      '<img src=a.jpg/>',
      '<img ALT=" " src=a.jpg>',
    ],
    ...[
      "<img ALT='\n' src=a.jpg>",
      '<img src="a.jpg" alt="x">',
      '<p>',
      '</p>',
      '<a href=x>',
      '</a>',
    ],
    ...[
      '<table>',
      '<td>',
      '</table>',
      '\r\n',
      '\n\n',
      '\r',
      '{{ x }}',
      '{%x%}',
      '&amp;',
      '🐶é',
      '> ',
      '- ',
    ],
    ...[
      '![](a.jpg)',
      '![ ](a.jpg "t")',
      '`',
      '    ',
      '<!-- <img src="a.jpg"> -->',
      '<svg>',
      '<select>',
    ],
  );
  const pages = fc.array(piece, { maxLength: 25 }).map((pieces) => pieces.join(''));

  it.each(['.html', '.md', '.svelte', '.astro', '.razor'])(
    'of %s pages stay, but for the texts',
    (ending) => {
      fc.assert(
        fc.property(pages, fc.boolean(), (page, withMark) => {
          const bytes = Buffer.from(`${withMark ? '\ufeff' : ''}${page}`);
          const result = fillBytes(bytes, ending, 'Ωω')?.toString();
          if (result === undefined) return;
          // Nothing is left without a text, and what was put in comes out again.
          expect(findGaps(result, ending, { includeEmpty: false })).toMatchObject({ gaps: [] });
          // Texts that were there in spaces alone are told from new attributes by their capitals.
          const bare = (text: string) =>
            text
              .replace(/[ \r\n\t]+alt="Ωω"/g, '')
              .replaceAll('Ωω', '')
              .replace(/(?<=ALT=(["']))\s(?=\1)|(?<=!\[) (?=\])/g, '');
          expect(bare(result)).toBe(bare(bytes.toString()));
        }),
        { seed: 24, numRuns: 300 },
      );
    },
  );
});
