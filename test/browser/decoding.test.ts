/** Pictures as Chromium decodes them beside Node's decoder, and what that does to captions. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { openChromium } from '../../scripts/chromium.ts';
import { Captioner } from '../../src/caption/captioner.ts';
import { decodeImage } from '../../src/data/images/decode.ts';
import { exportForWeb } from '../../src/export/web/export.ts';
import { describeInChromium } from '../chromium.ts';
import { repositoryRoot } from '../paths.ts';
import { bundlePage, ModelServer } from './model-server.ts';

const samples = join(repositoryRoot, 'samples');
const photos = readdirSync(samples).filter((name) => name.endsWith('.jpg'));
const pixelsSchema = z.object({ width: z.number(), height: z.number(), data: z.string() });
const captionsSchema = z.array(z.object({ ids: z.array(z.number()), meanLogprob: z.number() }));

describeInChromium('in Chromium', () => {
  const folder = mkdtempSync(join(tmpdir(), 'refcap-decoding-'));
  const model = join(folder, 'model');
  let browser: Browser;
  let server: ModelServer;
  let page: Page;

  beforeAll(async () => {
    await exportForWeb('refcap-small', model, { dtype: 'f16' });
    server = new ModelServer(await bundlePage('./pages/captioner.ts'));
    server.folders.set('/samples/', samples).set('/own/', folder).set('/model/', model);
    const address = await server.listen();
    browser = await openChromium();
    page = await browser.newPage();
    await page.goto(address);
    await page.waitForFunction('"Captioner" in globalThis');
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** How far the two decoders' bytes are apart, at most and on average. */
  async function difference(path: string, file: string): Promise<{ most: number; mean: number }> {
    const { data, ...size } = pixelsSchema.parse(await page.evaluate(`pixels('${path}')`));
    const own = await decodeImage(file);
    expect(size).toEqual({ width: own.width, height: own.height });
    const theirs = Buffer.from(data, 'base64');
    const apart = own.data.map((x, i) => Math.abs(x - theirs[i]));
    return {
      most: apart.reduce((most, x) => Math.max(most, x), 0),
      mean: apart.reduce((sum, x) => sum + x, 0) / apart.length,
    };
  }

  it('decodes photos as Node does, but for a few levels', async () => {
    for (const name of photos) {
      const { most, mean } = await difference(`/samples/${name}`, join(samples, name));
      expect(most, name).toBeLessThanOrEqual(4);
      expect(mean, name).toBeLessThan(0.2);
    }
  });

  it('lays transparency over white and turns pictures upright', async () => {
    const width = 24;
    const height = 16;
    const raw = Uint8Array.from({ length: width * height * 4 }, (_, i) => (i * 37) % 256);
    const clear = sharp(raw, { raw: { width, height, channels: 4 } });
    await clear.clone().png().toFile(join(folder, 'clear.png'));
    await clear.clone().webp({ lossless: true }).toFile(join(folder, 'clear.webp'));
    const photo = sharp(join(samples, 'owl.jpg')).resize(64, 48);
    await photo
      .clone()
      .withMetadata({ orientation: 6 })
      .jpeg({ chromaSubsampling: '4:4:4', quality: 95 })
      .toFile(join(folder, 'turned.jpg'));
    await photo.clone().greyscale().png().toFile(join(folder, 'grey.png'));
    await photo.clone().withIccProfile('p3').png().toFile(join(folder, 'p3.png'));
    for (const name of ['clear.png', 'clear.webp', 'turned.jpg', 'grey.png', 'p3.png']) {
      const { most, mean } = await difference(`/own/${name}`, join(folder, name));
      expect(most, name).toBeLessThanOrEqual(4);
      expect(mean, name).toBeLessThan(1);
    }
  });

  it("writes Node's captions for the sample photos, by beams", async () => {
    using node = await Captioner.load(model);
    const found = captionsSchema.parse(
      await page.evaluate(`(async () => {
        globalThis.captioner = await Captioner.load('/model/');
        const all = [];
        for (const name of ${JSON.stringify(photos)})
          all.push((await captioner.caption(await file('/samples/' + name))).captions[0]);
        return all;
      })()`),
    );
    const own = await node.captionAll(photos.map((name) => join(samples, name)));
    expect(own).toHaveLength(14);
    for (const [i, { captions }] of own.entries()) {
      expect(found[i].ids, photos[i]).toEqual(captions[0].ids);
      expect(Math.abs(found[i].meanLogprob - captions[0].meanLogprob), photos[i]).toBeLessThan(
        0.05,
      );
    }
  });
});
