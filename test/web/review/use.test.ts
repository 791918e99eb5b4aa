/** The review page by keyboard alone, on a desktop and a phone; axe-core finds nothing. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { openChromium } from '../../../scripts/chromium.ts';
import { describeInChromium } from '../../chromium.ts';
import { eventually } from '../page/person.ts';
import { caption, openDesk, removeDesks } from './desk.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const axeResult = z.object({
  violations: z.array(z.object({ id: z.string(), nodes: z.array(z.object({ html: z.string() })) })),
  passes: z.array(z.object({ id: z.string() })),
});

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const result = axeResult.parse(await page.evaluate('axe.run()'));
  expect(result.passes.map(({ id }) => id)).toContain('color-contrast');
  return result.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

const overflow = (page: Page) => page.evaluate('document.documentElement.scrollWidth - innerWidth');
const heading = (page: Page) => page.locator('h2').textContent();
const told = (page: Page) => page.locator('.told').textContent();

describeInChromium('the review page', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openChromium();
  });
  afterAll(async () => {
    await browser?.close();
    removeDesks();
  });

  it.each([
    ['a desktop', 'light', { width: 1280, height: 900 }],
    ['a phone', 'dark', { width: 360, height: 740 }],
  ] as const)('is used by keyboard alone on %s, in %s', async (_, colorScheme, viewport) => {
    const desk = await openDesk();
    const { page, problems } = await desk.open(browser, { colorScheme, viewport });
    const { keyboard } = page;
    await eventually(() => heading(page)).toBe('rocket.jpg');
    await page.locator('.picture img').waitFor();
    expect(page.url()).not.toContain('#');
    expect(await violations(page)).toEqual([]);
    expect(await overflow(page)).toBe(0);

    await keyboard.press('a');
    await eventually(() => heading(page)).toBe('parrot.jpg');
    await keyboard.press('n');
    expect(await caption(page)).toBe('another one of parrot');
    await keyboard.press('a');
    await eventually(() => heading(page)).toBe('coffee.jpg');
    await keyboard.press('e');
    await keyboard.type('a cup of coffee');
    await keyboard.press('Enter');
    await eventually(() => heading(page)).toBe('owl.jpg');
    await keyboard.press('e');
    await keyboard.type('nonsense');
    await keyboard.press('Escape');
    expect(await caption(page)).toBe('a draft of owl');
    await keyboard.press('w');
    await eventually(() => heading(page)).toBe('cat.jpg');
    await keyboard.press('r');
    await eventually(() => caption(page)).toBe('something new');
    expect(desk.asked).toMatchObject([{ do_sample: true, num_return_sequences: 3 }]);
    expect(await violations(page)).toEqual([]);
    await keyboard.press('4');
    expect(await caption(page)).toBe('something else');
    await keyboard.press('s');
    await eventually(() => told(page)).toBe('cat.jpg: skipped. That was the last of the list.');
    expect(await desk.journal()).toEqual([
      ['rocket.jpg', 'accepted', 'a draft of rocket'],
      ['parrot.jpg', 'chosen', 'another one of parrot'],
      ['coffee.jpg', 'edited', 'a cup of coffee'],
      ['owl.jpg', 'wrong', ''],
      ['cat.jpg', 'skipped', ''],
    ]);

    await keyboard.press('u');
    await keyboard.press('u');
    await eventually(() => heading(page)).toBe('owl.jpg');
    await eventually(() => told(page)).toBe('Taken back: owl.jpg');
    expect(await desk.journal()).toHaveLength(3);
    await keyboard.press('k');
    await eventually(() => heading(page)).toBe('coffee.jpg');
    expect(await caption(page)).toBe('a cup of coffee');
    await keyboard.press('Home');
    await eventually(() => heading(page)).toBe('rocket.jpg');
    await keyboard.press('f');
    await keyboard.type('owl');
    await keyboard.press('Enter');
    await eventually(() => page.locator('.row').count()).toBe(1);
    expect(await heading(page)).toBe('owl.jpg');
    expect(await overflow(page)).toBe(0);

    for (const name of ['What reviewing bought', 'Keys'])
      await page.locator('summary', { hasText: name }).press('Enter');
    await page.getByText('Share accepted as it was').waitFor();
    expect(await violations(page)).toEqual([]);
    expect(await overflow(page)).toBe(0);
    await page.getByRole('button', { name: 'Write what was decided' }).press('Enter');
    await eventually(() => told(page)).toMatch(/^3 written into .*captions\.jsonl\.$/);
    expect(readFileSync(desk.path, 'utf8')).toContain('"caption":"a cup of coffee"');
    expect(problems).toEqual([]);
    await page.context().close();
    await desk.close();
  });

  it('finds pictures that look alike, lists and filters by the mouse too', async () => {
    const desk = await openDesk();
    const { page, problems } = await desk.open(browser);
    await page.getByLabel('that look like others').check();
    await page.getByText('No picture is left in this list').waitFor();
    await eventually(() => told(page)).toBe('All pictures were compared.');
    await page.getByLabel('that look like others').uncheck();
    await page.getByLabel('Order').selectOption('as in the source');
    await eventually(() => heading(page)).toBe('cat.jpg');
    await page.locator('.row').nth(2).click();
    await eventually(() => heading(page)).toBe('coffee.jpg');
    await page.getByRole('button', { name: /^Accept/ }).click();
    await eventually(() => page.locator('.progress').textContent()).toContain('1 of 5 decided');
    expect(problems).toEqual([]);
    await page.context().close();
    await desk.close();
  });

  it('stays smooth with 100,000 pictures: few rows are there, the last are a key away', async () => {
    const many = Array.from({ length: 100_000 }, (_, i) => ({
      ...{ file: `no-${i}.jpg`, caption: `a draft of no ${i % 1000}` },
      confidence: (i % 997) / 997,
    }));
    const desk = await openDesk(many);
    const { page, problems } = await desk.open(browser);
    await eventually(() => heading(page)).toBe('no-0.jpg');
    await page.getByText('the picture is not there').waitFor();
    const started = performance.now();
    await page.keyboard.press('End');
    await eventually(() => heading(page)).toBe('no-99699.jpg');
    await page.keyboard.press('a');
    await eventually(() => told(page)).toContain('no-99699.jpg: accepted');
    expect(await page.locator('.row').count()).toBeLessThan(60);
    // Far above what it takes: the machine may be busy.
    expect(performance.now() - started).toBeLessThan(20_000);
    expect(problems).toEqual([]);
    await page.context().close();
    await desk.close();
  });

  it('keeps what was said when its server is gone, and asks strangers for the token', async () => {
    const desk = await openDesk();
    const { page } = await desk.open(browser);
    await eventually(() => heading(page)).toBe('rocket.jpg');
    await page.keyboard.press('a');
    await eventually(() => desk.journal()).toHaveLength(1);
    const { origin } = new URL(desk.address);
    expect((await fetch(`${origin}/review/state`)).status).toBe(401);
    expect((await fetch(`${origin}/review/pictures/0`)).status).toBe(401);
    const other = await browser.newPage();
    await other.goto(origin);
    await other.getByText('Open the whole address that refcap review printed').waitFor();
    await desk.close();
    await page.keyboard.press('a');
    await page.getByText('The server does not answer').waitFor();
    await page.context().close();
    await other.close();
  });
});
