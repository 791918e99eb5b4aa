/** refcap/web on WebGPU, which Chromium computes by SwiftShader: the captions that Node writes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { openChromium, softwareGpu } from '../../scripts/chromium.ts';
import { Captioner } from '../../src/caption/captioner.ts';
import { exportForWeb } from '../../src/export/web/export.ts';
import { describeInChromium } from '../chromium.ts';
import { fixtures } from '../paths.ts';
import { bundlePage, ModelServer } from './model-server.ts';

const pictures = join(fixtures, 'blip/tiny/images');
const picture = join(pictures, 'dog-on-grass-0.png');

/** Milliseconds for SwiftShader to compile each kernel, on a machine that is busy with other things. */
const patience = 600_000;

const resultSchema = z.object({
  device: z.string(),
  dtype: z.string(),
  faults: z.array(z.string()),
  captions: z.array(z.array(z.object({ ids: z.array(z.number()), logprob: z.number() }))),
});

describeInChromium('refcap/web on WebGPU', () => {
  const folder = mkdtempSync(join(tmpdir(), 'refcap-webgpu-'));
  const model = join(folder, 'model');
  const browsers: Browser[] = [];
  let server: ModelServer;
  let address: string;

  beforeAll(async () => {
    await exportForWeb(join(fixtures, 'blip/tiny'), model, { dtype: 'int8' });
    server = new ModelServer(await bundlePage('./pages/captioner.ts'));
    server.folders.set('/model/', model).set('/pictures/', pictures);
    address = await server.listen();
  });
  afterAll(async () => {
    for (const browser of browsers) await browser.close();
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(flags: readonly string[]): Promise<Page> {
    const browser = await openChromium(flags);
    browsers.push(browser);
    const page = await browser.newPage();
    await page.goto(address);
    await page.waitForFunction('"Captioner" in globalThis');
    return page;
  }

  const caption = async (page: Page, options: readonly object[]) =>
    resultSchema.parse(
      await page.evaluate(`(async () => {
        const captioner = await Captioner.load('/model/', { device: 'webgpu' });
        const { device, dtype, faults } = captioner;
        const picture = await file('/pictures/dog-on-grass-0.png');
        const captions = [];
        for (const options of ${JSON.stringify(options)})
          captions.push((await captioner.caption(picture, options)).captions);
        captioner.dispose();
        return { device, dtype, faults, captions };
      })()`),
    );

  const length = { min_new_tokens: 6, max_new_tokens: 6 };
  const beams = { num_beams: 3, num_return_sequences: 3, ...length };

  it('writes what Node writes, greedily and by beams', { timeout: patience }, async () => {
    using node = await Captioner.load(model, { threads: 1 });
    const own = await Promise.all(
      [{ num_beams: 1, ...length }, beams].map((options) => node.caption(picture, options)),
    );
    const found = await caption(await open(softwareGpu), [{ num_beams: 1, ...length }, beams]);
    expect(found).toMatchObject({ device: 'webgpu', dtype: 'f32', faults: [] });
    for (const [i, { captions }] of own.entries()) {
      const ids = found.captions[i].map((one) => one.ids);
      expect(ids).toEqual(captions.map((one) => one.ids));
      for (const [j, { logprob }] of captions.entries())
        expect(found.captions[i][j].logprob).toBeCloseTo(logprob, 3);
    }
  });

  it('gives way to WebAssembly where there is no graphics processor', async () => {
    const found = await caption(await open([]), [length]);
    expect(found.device).toBe('wasm');
    expect(found.faults).toEqual([expect.stringMatching(/^webgpu with products of f32: ./)]);
    expect(found.captions[0][0].ids.length).toBeGreaterThan(5);
  });
});
