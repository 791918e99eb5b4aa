/**
 * Takes pictures of the page that captions by itself (npm run site), on a desktop and on a phone: serves dist/static/ by
 * vite, has a headless Chromium drop some of the sample photos on it, and looks when they are captioned.
 *
 *   npm run site && npx tsx scripts/site-picture.ts [FOLDER]
 *
 * Writes site-1100.png and site-390.png into FOLDER, the current one by default.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, whyNoChromium } from './chromium.ts';
import { failing, root, savePicture, withServedPage } from './served-picture.ts';

const [folder = '.'] = process.argv.slice(2);
const photos = ['two-dogs-on-grass.jpg', 'dog-running-in-water.jpg', 'couple-walking-in-snow.jpg'];

const fail = failing('site-picture');
if (chromium === undefined) fail(`${whyNoChromium}.`);
if (!existsSync(join(root, 'dist/static/model/refcap.json'))) fail('run `npm run site` first.');
const args = [join(root, 'node_modules/vite/bin/vite.js'), 'preview', 'web/static'];
await withServedPage(fail, { args, cwd: root, says: 'stdout' }, async (open) => {
  for (const width of [1100, 390]) {
    const page = await open({ width, height: 900 });
    const files = photos.map((name) => join(root, 'samples', name));
    await page.locator('input[type=file]').first().setInputFiles(files);
    const done = page.locator('.progress').getByText(`${photos.length} of ${photos.length}`);
    await done.waitFor({ timeout: 120_000 });
    await page.evaluate('scrollTo(0, 0)');
    await page.locator('.preview img >> nth=0').waitFor();
    await savePicture(page, join(folder, `site-${width}.png`));
    await page.close();
  }
});
