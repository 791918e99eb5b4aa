/**
 * Makes docs/page.png, the picture of the page that `refcap serve` shows: starts the command, has a headless
 * Chromium drop some of the sample photos on its page, and takes a picture when they are captioned.
 *
 *   npx tsx scripts/page-picture.ts
 *
 * CHROMIUM names the browser when it is not /usr/bin/chromium.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { chromium, openChromium, whyNoChromium } from './chromium.ts';
import { smallPng } from './small-png.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'refcap-small' },
    photos: {
      type: 'string',
      default: 'two-dogs-on-grass.jpg dog-running-in-water.jpg couple-walking-in-snow.jpg',
    },
    width: { type: 'string', default: '1100' },
    height: { type: 'string', default: '1050' },
    output: { type: 'string', default: join(root, 'docs/page.png') },
  },
});

function fail(message: string): never {
  console.error(`page-picture: ${message}`);
  process.exit(1);
}

/** The address at which the server says that it is. What it says then is read on, so that it never waits. */
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

async function captionPhotos(page: Page): Promise<void> {
  await page.getByText('Settings', { exact: true }).click();
  await page.getByLabel('Captions a picture').selectOption('3');
  const photos = values.photos.split(/\s+/).map((name) => join(root, 'samples', name));
  await page.locator('input[type=file]').first().setInputFiles(photos);
  await page.locator('.progress').getByText(`${photos.length} of ${photos.length}`).waitFor();
  await page.getByText('Settings', { exact: true }).click();
  await page.evaluate('scrollTo(0, 0)');
  await page.locator(`.preview img >> nth=${photos.length - 1}`).waitFor();
}

if (chromium === undefined) fail(`${whyNoChromium}.`);
const setup = spawnSync(process.execPath, [join(root, 'scripts/setup.mjs')], { stdio: 'inherit' });
if (setup.status !== 0) fail('set-up failed.');
// The port of the documents, so that the picture shows their address.
const command = [join(root, 'dist/cli/main.js'), 'serve', '--model', values.model];
const server = spawn(process.execPath, command, { stdio: ['ignore', 2, 'pipe'] });
const browser = await openChromium();
try {
  const viewport = { width: Number(values.width), height: Number(values.height) };
  const page = await browser.newPage({ viewport, colorScheme: 'light' });
  await page.goto(await addressOf(server));
  await captionPhotos(page);
  writeFileSync(values.output, await smallPng(await page.screenshot()));
  console.log(`${values.output} ${statSync(values.output).size} bytes`);
} finally {
  await browser.close();
  server.removeAllListeners('exit').kill();
}
