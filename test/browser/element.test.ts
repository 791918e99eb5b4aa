/** The element, and alt texts for a page that lacks them, in Chromium. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { openChromium } from '../../scripts/chromium.ts';
import { describeInChromium } from '../chromium.ts';
import { fixtures } from '../paths.ts';
import { bundlePage, ModelServer } from './model-server.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const axeResult = z.object({ violations: z.array(z.object({ id: z.string() })) });

/** A captioner that invents its captions, and counts how often it was opened. */
const invented = `
  let opened = 0;
  const open = async () => {
    opened += 1;
    const caption = async (image, { signal } = {}) => {
      await image.decode();
      await new Promise((resolve) => setTimeout(resolve, 50));
      signal?.throwIfAborted();
      const name = image.currentSrc.replace(/.*\\/(.*)-0\\.png$/, '$1').replaceAll('-', ' ');
      return { caption: 'a picture of a ' + name, captions: [] };
    };
    return { caption };
  };`;

describeInChromium('elements', () => {
  let browser: Browser;
  let server: ModelServer;
  let elsewhere: ModelServer;
  let page: Page;
  let address: string;
  let other: string;

  beforeAll(async () => {
    const scripts = await bundlePage('./pages/elements.ts');
    server = new ModelServer(scripts);
    elsewhere = new ModelServer(scripts);
    for (const one of [server, elsewhere])
      one.folders.set('/pictures/', join(fixtures, 'blip/tiny/images'));
    address = await server.listen();
    other = await elsewhere.listen();
    browser = await openChromium();
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
    elsewhere?.close();
  });
  beforeEach(async () => {
    page = await browser.newPage();
    await page.goto(address);
    await page.waitForFunction('"fillAltTexts" in globalThis');
  });
  afterEach(() => page.close());

  const run = (body: string): Promise<unknown> => page.evaluate(`(async () => {${body}})()`);

  it('shows a caption below its picture, with one captioner for all', async () => {
    const result = await run(`${invented}
      defineCaptionElement({ captioner: open });
      document.body.innerHTML =
        '<refcap-caption><img src="/pictures/dog-on-grass-0.png"></refcap-caption>' +
        '<refcap-caption><img src="/pictures/cat-0.png" alt="my cat"></refcap-caption>';
      const elements = [...document.querySelectorAll('refcap-caption')];
      await Promise.all(elements.map((one) => new Promise((done) => one.addEventListener('caption', done))));
      const describe = (one) => ({
        state: one.getAttribute('state'),
        text: one.shadowRoot.querySelector('[part=caption]').textContent,
        role: one.shadowRoot.querySelector('[part=caption]').getAttribute('role'),
        alt: one.querySelector('img').alt,
      });
      const before = elements.map(describe);
      const again = new Promise((done) => elements[0].addEventListener('caption', done));
      elements[0].querySelector('img').src = '/pictures/owl-0.png';
      await again;
      return { before, after: describe(elements[0]), opened };`);
    expect(result).toEqual({
      before: [
        {
          state: 'done',
          text: 'a picture of a dog on grass',
          role: 'status',
          alt: 'A dog on grass',
        },
        { state: 'done', text: 'a picture of a cat', role: 'status', alt: 'my cat' },
      ],
      after: {
        state: 'done',
        text: 'a picture of a owl',
        role: 'status',
        alt: 'A dog on grass',
      },
      opened: 1,
    });
  });

  it('shows where each word looked, by mouse and by keyboard', async () => {
    await run(`${invented}
      const explain = async (image, { caption }) => ({
        caption, side: 2, width: 48, height: 48, method: 'attention',
        words: caption.split(' ').map((text, i) => ({
          text, logprob: -0.1, dependence: i, place: 'upper left', map: Float32Array.of(i, 0, 0, 1),
        })),
      });
      defineCaptionElement({ captioner: async () => ({ ...(await open()), explain }) });
      document.body.innerHTML = '<main><refcap-caption explain>' +
        '<img width="96" height="64" style="margin: 20px" src="/pictures/cat-0.png"></refcap-caption></main>';
      const element = document.querySelector('refcap-caption');
      await new Promise((done) => element.addEventListener('explanation', done));`);
    const words = page.locator('refcap-caption [part=word]');
    const veil = page.locator('refcap-caption canvas');
    expect(await words.allTextContents()).toEqual(['a', 'picture', 'of', 'a', 'cat']);
    expect(await veil.isVisible()).toBe(false);
    await words.nth(4).hover();
    expect(await veil.boundingBox()).toEqual(await page.locator('img').boundingBox());
    // Clear in the corner that speaks for the word, dark beside it.
    const opacity = (x: number, y: number) =>
      page.evaluate(`(() => {
        const canvas = document.querySelector('refcap-caption').shadowRoot.querySelector('canvas');
        const [left, top] = [Math.floor(${x} * canvas.width), Math.floor(${y} * canvas.height)];
        return canvas.getContext('2d').getImageData(left, top, 1, 1).data[3];
      })()`);
    expect(await opacity(0.05, 0.05)).toBeLessThan(5);
    expect(await opacity(0.95, 0.05)).toBeGreaterThan(180);
    await page.mouse.move(0, 0);
    await veil.waitFor({ state: 'hidden' });
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowRight');
    const focused = () =>
      page.evaluate('document.activeElement.shadowRoot.activeElement.getAttribute("aria-label")');
    expect(await focused()).toBe(
      'picture: looked upper left; 90 % sure; depends on the picture much',
    );
    expect(await veil.isVisible()).toBe(true);
    await page.evaluate(axe);
    expect(axeResult.parse(await page.evaluate(`axe.run('main')`)).violations).toEqual([]);
    await page.keyboard.press('Tab');
    expect(await veil.isVisible()).toBe(false);
  });

  it('says that it failed, tries again with the next picture, and stops when it is taken away', async () => {
    const result = await run(`${invented}
      let isDown = true;
      const captioner = async () => { if (isDown) throw new Error('down'); return open(); };
      defineCaptionElement({ captioner });
      document.body.innerHTML = '<refcap-caption><img src="/pictures/cat-0.png"></refcap-caption>';
      const element = document.querySelector('refcap-caption');
      const failed = await new Promise((done) => element.addEventListener('captionerror', done));
      const state = element.getAttribute('state');
      isDown = false;
      let captions = 0;
      element.addEventListener('caption', () => captions++);
      element.querySelector('img').src = '/pictures/owl-0.png';
      await new Promise((done) => element.addEventListener('caption', done));
      element.querySelector('img').src = '/pictures/parrot-0.png';
      await element.querySelector('img').decode();
      element.remove();
      await new Promise((resolve) => setTimeout(resolve, 300));
      let taken = '';
      try { defineCaptionElement({ captioner }); } catch (error) { taken = error.message; }
      return { message: failed.detail.message, state, captions, taken };`);
    expect(result).toEqual({
      message: 'down',
      state: 'failed',
      captions: 1,
      taken: '<refcap-caption> is another element already.',
    });
  });

  it('goes on where it is moved while it writes, and writes nothing anew afterwards', async () => {
    const result = await run(`${invented}
      let writings = 0;
      const captioner = async () => {
        const one = await open();
        return { caption: (...given) => { writings += 1; return one.caption(...given); } };
      };
      defineCaptionElement({ captioner });
      document.body.innerHTML =
        '<refcap-caption><img src="/pictures/cat-0.png"></refcap-caption><main></main>';
      const element = document.querySelector('refcap-caption');
      let captions = 0;
      element.addEventListener('caption', () => captions++);
      while (writings === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      document.querySelector('main').append(element);
      const moved = await Promise.race([
        new Promise((done) => element.addEventListener('caption', (event) => done(event.detail.caption))),
        new Promise((done) => setTimeout(done, 2000, 'nothing')),
      ]);
      document.body.append(element);
      await new Promise((resolve) => setTimeout(resolve, 200));
      return { moved, captions, writings, state: element.getAttribute('state') };`);
    expect(result).toEqual({
      moved: 'a picture of a cat',
      captions: 1,
      writings: 2,
      state: 'done',
    });
  });

  it('fills the alt texts that are missing, and no others', async () => {
    const result = z.array(z.array(z.string().nullable())).parse(
      await run(`
        document.body.innerHTML =
          '<img id="none" width="90" height="90" loading="lazy" src="/pictures/cat-0.png">' +
          '<img id="empty" width="90" height="90" alt="" src="/pictures/cat-0.png">' +
          '<img id="own" width="90" height="90" alt="my owl" src="/pictures/owl-0.png">' +
          '<img id="small" width="20" height="20" src="/pictures/owl-0.png">' +
          '<div style="height: 9000px"></div>' +
          '<img id="far" width="90" height="90" loading="lazy" src="/pictures/owl-0.png">' +
          '<img id="wordless" width="90" height="90" src="/pictures/parrot-0.png">';
        const captioner = {
          async altText(image) {
            await image.decode();
            return image.id === 'wordless' ? '' : 'A ' + image.id;
          },
        };
        const told = [];
        for await (const { image, alt, reason } of fillAltTexts(document, captioner))
          told.push([image.id, alt ?? reason, image.getAttribute('alt'), image.dataset.altBy ?? null]);
        return told;`),
    );
    expect(result).toEqual([
      ['none', 'A none', 'A none', 'refcap'],
      ['far', 'A far', 'A far', 'refcap'],
      ['wordless', 'the model has no words for it', null, null],
    ]);
    expect(await run(`return [...document.images].map((one) => one.getAttribute('alt'));`)).toEqual(
      ['A none', '', 'my owl', null, 'A far', null],
    );
  });

  it('refuses pictures of sites that do not share them', async () => {
    const result = await run(`
      document.body.innerHTML = '<img src="${other}/pictures/cat-0.png">';
      const [image] = document.images;
      await image.decode();
      return sendPicture(image).then(() => 'sent', (error) => error.name + ': ' + error.message);`);
    expect(result).toBe(
      'InputError: the picture is of another site, which does not share it (by CORS, with crossorigin="anonymous" on the element); give its file.',
    );
  });
});
