/**
 * Makes docs/page.png, the picture of the page that `refcap serve` shows: starts the command, has a headless
 * Chromium drop some of the sample photos on its page, and takes a picture when they are captioned.
 *
 *   npx tsx scripts/page-picture.ts
 *
 * CHROMIUM names the browser when it is not /usr/bin/chromium.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { failing, main, makeReady, root, savePicture, withServedPage } from './served-picture.ts';

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

const fail = failing('page-picture');
makeReady(fail);
// The port of the documents, so that the picture shows their address.
const args = [main, 'serve', '--model', values.model];
await withServedPage(fail, { args, cwd: root, says: 'stderr' }, async (open) => {
  const page = await open({ width: Number(values.width), height: Number(values.height) });
  await captionPhotos(page);
  await savePicture(page, values.output);
});
