/**
 * The captioner in a page, in headless Chromium: its size, the first caption of the static page, and seconds a picture
 * beside Node and beside transformers.js with the exported model, the three taking turns.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { chromium, openChromium, openProfile, whyNoChromium } from '../scripts/chromium.ts';
import { Captioner } from '../src/caption/captioner.ts';
import { exportModel } from '../src/export/export.ts';
import { exportForWeb } from '../src/export/web/export.ts';
import { bundlePage, ModelServer } from '../test/browser/model-server.ts';
import { machine, median, printTable } from './measure.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const site = join(root, 'dist/static');
const photos = readdirSync(join(root, 'samples')).filter((name) => name.endsWith('.jpg'));

/** Milliseconds after which a browser has written down the WebAssembly that it compiled. */
const settling = 10_000;
/** Milliseconds for what one is waited for. */
const patience = 300_000;

/** `npm run site && npm run bench -- browser [--rounds 3] [--photos 14] [--threads N]` */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '3' },
      photos: { type: 'string', default: String(photos.length) },
      threads: { type: 'string', default: String(availableParallelism()) },
    },
  });
  const missing =
    chromium === undefined
      ? whyNoChromium
      : existsSync(join(site, 'model/refcap.json'))
        ? undefined
        : 'run `npm run site` first';
  if (missing !== undefined) {
    console.error(`bench: ${missing}.`);
    return 1;
  }
  const [rounds, threads] = [Number(values.rounds), Number(values.threads)];
  console.log(machine());
  printSizes();
  const folder = mkdtempSync(join(tmpdir(), 'refcap-bench-'));
  try {
    await measureFirstCaption(folder, rounds);
    await measurePictures(folder, photos.slice(0, Number(values.photos)), rounds, threads);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return 0;
}

/** What a visit fetches: the page without WebGPU's WebAssembly, by gzip, and the model. */
function printSizes(): void {
  const files = readdirSync(site, { recursive: true, encoding: 'utf8' })
    .map((name) => join(site, name))
    .filter((path) => statSync(path).isFile());
  const megabytes = (bytes: readonly number[]): string =>
    (bytes.reduce((a, b) => a + b, 0) / 1e6).toFixed(1);
  const isModel = (path: string): boolean => path.startsWith(join(site, 'model'));
  const page = files.filter((path) => !isModel(path) && !/webgpu|asyncify|licences/.test(path));
  const weights = files.filter((path) => path.endsWith('.safetensors'));
  console.log(
    `page ${megabytes(page.map((path) => gzipSync(readFileSync(path)).length))} MB by gzip, weights ${megabytes(weights.map((path) => statSync(path).size))} MB`,
  );
}

/** From opening the static page to its first caption: nothing kept, and everything. */
async function measureFirstCaption(folder: string, rounds: number): Promise<void> {
  const server = new ModelServer(new Map());
  server.folders.set('/site/', site);
  const address = `${await server.listen()}/site/index.html`;
  const seconds = { empty: [] as number[], full: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    const context = await openProfile(join(folder, `profile-${round}`));
    for (const cache of ['empty', 'full'] as const) {
      const page = await context.newPage();
      const start = performance.now();
      await page.goto(address);
      await page.locator('input[type=file]').first().setInputFiles(join(root, 'samples/cat.jpg'));
      const done = page.locator('.progress').getByText('1 of 1 captioned');
      await done.waitFor({ timeout: patience });
      seconds[cache].push((performance.now() - start) / 1000);
      await page.waitForTimeout(settling);
      await page.close();
    }
    await context.close();
  }
  server.close();
  printTable(
    ['first caption, seconds, median', 'empty cache', 'full cache'],
    [['static page', median(seconds.empty).toFixed(2), median(seconds.full).toFixed(2)]],
  );
}

/** Greedy captions by 8-bit products; the first round is for warmth alone. */
async function measurePictures(
  folder: string,
  names: readonly string[],
  rounds: number,
  threads: number,
): Promise<void> {
  const web = join(folder, 'web');
  await exportForWeb('refcap-small', web, { dtype: 'int8' });
  const peer = join(folder, 'peer');
  await exportModel('refcap-small', peer, { dtype: 'int8' });
  const server = new ModelServer(await bundlePage('./pages/peers.ts'));
  server.folders.set('/web/', web).set('/peer/', peer).set('/samples/', join(root, 'samples'));
  server.isIsolated = threads > 1;
  const browser = await openChromium();
  try {
    const page = await browser.newPage();
    await page.goto(await server.listen());
    await page.waitForFunction('"pipeline" in globalThis');
    await page.evaluate(loadBoth(threads));
    using node = await Captioner.load(web, { threads, quantize: 'int8' });
    const ways: Readonly<Record<string, (name: string) => Promise<unknown>>> = {
      Node: (name) => node.caption(join(root, 'samples', name), { num_beams: 1 }),
      page: (name) => inPage(page, name, 'captioner.caption(picture, { num_beams: 1 })'),
      'transformers.js': (name) => inPage(page, name, 'peer(picture)'),
    };
    const found = new Map(Object.keys(ways).map((way) => [way, [] as number[]]));
    for (let round = 0; round <= rounds; round++)
      for (const name of names)
        for (const [way, caption] of Object.entries(ways)) {
          const start = performance.now();
          await caption(name);
          if (round > 0) found.get(way)?.push((performance.now() - start) / 1000);
        }
    printRatios(found, threads);
  } finally {
    await browser.close();
    server.close();
  }
}

const loadBoth = (threads: number): string => `(async () => {
  globalThis.captioner = await Captioner.load('/web/', { threads: ${threads} });
  Object.assign(env, { allowLocalModels: true, allowRemoteModels: false, localModelPath: '/', useBrowserCache: false });
  env.backends.onnx.wasm.numThreads = ${threads};
  env.backends.onnx.wasm.wasmPaths = { wasm: '/ort-wasm-simd-threaded.asyncify.wasm' };
  globalThis.peer = await pipeline('image-to-text', 'peer', { device: 'wasm' });
})()`;

async function inPage(page: Page, name: string, work: string): Promise<void> {
  await page.evaluate(
    `picture('/samples/${name}').then(async (picture) => { await ${work}; return undefined; })`,
  );
}

/** Ratios are medians of those of each picture: a machine's speed drifts less within one. */
function printRatios(found: ReadonlyMap<string, readonly number[]>, threads: number): void {
  const page = found.get('page') ?? [];
  const rows = [...found].map(([way, seconds]) => [
    way,
    median(seconds).toFixed(3),
    median(page.map((own, i) => own / seconds[i])).toFixed(2),
  ]);
  printTable([`${threads} threads`, 'seconds a picture', 'page to it'], rows);
}
