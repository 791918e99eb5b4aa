/**
 * Takes pictures of the page that captions by itself (npm run site), on a desktop and on a phone: serves dist/static/ by
 * vite, has a headless Chromium drop some of the sample photos on it, and looks when they are captioned.
 *
 *   npm run site && npx tsx scripts/site-picture.ts [FOLDER]
 *
 * Writes site-1100.png and site-390.png into FOLDER, the current one by default.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, openChromium, whyNoChromium } from './chromium.ts';
import { smallPng } from './small-png.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const [folder = '.'] = process.argv.slice(2);
const photos = ['two-dogs-on-grass.jpg', 'dog-running-in-water.jpg', 'couple-walking-in-snow.jpg'];

function fail(message: string): never {
  console.error(`site-picture: ${message}`);
  process.exit(1);
}

/** The address at which vite says that it serves. */
function addressOf(server: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    server.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const address = /(http:\/\/localhost:\d+\/)/.exec(said)?.[1];
      if (address !== undefined) resolve(address);
    });
    server.once('exit', () => fail(`vite ended: ${said}`));
  });
}

if (chromium === undefined) fail(`${whyNoChromium}.`);
if (!existsSync(join(root, 'dist/static/model/refcap.json'))) fail('run `npm run site` first.');
const vite = [join(root, 'node_modules/vite/bin/vite.js'), 'preview', 'web/static'];
const server = spawn(process.execPath, vite, {
  cwd: root,
  stdio: ['ignore', 'pipe', 2],
  env: { ...process.env, NO_COLOR: '1' },
});
const browser = await openChromium();
try {
  const address = await addressOf(server);
  for (const width of [1100, 390]) {
    const viewport = { width, height: 900 };
    const page = await browser.newPage({ viewport, colorScheme: 'light' });
    await page.goto(address);
    const files = photos.map((name) => join(root, 'samples', name));
    await page.locator('input[type=file]').first().setInputFiles(files);
    const done = page.locator('.progress').getByText(`${photos.length} of ${photos.length}`);
    await done.waitFor({ timeout: 120_000 });
    await page.evaluate('scrollTo(0, 0)');
    await page.locator('.preview img >> nth=0').waitFor();
    const output = join(folder, `site-${width}.png`);
    writeFileSync(output, await smallPng(await page.screenshot()));
    console.log(`${output} ${statSync(output).size} bytes`);
    await page.close();
  }
} finally {
  await browser.close();
  server.removeAllListeners('exit').kill();
}
