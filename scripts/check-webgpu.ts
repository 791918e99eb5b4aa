/**
 * The bundled model on WebGPU, which Chromium computes on the processor by SwiftShader: its greedy captions of the sample
 * photos must have the ids that Node writes.
 *
 *   npx tsx scripts/check-webgpu.ts [--photos 14]
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import * as z from 'zod';
import { Captioner } from '../src/caption/captioner.ts';
import { exportForWeb } from '../src/export/web/export.ts';
import { bundlePage, ModelServer } from '../test/browser/model-server.ts';
import { openChromium, softwareGpu } from './chromium.ts';

const samples = fileURLToPath(new URL('../samples', import.meta.url));
const { values } = parseArgs({ options: { photos: { type: 'string', default: '14' } } });
const photos = readdirSync(samples)
  .filter((name) => name.endsWith('.jpg'))
  .slice(0, Number(values.photos));

const loadedSchema = z.object({ device: z.string(), faults: z.array(z.string()) });
const captionSchema = z.object({ caption: z.string(), ids: z.array(z.number()) });

/** Opens the model, which the self-test tries. */
async function load(page: Page): Promise<void> {
  const start = performance.now();
  await page.waitForFunction('"Captioner" in globalThis');
  const loaded = await page.evaluate(`(async () => {
    globalThis.captioner = await Captioner.load('/model/', { device: 'webgpu' });
    const { device, faults } = captioner;
    return { device, faults };
  })()`);
  const { device, faults } = loadedSchema.parse(loaded);
  if (device !== 'webgpu') throw new Error(`it ran on ${device}: ${faults.join(' ')}`);
  console.log(`opened and tested in ${secondsSince(start)} s`);
}

async function captionInPage(page: Page, name: string): Promise<z.infer<typeof captionSchema>> {
  const found = await page.evaluate(`(async () => {
    const result = await captioner.caption(await file('/samples/${name}'), { num_beams: 1 });
    return { caption: result.caption, ids: result.captions[0].ids };
  })()`);
  return captionSchema.parse(found);
}

function secondsSince(start: number): string {
  return ((performance.now() - start) / 1000).toFixed(1);
}

/** @returns how many captions are Node's */
async function compare(page: Page, node: Captioner): Promise<number> {
  let same = 0;
  for (const name of photos) {
    const start = performance.now();
    const { caption, ids } = await captionInPage(page, name);
    const seconds = secondsSince(start);
    const own = (await node.caption(join(samples, name), { num_beams: 1 })).captions[0];
    const isSame = ids.join() === own.ids.join();
    if (isSame) same++;
    console.log(`${name}: ${caption} (${seconds} s)${isSame ? '' : `; Node: ${own.text}`}`);
  }
  return same;
}

const folder = mkdtempSync(join(tmpdir(), 'refcap-webgpu-'));
const model = join(folder, 'model');
await exportForWeb('refcap-small', model, { dtype: 'f16' });
const server = new ModelServer(await bundlePage('./pages/captioner.ts'));
server.folders.set('/model/', model).set('/samples/', samples);
const browser = await openChromium(softwareGpu);
try {
  const page = await browser.newPage();
  await page.goto(await server.listen());
  await load(page);
  using node = await Captioner.load(model);
  const same = await compare(page, node);
  console.log(`${same} of ${photos.length} captions have Node's ids`);
  if (same < photos.length) process.exitCode = 1;
} finally {
  await browser.close();
  server.close();
  rmSync(folder, { recursive: true, force: true });
}
