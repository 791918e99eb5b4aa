/** When the server cannot take pictures: it is busy, asks for a token, or is gone. Nothing that waits is lost. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openChromium } from '../../../scripts/chromium.ts';
import { describeInChromium } from '../../chromium.ts';
import { choose, openPage, samples } from './person.ts';
import { servePage } from './server.ts';

const names = ['cat.jpg', 'owl.jpg', 'coffee.jpg', 'parrot.jpg', 'rocket.jpg'];

describeInChromium('the page, when its server', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openChromium();
  });
  afterAll(async () => {
    await browser?.close();
  });

  it('is busy, waits and goes on by itself', async () => {
    const server = await servePage({ queue: 1 });
    const { page, problems } = await openPage(browser, server.address);
    server.captioner.delay = 200;
    await choose(page, samples(...names));
    await page.getByText('The server is busy').waitFor();
    server.captioner.delay = 0;
    await page.locator('.progress').getByText('5 of 5 captioned').waitFor();
    expect(problems).toEqual([]);
    await page.context().close();
    await server.close();
  });

  it('asks for a token, asks its reader', async () => {
    const server = await servePage({ token: 'open sesame' });
    const { page, problems } = await openPage(browser, server.address);
    await choose(page, samples(...names));
    await page.getByText('This server asks for a token').waitFor();
    await page.getByLabel('Token').fill('barley');
    await page.keyboard.press('Enter');
    await page.getByText('This is not the token').waitFor();
    await page.getByLabel('Token').fill('open sesame');
    await page.keyboard.press('Enter');
    await page.locator('.progress').getByText('5 of 5 captioned').waitFor();
    await page.reload();
    await page.getByText('The model refcap-small').waitFor();
    expect(problems).toEqual([]);
    await page.context().close();
    await server.close();
  });

  it('is gone, keeps what waits until it is back', async () => {
    const first = await servePage();
    const { page, problems } = await openPage(browser, first.address);
    await page.getByText('The model refcap-small').waitFor();
    await first.close();
    await choose(page, samples(...names));
    await page.getByText('The server does not answer').waitFor();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.locator('.progress').getByText('0 of 5 captioned').waitFor();
    const again = await servePage({ port: Number(new URL(first.address).port) });
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.locator('.progress').getByText('5 of 5 captioned').waitFor();
    expect(await page.getByText('The server does not answer').count()).toBe(0);
    expect(problems).toEqual([]);
    await page.context().close();
    await again.close();
  });
});
