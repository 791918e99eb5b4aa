/** The page of an explanation in a browser: mouse, finger, keyboard, widths, and what axe-core finds. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium as browsers, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromium } from '../../scripts/chromium.ts';
import { veilAddress } from '../../src/explain/output/veil-address.ts';
import { explainPage } from '../../src/pages/explain/page.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

async function exampleHtml(): Promise<string> {
  const words = ['a', 'dog', 'on', '<grass>'].map(async (text, i) => ({
    text,
    about: `looked upper left; ${20 * i + 10} % sure; depends on the picture ${i}`,
    level: i,
    dependence: i === 1 ? 3 : i / 10,
    veil: await veilAddress(Float32Array.of(i, 1, 2, 3), 2),
  }));
  const picture = {
    ...{ file: 'a & b.jpg', width: 320, height: 480, caption: 'a dog on <grass>' },
    picture: await veilAddress(new Float32Array(4), 2),
    words: await Promise.all(words),
  };
  const without = { ...picture, file: 'empty.jpg', caption: '', words: [] };
  const about = { model: 'refcap-small', method: 'attention', about: 'where it looks' };
  return explainPage({ ...about, pictures: [picture, without] });
}

describe('the page of an explanation', () => {
  it('keeps texts apart from markup, loads nothing, and knows a page of its own', async () => {
    const html = await exampleHtml();
    expect(html).not.toContain('<grass>');
    expect(html).toContain('a &amp; b.jpg');
    expect(html).not.toMatch(/(?:src|href)="(?!data:)|url\("(?!data:)/);
    expect(html).toContain('name="generator" content="refcap explain"');
  });
});

describe.skipIf(chromium === undefined)('the page of an explanation in a browser', () => {
  let folder: string;
  let browser: Browser;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'refcap-explain-page-'));
    writeFileSync(join(folder, 'page.html'), await exampleHtml());
    browser = await browsers.launch({ executablePath: chromium ?? '', args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(width: number, options = {}): Promise<Page> {
    const page = await browser.newPage({ viewport: { width, height: 900 }, ...options });
    await page.goto(pathToFileURL(join(folder, 'page.html')).href);
    return page;
  }
  const chosen = (page: Page): Promise<string | null> =>
    page.locator('button[aria-pressed=true]').getAttribute('aria-label');

  it('shows the word under mouse, keyboard and finger', async () => {
    const page = await open(1280);
    const veil = page.locator('.large .veil');
    // At first the word that depends most on the picture.
    expect(await chosen(page)).toMatch(/^dog: looked upper left; 30 % sure/);
    const before = await veil.getAttribute('src');
    await page.locator('button', { hasText: 'on' }).hover();
    expect(await chosen(page)).toMatch(/^on: /);
    expect(await veil.getAttribute('src')).not.toBe(before);
    await page.locator('button').first().focus();
    await page.keyboard.press('ArrowRight');
    expect(await chosen(page)).toMatch(/^dog: /);
    expect(await veil.getAttribute('src')).toBe(before);
    await page.keyboard.press('Tab');
    expect(await chosen(page)).toMatch(/^on: /);
    expect(await page.locator('.about').first().textContent()).toMatch(/^on: looked upper left/);
    await page.close();
    const phone = await open(375, { hasTouch: true, isMobile: true });
    await phone.locator('button').first().tap();
    expect(await chosen(phone)).toMatch(/^a: /);
    await phone.close();
  });

  it.each([
    [375, 'light'],
    [1280, 'dark'],
  ] as const)('fits %i pixels, and axe-core finds nothing (%s)', async (width, colorScheme) => {
    const page = await open(width, { colorScheme });
    for (const details of await page.locator('summary').all()) await details.click();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
    await page.evaluate(axe);
    const found = await page.evaluate(
      'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + nodes[0].html))',
    );
    expect(found).toEqual([]);
    await page.close();
  });
});
