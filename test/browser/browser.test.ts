/** The library in a browser: entries that bundle without Node, and a caption written in Chromium by WebAssembly. */
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { build, type OutputFile } from 'esbuild';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openChromium } from '../../scripts/chromium.ts';
import { decodeImage } from '../../src/data/index.ts';
import { describeInChromium } from '../chromium.ts';
import { fixtures, repositoryRoot } from '../paths.ts';
import { captionPixels, type ModelFiles } from './caption.ts';
import { serve } from './server.ts';

const tiny = join(fixtures, 'blip', 'tiny');
const runtime = join(repositoryRoot, 'node_modules/onnxruntime-web/dist');
const pictureFile = join(tiny, 'images/dog-on-grass-0.png');

async function bundle(contents: string): Promise<OutputFile> {
  const { outputFiles, warnings } = await build({
    stdin: { contents, resolveDir: repositoryRoot, loader: 'ts' },
    bundle: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    write: false,
    logLevel: 'silent',
  });
  expect(warnings).toEqual([]);
  return outputFiles[0];
}

/** Entries of the package that are promised to need no Node. */
const entries = 'engine weights nn metrics data model generation alt web'.split(' ');

describe('for a browser', () => {
  for (const entry of entries)
    it(`refcap/${entry} bundles without Node`, async () => {
      const { text } = await bundle(
        `import * as all from 'refcap/${entry}'; globalThis.all = all;`,
      );
      expect(text).not.toMatch(/\bfrom\s*["'](?:node:|onnxruntime-node|sharp)/);
      expect(text).not.toMatch(/\brequire\(["'](?:node:|fs|path|os|onnxruntime-node|sharp)/);
      expect(text.length).toBeGreaterThan(1000);
    });

  it('refcap itself, which reads files, does not bundle', async () => {
    await expect(bundle(`import 'refcap';`)).rejects.toThrow(/node:/);
  });
});

const captionSchema = z.object({
  ids: z.array(z.number()),
  logprobs: z.array(z.number()),
  text: z.string(),
});
const resultSchema = z.object({
  greedy: captionSchema,
  int8: captionSchema,
  into: z.array(z.number()),
  refusals: z.array(z.string()),
  devices: z.array(z.string()),
  node: z.string(),
});

describeInChromium('in Chromium', () => {
  let browser: Browser;
  let server: Server;
  let result: z.infer<typeof resultSchema>;

  beforeAll(async () => {
    const picture = await decodeImage(pictureFile);
    const page = await bundle(`import './test/browser/page.ts';`);
    const served = await serve((path) => {
      if (path === '/') return new TextEncoder().encode('<!doctype html><title>refcap</title>');
      if (path === '/page.js') return page.contents;
      if (path === '/picture') return picture.data;
      if (path.startsWith('/model/')) return join(tiny, path.slice('/model/'.length));
      return /^\/ort-[\w.-]+$/.test(path) ? join(runtime, path.slice(1)) : undefined;
    });
    server = served.server;
    browser = await openChromium();
    const tab = await browser.newPage();
    await tab.goto(served.address);
    const [{ width, height }] = [picture];
    result = resultSchema.parse(
      await tab.evaluate(`import('/page.js').then(() => globalThis.runPage(${width}, ${height}))`),
    );
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  it('writes the ids that Node writes', async () => {
    const read = (name: string): Buffer => readFileSync(join(tiny, name));
    const json = (name: string): unknown => JSON.parse(read(name).toString());
    const files: ModelFiles = {
      weights: new Uint8Array(read('model.safetensors')),
      config: json('config.json'),
      tokenizer: json('tokenizer.json'),
      preprocessor: json('preprocessor_config.json'),
    };
    const own = await captionPixels(files, await decodeImage(pictureFile));
    expect(new Set(own.ids).size).toBeGreaterThan(3);
    expect(result.greedy.ids).toEqual(own.ids);
    expect(result.greedy.text).toBe(own.text);
    for (const [i, logprob] of own.logprobs.entries())
      expect(result.greedy.logprobs[i]).toBeCloseTo(logprob, 4);
    expect(result.node).toBe('undefinedundefined');
  });

  it('has 8-bit products', () => {
    expect(result.int8.ids.length).toBeGreaterThan(12);
  });

  it('writes outputs into memory that the caller owns', () => {
    expect(result.into).toEqual([2, 3, 4]);
  });

  it('says what it cannot do', () => {
    expect(result.refusals).toEqual([
      'InputError: profile: a trace is a file, which a browser cannot write.',
      expect.stringMatching(/^InputError: threads \(8\): this page is not cross-origin isolated/),
      expect.stringMatching(
        /^InputError: the device 'cuda' is not available; this onnxruntime-web has: cpu/,
      ),
    ]);
    expect(result.devices).toContain('cpu');
  });
});
