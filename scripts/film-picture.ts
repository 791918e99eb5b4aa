/**
 * Makes docs/film.png, the page that `refcap video --contact-sheet` writes: of a film of sample photos that ffmpeg makes,
 * as a headless Chromium shows it.
 *
 *   npx tsx scripts/film-picture.ts
 *
 * CHROMIUM names the browser when it is not /usr/bin/chromium.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium, openChromium, whyNoChromium } from './chromium.ts';
import { smallPng } from './small-png.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

const { values } = parseArgs({
  options: {
    photos: {
      type: 'string',
      default: 'dog-on-grass.jpg couple-walking-in-snow.jpg dog-running-in-water.jpg',
    },
    width: { type: 'string', default: '900' },
    output: { type: 'string', default: join(root, 'docs/film.png') },
  },
});

function fail(message: string): never {
  console.error(`film-picture: ${message}`);
  process.exit(1);
}

/** A cut every four seconds. */
function makeFilm(path: string, photos: readonly string[]): void {
  const inputs = photos.flatMap((name) => [
    ...['-loop', '1', '-t', '4', '-r', '25', '-i', join(root, 'samples', name)],
  ]);
  const fit = 'scale=480:360:force_original_aspect_ratio=increase,crop=480:360,setsar=1';
  const scaled = photos.map((_, i) => `[${i}]${fit}[v${i}]`).join(';');
  const all = photos.map((_, i) => `[v${i}]`).join('');
  const graph = `${scaled};${all}concat=n=${photos.length},format=yuv420p`;
  execFileSync('ffmpeg', ['-v', 'error', ...inputs, '-filter_complex', graph, path]);
}

if (chromium === undefined) fail(`${whyNoChromium}.`);
const setup = spawnSync(process.execPath, [join(root, 'scripts/setup.mjs')], { stdio: 'inherit' });
if (setup.status !== 0) fail('set-up failed.');
const folder = mkdtempSync(join(tmpdir(), 'refcap-film-picture-'));
try {
  makeFilm(join(folder, 'film.mp4'), values.photos.split(/\s+/));
  const command = [join(root, 'dist/cli/main.js'), 'video', 'film.mp4'];
  const made = spawnSync(process.execPath, [...command, '--contact-sheet', 'film.html'], {
    cwd: folder,
    stdio: 'inherit',
  });
  if (made.status !== 0) fail('the film was not captioned.');
  const browser = await openChromium();
  try {
    const viewport = { width: Number(values.width), height: 600 };
    const page = await browser.newPage({ viewport, colorScheme: 'light' });
    await page.goto(pathToFileURL(join(folder, 'film.html')).href);
    await page.waitForFunction('document.querySelector("video").readyState === 4');
    writeFileSync(values.output, await smallPng(await page.screenshot({ fullPage: true })));
    console.log(`${values.output} ${statSync(values.output).size} bytes`);
  } finally {
    await browser.close();
  }
} finally {
  rmSync(folder, { recursive: true });
}
