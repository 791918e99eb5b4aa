/** Going through a site: which pages, in which order, and that they are read one at a time. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { scanSite } from '../../src/alt/scan.ts';

let site = '';
beforeEach(() => {
  site = mkdtempSync(join(tmpdir(), 'refcap-alt-scan-'));
});
afterEach(() => rmSync(site, { recursive: true, force: true }));

const options = () => ({ roots: [site], exclude: ['drafts'], includeEmpty: false });
function write(name: string, text: string | Buffer = '<img src="a.jpg">'): void {
  mkdirSync(join(site, name, '..'), { recursive: true });
  writeFileSync(join(site, name), text);
}

async function pagesOf(): Promise<string[]> {
  const names: string[] = [];
  for await (const { path } of scanSite(site, options())) names.push(relative(site, path));
  return names;
}

it('reads pages in the order of their names, and no other files or folders', async () => {
  const pages = ['b.html', 'a/z.MD', 'a/b/c.mdx', 'B.vue', 'c.html.j2'];
  const others = ['x.txt', 'html', '.hidden.html', '.git/a.html', 'node_modules/a/b.html'];
  for (const name of [...pages, ...others, 'drafts/a.html', 'a/drafts/b.html', 'vendor/a.md'])
    write(name);
  symlinkSync(site, join(site, 'a/loop'));
  expect(await pagesOf()).toEqual(['B.vue', 'a/b/c.mdx', 'a/z.MD', 'b.html', 'c.html.j2']);
});

it('reads a page when it is asked for, so that one is in memory whatever their number', async () => {
  for (let i = 0; i < 500; i++) write(`${String(i).padStart(3, '0')}.html`);
  let count = 0;
  let found = 0;
  for await (const page of scanSite(site, options())) {
    found += page.kind === 'read' ? page.findings.length : 0;
    // The next page changes before it is read.
    if (++count < 500) write(`${String(count).padStart(3, '0')}.html`, '<img src=a><img src=b>');
  }
  expect([count, found]).toEqual([500, 1 + 499 * 2]);
});

it('names pages that cannot be read, and goes on', async () => {
  write('a.html', Buffer.from('\ufeff<p>', 'utf16le'));
  write('b.mdx', 'text\n\n  {');
  symlinkSync(join(site, 'nowhere.html'), join(site, 'c.html'));
  write('d.html');
  const seen: string[] = [];
  for await (const page of scanSite(site, options()))
    seen.push(page.kind === 'read' ? 'read' : `${page.line}: ${page.reason}`);
  expect(seen).toEqual([
    '1: it is UTF-16 or no text; save it as UTF-8',
    expect.stringMatching(/^3: /),
    '1: it cannot be read (ENOENT)',
    'read',
  ]);
});

it('stops when it is told to', async () => {
  for (const name of ['a.html', 'b.html']) write(name);
  const stop = new AbortController();
  const pages = scanSite(site, { ...options(), signal: stop.signal });
  await pages.next();
  stop.abort(new Error('stopped'));
  await expect(pages.next()).rejects.toThrow('stopped');
});
