/**
 * Makes docs/review.png, the picture of the page that `refcap review` shows: captions some of the sample photos, starts
 * the command, and takes a picture in a headless Chromium when one of them was decided.
 *
 *   npx tsx scripts/review-picture.ts
 *
 * CHROMIUM names the browser when it is not /usr/bin/chromium.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { chromium, openChromium, whyNoChromium } from './chromium.ts';
import { smallPng } from './small-png.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

const { values } = parseArgs({
  options: {
    photos: {
      type: 'string',
      default:
        'two-dogs-on-grass.jpg dog-running-in-water.jpg couple-walking-in-snow.jpg dog-on-grass.jpg beach-with-kites.jpg owl.jpg',
    },
    width: { type: 'string', default: '1280' },
    height: { type: 'string', default: '860' },
    output: { type: 'string', default: join(root, 'docs/review.png') },
  },
});

function fail(message: string): never {
  console.error(`review-picture: ${message}`);
  process.exit(1);
}

/** The address that the command prints. What it says then is read on, so that it never waits. */
function addressOf(server: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    server.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const address = / at (http:\S+)/.exec(said)?.[1];
      if (address !== undefined) resolve(address);
    });
    server.once('exit', () => fail(`the server ended: ${said}`));
  });
}

async function decideOne(page: Page): Promise<void> {
  await page.locator('.picture img').waitFor();
  await page.keyboard.press('w');
  await page.getByText(': wrong').first().waitFor();
  await page
    .locator('label', { hasText: /^Pictures/ })
    .locator('select')
    .selectOption('all');
  await page.locator('.progress').getByText('1 of').waitFor();
  await page.keyboard.press('Tab');
  await page.locator('.row').nth(1).click();
  await page.locator('.picture img').waitFor();
}

if (chromium === undefined) fail(`${whyNoChromium}.`);
const setup = spawnSync(process.execPath, [join(root, 'scripts/setup.mjs')], { stdio: 'inherit' });
if (setup.status !== 0) fail('set-up failed.');
const cwd = mkdtempSync(join(tmpdir(), 'refcap-review-'));
mkdirSync(join(cwd, 'photos'));
for (const name of values.photos.split(/\s+/))
  copyFileSync(join(root, 'samples', name), join(cwd, 'photos', name));
const main = join(root, 'dist/cli/main.js');
const caption = [main, 'caption', 'photos', '--num-captions', '3', '--output', 'captions.jsonl'];
if (spawnSync(process.execPath, caption, { cwd, stdio: ['ignore', 2, 2] }).status !== 0)
  fail('captioning failed.');
const command = [main, 'review', 'captions.jsonl', '--reviewer', 'anna', '--port', '0'];
const server = spawn(process.execPath, command, { cwd, stdio: ['ignore', 2, 'pipe'] });
const browser = await openChromium();
try {
  const viewport = { width: Number(values.width), height: Number(values.height) };
  const page = await browser.newPage({ viewport, colorScheme: 'light' });
  await page.goto(await addressOf(server));
  await decideOne(page);
  writeFileSync(values.output, await smallPng(await page.screenshot()));
  console.log(`${values.output} ${statSync(values.output).size} bytes`);
} finally {
  await browser.close();
  server.removeAllListeners('exit').kill();
  rmSync(cwd, { recursive: true, force: true });
}
