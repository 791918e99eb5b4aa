/**
 * Makes docs/review.png, the picture of the page that `refcap review` shows: captions some of the sample photos, starts
 * the command, and takes a picture in a headless Chromium when one of them was decided.
 *
 *   npx tsx scripts/review-picture.ts
 *
 * CHROMIUM names the browser when it is not /usr/bin/chromium.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import {
  failing,
  main,
  makeReady,
  root,
  runNode,
  savePicture,
  withServedPage,
} from './served-picture.ts';

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

const fail = failing('review-picture');
makeReady(fail);
const cwd = mkdtempSync(join(tmpdir(), 'refcap-review-'));
try {
  mkdirSync(join(cwd, 'photos'));
  for (const name of values.photos.split(/\s+/))
    copyFileSync(join(root, 'samples', name), join(cwd, 'photos', name));
  const drafts = ['--num-captions', '3', '--output', 'captions.jsonl'];
  runNode(fail, [main, 'caption', 'photos', ...drafts], cwd);
  const args = [main, 'review', 'captions.jsonl', '--reviewer', 'anna', '--port', '0'];
  await withServedPage(fail, { args, cwd, says: 'stderr' }, async (open) => {
    const page = await open({ width: Number(values.width), height: Number(values.height) });
    await decideOne(page);
    await savePicture(page, values.output);
  });
} finally {
  rmSync(cwd, { recursive: true, force: true });
}
