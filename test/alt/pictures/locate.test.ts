/** Addresses of pictures in pages, and the files that they lead to. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { locatePicture } from '../../../src/alt/pictures/locate.ts';

const site = mkdtempSync(join(tmpdir(), 'refcap-alt-locate-'));
afterAll(() => rmSync(site, { recursive: true, force: true }));
mkdirSync(join(site, 'blog/img'), { recursive: true });
mkdirSync(join(site, 'public/img'), { recursive: true });
for (const name of [
  'top.jpg',
  'blog/img/a b.jpg',
  'blog/img/a%20c.jpg',
  'blog/img/50%.jpg',
  'blog/img/x#1.jpg',
  'blog/img/cafe\u0301.jpg',
  'public/img/p.jpg',
  'blog/img/logo.svg',
  'blog/img/q.jpg?v=1',
])
  writeFileSync(join(site, name), '');

const path = join(site, 'blog/page.html');
async function locate(sources: string | string[], base?: string): Promise<string> {
  const found = await locatePicture(
    [sources].flat(),
    { path, ...(base !== undefined && { base }) },
    { roots: [site, join(site, 'public')], siteUrl: 'https://me.example/' },
  );
  return found.kind === 'file' ? relative(site, found.path) : found.reason;
}

describe('a picture of a page', () => {
  it.each([
    ['img/a b.jpg', 'blog/img/a b.jpg'],
    ['./img/a%20b.jpg?v=3#x', 'blog/img/a b.jpg'],
    ['img/a%20c.jpg', 'blog/img/a%20c.jpg'],
    ['img/50%.jpg', 'blog/img/50%.jpg'],
    ['img/x%231.jpg', 'blog/img/x#1.jpg'],
    ['img/caf\u00e9.jpg', 'blog/img/cafe\u0301.jpg'],
    ['img/caf%C3%A9.jpg', 'blog/img/cafe\u0301.jpg'],
    ['../top.jpg', 'top.jpg'],
    ['/top.jpg', 'top.jpg'],
    ['/img/p.jpg', 'public/img/p.jpg'],
    ['https://me.example/img/p.jpg', 'public/img/p.jpg'],
    ['https://me.example.org/img/p.jpg', 'it is on another machine'],
    ['//cdn.example/img/p.jpg', 'it is on another machine'],
    ['HTTP://cdn.example/p.jpg', 'it is on another machine'],
    ['data:image/gif;base64,AA', 'it is embedded in the page'],
    ['\ue000\ue000/p.jpg', 'its address is an expression'],
    ['img/logo.svg', 'SVG is not read'],
    ['img', 'there is no such file'],
    ['', 'there is no such file'],
  ])('%s', async (source, expected) => expect(await locate(source)).toBe(expected));

  it.each([
    ['/', 'top.jpg', 'top.jpg'],
    ['../public/', 'img/p.jpg', 'public/img/p.jpg'],
    ['../public/index.html', 'img/p.jpg', 'public/img/p.jpg'],
    ['/blog/', 'img/a%20b.jpg', 'blog/img/a b.jpg'],
    ['/blog/', '/top.jpg', 'top.jpg'],
    ['https://me.example/blog/x', 'img/a%20b.jpg', 'blog/img/a b.jpg'],
    ['https://cdn.example/', 'top.jpg', 'it is on another machine'],
    ['https://cdn.example/', '/top.jpg', 'it is on another machine'],
  ])('with base %s: %s', async (base, source, expected) =>
    expect(await locate(source, base)).toBe(expected),
  );

  it('is the first that has a file; else the first reason is given', async () => {
    expect(await locate(['https://cdn.example/a.jpg', 'nope.jpg', '/top.jpg'])).toBe('top.jpg');
    expect(await locate(['https://cdn.example/a.jpg', 'nope.jpg'])).toBe(
      'it is on another machine',
    );
    expect(await locate([])).toBe('the page gives no address of it');
  });
});
