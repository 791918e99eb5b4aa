/** What a person does on the page: add pictures, watch, edit, copy, choose, cancel, try again, download. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { strFromU8, unzipSync } from 'fflate';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { openChromium } from '../../../scripts/chromium.ts';
import { describeInChromium } from '../../chromium.ts';
import {
  card,
  choose,
  dropPaths,
  eventually,
  give,
  openPage,
  samples,
  type Watched,
} from './person.ts';
import { type PageServer, servePage } from './server.ts';

/** Whether the veil is dark in the corners: upper left, upper right, lower left, lower right. */
const corners = (page: Page) =>
  page.evaluate(`{
    const canvas = document.querySelector('canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const at = (x, y) => {
      const opacity = data[4 * (y * canvas.width + x) + 3];
      return opacity > 160 ? 'dark' : opacity < 30 ? 'clear' : String(opacity);
    };
    const [right, lower] = [canvas.width - 1, canvas.height - 1];
    [at(0, 0), at(right, 0), at(0, lower), at(right, lower)];
  }`);

describeInChromium('the page', () => {
  let browser: Browser;
  let server: PageServer;
  let watched: Watched;
  let page: Page;

  beforeAll(async () => {
    browser = await openChromium();
  });
  afterAll(async () => {
    await browser?.close();
  });
  beforeEach(async () => {
    server = await servePage();
    watched = await openPage(browser, server.address);
    page = watched.page;
  });
  afterEach(async () => {
    await page.context().close();
    await server.close();
    expect(watched.problems).toEqual([]);
  });

  const caption = (name: string) => card(page, name).locator('.caption');
  const button = (name: string, label: string) =>
    card(page, name).getByRole('button', { name: label });
  const download = async (label: string): Promise<{ name: string; bytes: Buffer }> => {
    const event = page.waitForEvent('download');
    await page.getByRole('button', { name: label }).click();
    const file = await event;
    return { name: file.suggestedFilename(), bytes: readFileSync(await file.path()) };
  };

  it('shows words as they are written, then the caption with its confidence', async () => {
    server.captioner.delay = 300;
    await give(page, 'drop', samples('dog-on-grass.jpg'));
    const seen = new Set<string>();
    while (!seen.has('a picture of dog on grass')) {
      const text = await caption('dog-on-grass.jpg').textContent();
      if (text) seen.add(text);
    }
    expect([...seen].length).toBeGreaterThan(2);
    for (const text of seen) expect('a picture of dog on grass'.startsWith(text)).toBe(true);
    await card(page, 'dog-on-grass.jpg').getByText('Confidence 80 %').waitFor();
    await page.locator('.progress').getByText('1 of 1 captioned').waitFor();
    await card(page, 'dog-on-grass.jpg').getByText('Words of').click();
    expect(await card(page, 'dog-on-grass.jpg').getByRole('listitem').allTextContents()).toEqual([
      'a 90 %',
      'picture 82 %',
      'of 74 %',
      'dog 67 %',
      'on 61 %',
      'grass 55 %',
    ]);
  });

  it('takes folders that are dropped, with the pictures below them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'refcap-drop-'));
    try {
      mkdirSync(join(folder, 'trip/day'), { recursive: true });
      const [{ buffer }] = samples('cat.jpg');
      for (const name of ['trip/b.jpg', 'trip/day/c.png', 'trip/.hidden.jpg', 'trip/notes.txt'])
        writeFileSync(join(folder, name), buffer);
      writeFileSync(join(folder, 'a.jpg'), buffer);
      await dropPaths(page, [join(folder, 'a.jpg'), join(folder, 'trip')]);
      await page.locator('.progress').getByText('3 of 3 captioned').waitFor();
      const names = await page.getByRole('heading', { level: 3 }).allTextContents();
      expect(names).toEqual(['a.jpg', 'trip/b.jpg', 'trip/day/c.png']);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('takes pictures that are chosen and pasted, and no text', async () => {
    await choose(page, samples('cat.jpg', 'owl.jpg'));
    const [photo] = samples('dog-on-grass.jpg');
    await give(page, 'paste', [
      { ...photo, name: 'image.png' },
      { name: 'note.txt', mimeType: 'text/plain', buffer: Buffer.from('hello') },
    ]);
    await page.locator('.progress').getByText('3 of 3 captioned').waitFor();
    const names = await page.getByRole('heading', { level: 3 }).allTextContents();
    expect(names).toEqual(['cat.jpg', 'owl.jpg', expect.stringMatching(/^pasted-.*-1\.png$/)]);
    await eventually(() => page.locator('.preview img').count()).toBe(3);
  });

  it('lets a caption be edited and copied by keyboard, and saved as it then is', async () => {
    await choose(page, samples('cat.jpg', 'owl.jpg'));
    await button('owl.jpg', 'Edit').focus();
    await page.keyboard.press('Enter');
    await page.keyboard.type('an owl, "wise"');
    await page.keyboard.press('Enter');
    expect(await caption('owl.jpg').textContent()).toBe('an owl, "wise"');
    await eventually(() => page.locator(':focus').textContent()).toBe('Edit');
    await page.keyboard.press('Enter');
    await page.keyboard.type('nonsense');
    await page.keyboard.press('Escape');
    expect(await caption('owl.jpg').textContent()).toBe('an owl, "wise"');
    await button('owl.jpg', 'Copy').press('Enter');
    await card(page, 'owl.jpg').getByText('Copied').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe('an owl, "wise"');

    const lines = (await download('Download JSONL')).bytes.toString().trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { file: 'cat.jpg', caption: 'a picture of cat', edited: false, logprob: -2 },
      { file: 'owl.jpg', caption: 'an owl, "wise"', edited: true, width: 640, height: 480 },
    ]);
    const csv = await download('Download CSV');
    expect(csv.name).toBe('captions.csv');
    expect(parse(csv.bytes).map(([file, text]: string[]) => [file, text])).toEqual([
      ['file', 'caption'],
      ['cat.jpg', 'a picture of cat'],
      ['owl.jpg', 'an owl, "wise"'],
    ]);
    const files = unzipSync((await download('Download text files')).bytes);
    expect(Object.entries(files).map(([name, bytes]) => [name, strFromU8(bytes)])).toEqual([
      ['cat.txt', 'a picture of cat\n'],
      ['owl.txt', 'an owl, "wise"\n'],
    ]);
  });

  it('copies where pages have no clipboard', async () => {
    await page.addInitScript("Object.defineProperty(navigator, 'clipboard', { value: undefined })");
    await page.reload();
    await choose(page, samples('cat.jpg'));
    await button('cat.jpg', 'Copy').click();
    await card(page, 'cat.jpg').getByText('Copied').waitFor();
    await button('cat.jpg', 'Edit').click();
    await page.keyboard.press('Delete');
    await page.keyboard.press('Control+V');
    expect(await page.getByLabel('Caption of cat.jpg').inputValue()).toBe('a picture of cat');
  });

  it('offers several captions, and asks with the settings', async () => {
    await page.getByText('Settings', { exact: true }).click();
    await page.getByLabel('Captions a picture').selectOption('3');
    await page.getByLabel('Captions begin with').fill('we see');
    await page.keyboard.press('Tab');
    await choose(page, samples('cat.jpg'));
    const second = 'we see a picture of cat in words no 2';
    await page.getByLabel(second).check();
    expect(await caption('cat.jpg').textContent()).toBe(second);
    await card(page, 'cat.jpg').getByText('Confidence 29 %').waitFor();
    await page.getByLabel('Captions a picture').selectOption('1');
    await page.getByRole('button', { name: 'Caption all again' }).click();
    await eventually(() => caption('cat.jpg').textContent()).toBe('we see a picture of cat');
    expect(await page.getByRole('radio').count()).toBe(0);
  });

  it('shades words by how much they depend on the picture, where the server tells it', async () => {
    server.captioner.dependence = new Map([['cat', Math.log(2)]]);
    await choose(page, samples('cat.jpg'));
    await card(page, 'cat.jpg').getByText('Confidence').waitFor();
    expect(await caption('cat.jpg').locator('mark').allTextContents()).toEqual(['cat']);
    const back = await page.evaluate(
      "getComputedStyle(document.querySelector('mark')).backgroundColor",
    );
    expect(Number(/([\d.]+)\)$/.exec(String(back))?.[1])).toBeCloseTo(0.35 / 2, 2);
    await card(page, 'cat.jpg').getByText('Words of').click();
    await card(page, 'cat.jpg').getByText('50 % of it from the picture').waitFor();
  });

  it('shows where each word of a caption looked, by mouse and by keyboard', async () => {
    await choose(page, samples('cat.jpg'));
    const explain = button('cat.jpg', 'Explain');
    await explain.press('Enter');
    const words = card(page, 'cat.jpg').getByRole('list', { name: 'Where each word' });
    await words.waitFor();
    expect(await words.getByRole('button').allTextContents()).toEqual([
      'a',
      'picture',
      'of',
      'cat',
    ]);
    // The word that depends most on the picture comes first, and the darkest part of its veil is where it did not look.
    const about = card(page, 'cat.jpg').locator('.why p');
    expect(await about.textContent()).toBe(
      'cat: looked upper left; 67 % sure; depends on the picture wholly',
    );
    await eventually(() => corners(page)).toEqual(['dark', 'dark', 'dark', 'clear']);
    await page.keyboard.press('Tab');
    expect(await page.locator(':focus').textContent()).toBe('cat');
    await page.keyboard.press('ArrowLeft');
    expect(await page.locator(':focus').getAttribute('aria-label')).toMatch(/^of: looked/);
    await eventually(() => corners(page)).toEqual(['dark', 'dark', 'clear', 'dark']);
    await words.getByRole('button', { name: /^a:/ }).hover();
    await eventually(() => corners(page)).toEqual(['clear', 'dark', 'dark', 'dark']);
    expect(await about.textContent()).toMatch(/^a: .* depends on the picture hardly$/);
    await explain.click();
    expect(await page.locator('canvas, .why').count()).toBe(0);
    expect(server.captioner.explained).toEqual(['a picture of cat']);

    await button('cat.jpg', 'Edit').click();
    await page.keyboard.type('a zyx');
    await page.keyboard.press('Enter');
    await explain.click();
    await card(page, 'cat.jpg').getByText("Not explained: the model's vocabulary lacks").waitFor();
    await button('cat.jpg', 'Edit').click();
    await page.keyboard.type('a cat');
    await page.keyboard.press('Enter');
    expect(await card(page, 'cat.jpg').getByText('Not explained').count()).toBe(0);
    await explain.click();
    await words.waitFor();
    expect(server.captioner.explained).toEqual(['a picture of cat', 'a cat']);
  });

  it('cancels at the server too, and tries again', async () => {
    server.captioner.delay = 60_000;
    await choose(page, samples('cat.jpg', 'owl.jpg'));
    await button('cat.jpg', 'Cancel').click();
    await card(page, 'cat.jpg').getByText('Cancelled').waitFor();
    await page.getByRole('button', { name: 'Cancel all' }).click();
    await eventually(() => server.captioner.stopped).toBeGreaterThan(0);
    await page.locator('.progress').getByText('0 of 2 captioned, 2 cancelled').waitFor();
    server.captioner.delay = 0;
    await button('owl.jpg', 'Try again').click();
    await page.locator('.progress').getByText('1 of 2 captioned, 1 cancelled').waitFor();
  });

  it('tells what is wrong with a picture, and keeps the others', async () => {
    server.captioner.broken.add('cat.jpg');
    await choose(page, samples('cat.jpg', 'owl.jpg'));
    await card(page, 'cat.jpg').getByText('Failed: cat.jpg: this is no picture').waitFor();
    await page.locator('.progress').getByText('1 of 2 captioned, 1 failed').waitFor();
    server.captioner.broken.clear();
    await page.getByRole('button', { name: 'Try failed again' }).click();
    await page.locator('.progress').getByText('2 of 2 captioned').waitFor();
    await button('cat.jpg', 'Remove').press('Enter');
    await eventually(() => page.locator(':focus').getAttribute('aria-label')).toBe(
      'Remove owl.jpg',
    );
    await page.keyboard.press('Enter');
    await eventually(() => page.locator(':focus').getAttribute('id')).toBe('choose');
  });
});
