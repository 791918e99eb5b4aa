/** The page that captions by itself: built, served by a host of plain files, used as a person uses it. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { openChromium } from '../../../scripts/chromium.ts';
import { exportForWeb } from '../../../src/export/web/export.ts';
import { serve } from '../../browser/server.ts';
import { describeInChromium } from '../../chromium.ts';
import { fixtures, repositoryRoot } from '../../paths.ts';
import { card, choose, give, samples } from '../page/person.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const axeResult = z.object({ violations: z.array(z.object({ id: z.string() })) });

/** Milliseconds for a model to be opened and to write, on a machine that is busy with other things. */
const patience = 120_000;

describeInChromium('the page of npm run site', () => {
  const folder = mkdtempSync(join(tmpdir(), 'refcap-site-'));
  const site = join(folder, 'site');
  const servers: Server[] = [];
  let browser: Browser;
  let address: string;
  let context: BrowserContext;
  let page: Page;
  let problems: string[];

  beforeAll(async () => {
    const build = join(repositoryRoot, 'scripts/build-page.mjs');
    execFileSync(process.execPath, [build, 'static'], { stdio: 'pipe' });
    const isModel = (path: string): boolean => /static[\\/]model/.test(path);
    const options = { recursive: true, filter: (path: string) => !isModel(path) };
    cpSync(join(repositoryRoot, 'dist/static'), site, options);
    const small = { dtype: 'int8', members: 1 } as const;
    await exportForWeb('refcap-small', join(site, 'model'), small);
    address = await open((path) => join(site, path === '/' ? 'index.html' : path));
    browser = await openChromium();
  }, 600_000);
  afterAll(async () => {
    await browser?.close();
    for (const server of servers) server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    context = await browser.newContext({ viewport: { width: 360, height: 740 } });
    page = await context.newPage();
    page.setDefaultTimeout(patience);
    problems = [];
    page.on('pageerror', ({ message }) => problems.push(message));
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    page.on('request', (request) => {
      if (!/^blob:/.test(request.url()) && !request.url().startsWith(address))
        problems.push(request.url());
    });
  });
  afterEach(() => context.close());

  async function open(place: (path: string) => string): Promise<string> {
    const { server, address: own } = await serve((path) => {
      const file = place(path);
      return existsSync(file) ? file : undefined;
    });
    servers.push(server);
    return own;
  }

  /** A model is opened first. */
  const later = <T>(find: () => Promise<T>) => expect.poll(find, { timeout: patience });
  const caption = (name: string) => card(page, name).locator('.caption');
  const overflow = () => page.evaluate('document.documentElement.scrollWidth - innerWidth');

  it('captions what is dropped on it, and sends nothing to anybody', async () => {
    await page.goto(address);
    await give(page, 'drop', samples('dog-on-grass.jpg', 'cat.jpg'));
    await later(() => caption('dog-on-grass.jpg').textContent()).toMatch(/\w/);
    await page.locator('.progress').getByText('2 of 2 captioned').waitFor();
    expect(problems).toEqual([]);
  });

  it('says what is wrong with a file', async () => {
    await page.goto(address);
    await choose(page, [{ name: 'a.jpg', buffer: Buffer.from('words'), mimeType: 'image/jpeg' }]);
    await card(page, 'a.jpg')
      .getByText('a.jpg: this is no picture that this browser reads')
      .waitFor();
  });

  it('pleases axe-core, fits a phone and a desktop, and is used by keyboard alone', async () => {
    await page.goto(address);
    for (const width of [360, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      await choose(page, samples('owl.jpg'));
      await page
        .locator('.progress')
        .getByText(/(\d) of \1 captioned/)
        .waitFor();
      await card(page, 'owl.jpg').last().getByRole('button', { name: 'Explain' }).focus();
      await page.keyboard.press('Enter');
      await card(page, 'owl.jpg').last().locator('canvas').waitFor();
      await page.evaluate(axe);
      expect(axeResult.parse(await page.evaluate('axe.run()')).violations).toEqual([]);
      expect(await overflow()).toBe(0);
    }
    const isFocused = () => page.evaluate(`document.activeElement?.id === 'choose'`);
    for (let i = 0; i < 5 && !(await isFocused()); i++) await page.keyboard.press('Tab');
    expect(await isFocused()).toBe(true);
    await page.evaluate(`document.querySelector('input[type=file]').addEventListener('click', (event) => {
      event.preventDefault();
      globalThis.wasAsked = true;
    })`);
    await page.keyboard.press('Enter');
    await page.waitForFunction('globalThis.wasAsked');
  });

  it('works without a network after the first visit, isolated', async () => {
    await page.goto(address);
    await choose(page, samples('owl.jpg'));
    await page.locator('.progress').getByText('1 of 1 captioned').waitFor();
    const first = await caption('owl.jpg').textContent();
    await page.evaluate('navigator.serviceWorker.ready');
    await page.waitForFunction('navigator.serviceWorker.controller !== null');
    await context.setOffline(true);
    await page.reload();
    expect(await page.evaluate('crossOriginIsolated')).toBe(true);
    await choose(page, samples('owl.jpg'));
    await later(() => caption('owl.jpg').textContent()).toBe(first);
  });

  it('brings a script that fills the alt texts of another site', async () => {
    const pictures = join(fixtures, 'blip/tiny/images');
    const other = await open((path) =>
      path === '/' ? join(repositoryRoot, 'web/public/icon.svg') : join(pictures, path),
    );
    await page.goto(`${other}/cat-0.png`);
    const alt = await page.evaluate(`(async () => {
      document.body.innerHTML = '<img width="90" height="90" src="/dog-on-grass-0.png">';
      await import('${address}/fill-alt.js');
      return document.images[0].alt;
    })()`);
    expect(alt).toMatch(/^[A-Z0-9]/);
  });
});
