/**
 * Makes docs/report.png, the picture of a comparison's page: evaluates a model twice on the sample photos,
 * compares the two, and has a headless Chromium draw the page.
 *
 *   npx tsx scripts/report-picture.ts
 *   npx tsx scripts/report-picture.ts --name-a greedy --a '--beams 1' --name-b beams --b '--beams 3'
 *
 * --a and --b are flags of `refcap evaluate`. CHROMIUM names the browser when it is not /usr/bin/chromium.
 */
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { openChromium } from './chromium.ts';
import { failing, main, makeReady, root, runNode, savePicture } from './served-picture.ts';

/** Where the model has the training-only layers beside it, the picture shows what dropping them costs. */
const hasRefiner = existsSync(join(root, 'models/refcap-small/refinement.safetensors'));
const usual = hasRefiner
  ? { nameA: 'plain', a: '--beams 3', nameB: 'with-refiner', b: '--beams 3 --keep-refiner' }
  : { nameA: 'greedy', a: '--beams 1', nameB: 'beams', b: '--beams 3' };

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: join(root, 'models/refcap-small') },
    a: { type: 'string', default: usual.a },
    b: { type: 'string', default: usual.b },
    'name-a': { type: 'string', default: usual.nameA },
    'name-b': { type: 'string', default: usual.nameB },
    width: { type: 'string', default: '1280' },
    height: { type: 'string', default: '1290' },
    output: { type: 'string', default: join(root, 'docs/report.png') },
  },
});

const fail = failing('report-picture');

/** Evaluates twice and compares. @returns the page */
function makePage(folder: string): string {
  // Relative names, so that the page shows no path of this machine.
  symlinkSync(join(root, 'samples'), join(folder, 'samples'), 'junction');
  symlinkSync(values.model, join(folder, 'refcap-small'), 'junction');
  const refcap = (...args: string[]): void => runNode(fail, [main, ...args], folder);
  const words = (flags: string): string[] => flags.split(/\s+/).filter(Boolean);
  const data = ['refcap-small', '--data', 'samples', '--split', 'test'];
  const [first, second] = [values['name-a'], values['name-b']];
  refcap('evaluate', ...data, '--output', first, ...words(values.a));
  refcap('evaluate', ...data, '--output', second, ...words(values.b));
  refcap('compare', first, second, '--image-size', '512', '--output', 'comparison.html');
  return join(folder, 'comparison.html');
}

async function drawPage(path: string): Promise<void> {
  const browser = await openChromium();
  try {
    const viewport = { width: Number(values.width), height: Number(values.height) };
    const page = await browser.newPage({ offline: true, viewport, colorScheme: 'light' });
    await page.goto(pathToFileURL(path).href);
    await savePicture(page, values.output);
  } finally {
    await browser.close();
  }
}

makeReady(fail);
const folder = mkdtempSync(join(tmpdir(), 'refcap-picture-'));
try {
  await drawPage(makePage(folder));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
