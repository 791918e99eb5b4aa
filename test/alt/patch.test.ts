/** Patches, by what `git apply` makes of them. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { decodePage, encodePage } from '../../src/alt/pages/bytes.ts';
import { pathInPatch, unifiedDiff } from '../../src/alt/patch.ts';

const folder = mkdtempSync(join(tmpdir(), 'refcap-alt-patch-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const long = Array.from({ length: 40 }, (_, i) => `line ${i}\n`).join('');

describe('a patch', () => {
  it.each<[string, Buffer, string, string]>([
    ['plain.html', Buffer.from(`${long}<img>\n${long}<img>\n${long}`), '<img>', '<img alt="x">'],
    ['a b/c d.html', Buffer.from('<img>\r\n<p>\r\n'), '<img>', '<img alt="x">'],
    ['ünï "q"\\.html', Buffer.from('\ufeff<img>\n'), '<img>', '<img alt="é🐶">'],
    ['no-end.html', Buffer.from('<p>\n<img>'), '<img>', '<img alt="x">'],
    ['mixed.html', Buffer.from('a\rb\r\n<img>\n\u2028\f\n'), '<img>', '<img\r\n  alt="x">'],
    ['latin.html', Buffer.from('caf\xe9\n<img>\n\xff', 'latin1'), '<img>', '<img alt="&#233;">'],
    ['dash.html', Buffer.from('-- x\n<img>\n++ y\n'), '<img>', '<img alt="x">'],
  ])('is applied by git to the byte: %s', (name, bytes, from, to) => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    const page = decodePage(bytes);
    if (!page) throw new Error('no page');
    const text = page.text.replaceAll(from, to);
    const patch = encodePage({ ...page, text: unifiedDiff(name, page.text, text) });
    const applied = spawnSync('git', ['apply', '--verbose', '-'], { cwd: folder, input: patch });
    expect(applied.stderr.toString()).toMatch(/Applied patch/);
    expect(readFileSync(path)).toEqual(encodePage({ ...page, text }));
  });

  it('is empty where nothing changes', () => {
    expect(unifiedDiff('a.html', 'x', 'x')).toBe('');
  });

  it('names pages from here, or from a site that lies elsewhere', () => {
    expect(pathInPatch('site/a/b.html', 'site')).toBe('site/a/b.html');
    expect(pathInPatch(join(folder, 'a/b.html'), folder)).toBe('a/b.html');
    expect(pathInPatch(relative('.', join(folder, 'b.html')), join(folder, 'b.html'))).toBe(
      'b.html',
    );
  });
});
