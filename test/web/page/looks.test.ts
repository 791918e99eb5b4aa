/** The page for everybody: by axe-core in light and dark, on a phone, without motion, read aloud, with 1,000 pictures. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { openChromium } from '../../../scripts/chromium.ts';
import { describeInChromium } from '../../chromium.ts';
import { card, choose, eventually, openPage, samples } from './person.ts';
import { type PageServer, servePage } from './server.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const axeResult = z.object({
  violations: z.array(z.object({ id: z.string(), nodes: z.array(z.object({ html: z.string() })) })),
  passes: z.array(z.object({ id: z.string() })),
});

/** What the page promises: requests at a time, thumbnails kept, and those in view or near it, generously. */
const mostRequests = 4;
const mostKept = 200;
const inView = 60;

/** What axe-core finds wrong. */
async function violations(page: Page): Promise<string[]> {
  // What the browser's tools run is not bound by the page's Content-Security-Policy.
  await page.evaluate(axe);
  const result = axeResult.parse(await page.evaluate('axe.run()'));
  expect(result.passes.map(({ id }) => id)).toContain('color-contrast');
  return result.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

/** All that the page can show at a time. */
async function fill(page: Page, { captioner }: PageServer): Promise<void> {
  captioner.dependence = new Map([['cat', 3]]);
  captioner.broken.add('owl.jpg');
  await page.getByText('Settings', { exact: true }).click();
  await page.getByLabel('Captions a picture').selectOption('3');
  await choose(page, samples('cat.jpg', 'owl.jpg', 'coffee.jpg'));
  await page.locator('.progress').getByText('2 of 3 captioned, 1 failed').waitFor();
  await card(page, 'cat.jpg').getByRole('button', { name: 'Explain' }).click();
  await card(page, 'cat.jpg').locator('canvas').waitFor();
  captioner.delay = 60_000;
  await choose(page, samples('parrot.jpg', 'rocket.jpg'));
  await card(page, 'parrot.jpg').getByText('Writing').waitFor();
  await card(page, 'rocket.jpg').getByRole('button', { name: 'Cancel' }).click();
  await card(page, 'cat.jpg').getByText('Words of').click();
  await card(page, 'coffee.jpg').getByRole('button', { name: 'Edit' }).click();
}

const overflow = (page: Page) => page.evaluate('document.documentElement.scrollWidth - innerWidth');

describeInChromium('the page looks right', () => {
  let browser: Browser;
  let server: PageServer;
  beforeAll(async () => {
    browser = await openChromium();
  });
  afterAll(async () => {
    await browser?.close();
  });
  beforeEach(async () => {
    server = await servePage();
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    await server.close();
  });

  it.each(['light', 'dark'] as const)(
    'to axe-core, in %s, and fits a phone',
    async (colorScheme) => {
      const viewport = { width: 360, height: 740 };
      const { page } = await openPage(browser, server.address, { colorScheme, viewport });
      await page.getByText('The model refcap-small').waitFor();
      expect(await violations(page)).toEqual([]);
      expect(await overflow(page)).toBe(0);
      await fill(page, server);
      expect(await violations(page)).toEqual([]);
      expect(await overflow(page)).toBe(0);
      const back = await page.evaluate('getComputedStyle(document.body).backgroundColor');
      expect(back).toBe(colorScheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(20, 23, 27)');
    },
  );

  it('without motion to those who want none', async () => {
    const moving = (page: Page) => page.evaluate('document.getAnimations().length');
    for (const reducedMotion of ['reduce', 'no-preference'] as const) {
      const { page } = await openPage(browser, server.address, { reducedMotion });
      server.captioner.delay = 60_000;
      await choose(page, samples('cat.jpg'));
      await card(page, 'cat.jpg').getByText('Writing').waitFor();
      expect(await moving(page)).toBe(reducedMotion === 'reduce' ? 0 : 1);
    }
  });

  it('to readers of the screen, who are told what happens', async () => {
    const { page } = await openPage(browser, server.address);
    const told = page.locator('p[role=status]');
    await choose(page, samples('cat.jpg'));
    await eventually(() => told.textContent()).toBe('1 picture added.');
    await eventually(() => told.textContent()).toBe('Caption of cat.jpg: a picture of cat');
    await choose(page, samples('owl.jpg', 'coffee.jpg'));
    await eventually(() => told.textContent()).toBe('3 of 3 captioned.');
    await page.getByRole('button', { name: 'Remove all' }).click();
    await eventually(() => told.textContent()).toBe('3 pictures removed.');
  });

  it('says that pictures stay on the computer that runs the server, whose headers see to it', async () => {
    const { page } = await openPage(browser, server.address);
    await page
      .getByText(/computer that runs refcap \(127\.0\.0\.1:\d+\) and nowhere else/)
      .waitFor();
    const policy = (await fetch(server.address)).headers.get('content-security-policy') ?? '';
    expect(policy.split('; ').sort()).toEqual([
      "base-uri 'none'",
      "connect-src 'self'",
      "default-src 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "img-src 'self' blob:",
      "script-src 'self'",
      "style-src 'self'",
    ]);
    const blocked = await page.evaluate(`(async () => {
      const script = document.createElement('script');
      script.textContent = 'globalThis.inline = true';
      document.body.append(script);
      const elsewhere = await fetch('http://127.0.0.1:9/').catch((error) => String(error));
      const ends = (target, how) => new Promise((resolve) => {
        target.onload = target.onmessage = () => resolve(how + ' loaded');
        target.onerror = () => resolve(how + ' refused');
      });
      const image = new Image();
      image.src = 'data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=';
      const program = URL.createObjectURL(new Blob(['postMessage(1)'], { type: 'text/javascript' }));
      const others = [ends(image, 'data: image'), ends(new Worker(program), 'blob: worker')];
      return ['inline' in globalThis, elsewhere, ...(await Promise.all(others))];
    })()`);
    expect(blocked).toEqual([
      false,
      expect.stringContaining('TypeError'),
      'data: image refused',
      'blob: worker refused',
    ]);
  });

  it('as a list of requests, which its policy lets be styled', async () => {
    const { page, problems } = await openPage(browser, server.address);
    await page.goto(`${server.address}/docs`);
    const line = await page.evaluate(
      "getComputedStyle(document.querySelector('section > section')).borderTopWidth",
    );
    expect(line).toBe('1px');
    expect(await violations(page)).toEqual([]);
    expect(problems).toEqual([]);
  });

  it('with 1,000 pictures: few requests at a time, thumbnails of what is in view', async () => {
    const { page, problems } = await openPage(browser, server.address);
    const [{ buffer }] = samples('cat.jpg');
    const small = await sharp(buffer).resize(400).jpeg().toBuffer();
    await page.evaluate(`{
      const bytes = Uint8Array.from(${JSON.stringify([...small])});
      const data = new DataTransfer();
      for (let i = 0; i < 1000; i++)
        data.items.add(new File([bytes], \`no-\${i}.jpg\`, { type: 'image/jpeg' }));
      document.body.dispatchEvent(new DragEvent('drop', { bubbles: true, dataTransfer: data }));
    }`);
    await eventually(() => page.locator('.card').count()).toBe(1000);
    const thumbnails = page.locator('.preview img');
    await eventually(() => thumbnails.count()).toBeGreaterThan(5);
    expect(await thumbnails.count()).toBeLessThan(inView);
    for (let top = 0; top < 1; top += 0.1) {
      await page.evaluate(`scrollTo(0, ${top} * document.body.scrollHeight)`);
      await page.waitForTimeout(50);
    }
    // Cards above become longer while they are captioned, which moves the end.
    await eventually(async () => {
      await page.evaluate('scrollTo(0, document.body.scrollHeight)');
      return card(page, 'no-999.jpg').locator('img').count();
    }).toBe(1);
    expect(await thumbnails.count()).toBeLessThanOrEqual(mostKept + inView);
    await eventually(() => page.locator('.card.done').count()).toBeGreaterThan(20);
    expect(server.captioner.most).toBeLessThanOrEqual(mostRequests);
    await page.getByRole('button', { name: 'Cancel all' }).click();
    await eventually(() => page.locator('.card.waiting, .card.writing').count()).toBe(0);
    expect(problems).toEqual([]);
  });
});
