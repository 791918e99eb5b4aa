/** refcap/web in Chromium: the captions that Node writes, on a model that is fetched once, checked and kept. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { openChromium } from '../../scripts/chromium.ts';
import { Captioner } from '../../src/caption/captioner.ts';
import { explain } from '../../src/explain/explain.ts';
import { exportForWeb } from '../../src/export/web/export.ts';
import { parseManifest } from '../../src/model/checkpoint/manifest.ts';
import { describeInChromium } from '../chromium.ts';
import { writeTwoMembers } from '../export/two-members.ts';
import { fixtures } from '../paths.ts';
import { bundlePage, ModelServer } from './model-server.ts';

const pictures = join(fixtures, 'blip/tiny/images');
const picture = join(pictures, 'dog-on-grass-0.png');

const captionSchema = z.object({
  caption: z.string(),
  captions: z.array(
    z.object({
      text: z.string(),
      ids: z.array(z.number()),
      logprob: z.number(),
      meanLogprob: z.number(),
      score: z.number().optional(),
      words: z
        .array(
          z.object({ text: z.string(), logprob: z.number(), dependence: z.number().optional() }),
        )
        .optional(),
    }),
  ),
  width: z.number(),
  height: z.number(),
});

const explanationSchema = z.object({
  caption: z.string(),
  method: z.string(),
  side: z.number(),
  width: z.number(),
  height: z.number(),
  words: z.array(
    z.object({
      text: z.string(),
      logprob: z.number(),
      dependence: z.number(),
      map: z.array(z.number()),
      place: z.string(),
    }),
  ),
});

describeInChromium('refcap/web', () => {
  const folder = mkdtempSync(join(tmpdir(), 'refcap-page-'));
  const two = join(folder, 'two');
  const model = join(folder, 'model');
  let browser: Browser;
  let server: ModelServer;
  let address: string;
  let context: BrowserContext;
  let page: Page;

  beforeAll(async () => {
    await writeTwoMembers(two);
    await exportForWeb(two, model);
    await exportForWeb(two, join(folder, 'int8'), { dtype: 'int8' });
    server = new ModelServer(await bundlePage('./pages/captioner.ts'));
    server.folders.set('/model/', model).set('/int8/', join(folder, 'int8'));
    server.folders.set('/pictures/', pictures);
    address = await server.listen();
    browser = await openChromium();
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    context = await browser.newContext();
    page = await open();
    server.requests.length = 0;
  });
  afterEach(async () => {
    server.isDown = false;
    server.isIsolated = false;
    server.change = (_, bytes) => bytes;
    await context.close();
  });

  async function open(): Promise<Page> {
    const opened = await context.newPage();
    await opened.goto(address);
    await opened.waitForFunction('"Captioner" in globalThis');
    return opened;
  }

  const run = (body: string, on = page): Promise<unknown> =>
    on.evaluate(`(async () => {${body}})()`);
  const load = `const captioner = await Captioner.load('/model/');`;
  const paths = (): string[] => server.requests.map(({ path }) => path);

  it.each([
    ['greedy search', { num_beams: 1, min_new_tokens: 12, max_new_tokens: 12 }],
    ['beams', { num_beams: 3, num_return_sequences: 3, min_new_tokens: 12, max_new_tokens: 12 }],
    [
      'sampling',
      { do_sample: true, num_return_sequences: 2, seed: 5, min_new_tokens: 12, max_new_tokens: 12 },
    ],
    [
      'words',
      { words: true, prompt: 'a dog', bannedWords: ['on'], min_new_tokens: 12, max_new_tokens: 12 },
    ],
    ['dependence', { dependence: true, min_new_tokens: 12, max_new_tokens: 12 }],
  ])('writes what Node writes, by %s', async (_, options) => {
    using node = await Captioner.load(model, { threads: 1 });
    const own = await node.caption(picture, options);
    const found = captionSchema.parse(
      await run(`${load}
        const result = await captioner.caption(await file('/pictures/dog-on-grass-0.png'), ${JSON.stringify(options)});
        captioner.dispose();
        return result;`),
    );
    expect(own.captions[0].ids.length).toBeGreaterThan(5);
    expect(found.captions.map(({ ids }) => ids)).toEqual(own.captions.map(({ ids }) => ids));
    expect(found.captions.map(({ text }) => text)).toEqual(own.captions.map(({ text }) => text));
    expect([found.width, found.height]).toEqual([own.width, own.height]);
    for (const [i, caption] of own.captions.entries()) {
      expect(found.captions[i].logprob).toBeCloseTo(caption.logprob, 3);
      const words = found.captions[i].words ?? [];
      expect(words.map(({ text }) => text)).toEqual((caption.words ?? []).map(({ text }) => text));
      for (const [j, word] of (caption.words ?? []).entries()) {
        expect(words[j].logprob).toBeCloseTo(word.logprob, 3);
        if (word.dependence !== undefined)
          expect(words[j].dependence).toBeCloseTo(word.dependence, 3);
      }
    }
  });

  it.each([
    ['a given caption', { caption: 'a dog on grass' }],
    ['what it writes', { generation: { num_beams: 2, min_new_tokens: 6, max_new_tokens: 6 } }],
  ])('explains what Node explains, of %s', async (_, options) => {
    using node = await Captioner.load(model, { threads: 1 });
    const own = await explain(node, picture, options);
    const found = explanationSchema.parse(
      await run(`${load}
        const explanation = await captioner.explain(await file('/pictures/dog-on-grass-0.png'), ${JSON.stringify(options)});
        const words = explanation.words.map((word) => ({ ...word, map: [...word.map] }));
        return { ...explanation, words };`),
    );
    const { words, ...rest } = found;
    const { words: ownWords, ...ownRest } = own;
    expect(rest).toEqual(ownRest);
    expect(ownWords.length).toBeGreaterThan(3);
    expect(words.map(({ text, place }) => [text, place])).toEqual(
      ownWords.map(({ text, place }) => [text, place]),
    );
    for (const [i, { logprob, dependence, map }] of ownWords.entries()) {
      expect(words[i].logprob).toBeCloseTo(logprob, 3);
      expect(words[i].dependence).toBeCloseTo(dependence, 3);
      const largest = map.reduce((a, b) => Math.max(a, b), 0);
      for (const [cell, value] of map.entries())
        expect(Math.abs(words[i].map[cell] - value)).toBeLessThan(1e-3 * largest + 1e-7);
    }
  });

  it('takes files, elements, canvases, bitmaps and pixels for the same picture', async () => {
    const captions = z.array(z.string()).parse(
      await run(`${load}
        const path = '/pictures/dog-on-grass-0.png';
        const element = await image(path);
        const canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [element.naturalWidth, element.naturalHeight];
        const drawing = canvas.getContext('2d');
        drawing.drawImage(element, 0, 0);
        const bitmap = await createImageBitmap(element);
        const all = [await file(path), element, canvas, bitmap,
          drawing.getImageData(0, 0, canvas.width, canvas.height)];
        const captions = [];
        for (const one of [...all, bitmap])
          captions.push((await captioner.caption(one, { min_new_tokens: 8, max_new_tokens: 8 })).caption);
        return captions;`),
    );
    expect(captions).toHaveLength(6);
    expect(new Set(captions).size).toBe(1);
    expect(captions[0]).not.toBe('');
  });

  it('streams words, answers several at a time, and can be stopped', async () => {
    const result = await run(`${load}
      const picture = await file('/pictures/dog-on-grass-0.png');
      const options = { max_new_tokens: 30, min_new_tokens: 30 };
      const words = [];
      const stream = captioner.stream(picture, options);
      let step = await stream.next();
      for (; !step.done; step = await stream.next()) words.push(step.value.text);
      const whole = step.value.caption;
      const stop = new AbortController();
      const stopped = captioner.stream(picture, { ...options, signal: stop.signal });
      await stopped.next();
      stop.abort(new Error('enough'));
      const why = await reason((async () => { for (;;) if ((await stopped.next()).done) return; })());
      const before = await reason(captioner.caption(picture, { signal: AbortSignal.abort(new Error('no')) }));
      const [a, b] = await Promise.all([captioner.caption(picture, options), captioner.caption(picture, options)]);
      const left = captioner.caption(picture, options);
      setTimeout(() => captioner.dispose(), 0);
      return { joined: words.join(' '), whole, why, before, same: a.caption === whole && b.caption === whole, left: await reason(left) };`);
    expect(result).toEqual({
      joined: expect.stringMatching(/\w/),
      whole: expect.stringMatching(/\w/),
      why: 'Error: enough',
      before: 'Error: no',
      same: true,
      left: 'Error: the captioner was disposed',
    });
    const { joined, whole } = z.object({ joined: z.string(), whole: z.string() }).parse(result);
    expect(joined.replaceAll(/\W/g, '')).toBe(whole.replaceAll(/\W/g, ''));
  });

  it('runs 8-bit weights by 8-bit products, and says so', async () => {
    const options = { min_new_tokens: 10, max_new_tokens: 10 };
    using node = await Captioner.load(join(folder, 'int8'), { threads: 1, quantize: 'int8' });
    const result = await run(`const captioner = await Captioner.load('/int8/');
      const { captions } = await captioner.caption(await file('/pictures/dog-on-grass-0.png'), ${JSON.stringify(options)});
      return { ids: captions[0].ids, dtype: captioner.dtype, device: captioner.device, faults: captioner.faults };`);
    const { captions } = await node.caption(picture, options);
    expect(result).toEqual({
      ids: captions[0].ids,
      dtype: 'int8',
      device: 'wasm',
      faults: [],
    });
  });

  it('is faster where the page is isolated: with threads', async () => {
    server.isIsolated = true;
    const isolated = await open();
    const result = await run(
      `${load} return { isIsolated: crossOriginIsolated,
        caption: (await captioner.caption(await file('/pictures/dog-on-grass-0.png'), { min_new_tokens: 8, max_new_tokens: 8 })).caption };`,
      isolated,
    );
    using node = await Captioner.load(model, { threads: 1 });
    const { caption } = await node.caption(picture, { min_new_tokens: 8, max_new_tokens: 8 });
    expect(result).toEqual({ isIsolated: true, caption });
  });

  it('fetches a model once, and says how far it is', async () => {
    const progress = z.array(z.object({ loaded: z.number(), total: z.number() })).parse(
      await run(`const told = [];
        await Captioner.load('/model/', { onProgress: (progress) => told.push(progress) });
        return told;`),
    );
    const { files } = parseManifest(readFileSync(join(model, 'refcap.json'), 'utf8'), model);
    const total = files['model.safetensors'].bytes + files['member-2/model.safetensors'].bytes;
    expect(progress.at(-1)).toEqual({ loaded: total, total });
    expect(progress.every(({ loaded }, i) => i === 0 || loaded >= progress[i - 1].loaded)).toBe(
      true,
    );
    expect(paths()).toContain('/model/model.safetensors');
    expect(paths()).not.toContain('/model/vocab.txt');
    server.requests.length = 0;
    await run(load, await open());
    expect(paths()).toEqual(['/model/refcap.json']);
  });

  it('needs no network after the first time', async () => {
    await run(`globalThis.captioner = await Captioner.load('/model/');
      globalThis.picture = await file('/pictures/dog-on-grass-0.png');`);
    await context.setOffline(true);
    expect(await run('return (await captioner.caption(picture)).width;')).toBe(48);
    await context.setOffline(false);
    server.isDown = true;
    expect(await run(`${load} return captioner.device;`, await open())).toBe('wasm');
  });

  it('says what was damaged on its way, and fetches it anew', async () => {
    const flip = (name: string) => (path: string, bytes: Uint8Array) => {
      const changed = new Uint8Array(bytes);
      if (path.endsWith(name)) changed[changed.length - 5] ^= 1;
      return changed;
    };
    server.change = flip('/model/model.safetensors');
    const why = await run(`return reason(Captioner.load('/model/'));`);
    expect(why).toMatch(
      /^InputError: http:\/\/127\.0\.0\.1:\d+\/model\/model\.safetensors: what came has not the hash/,
    );
    server.change = (_, bytes) => bytes;
    expect(await run(`${load} return captioner.device;`)).toBe('wasm');
  });

  it('fetches anew what the browser lost or damaged', async () => {
    await run(load);
    await run(`const cache = await caches.open('refcap');
      const keys = await cache.keys();
      const pieces = keys.filter(({ url }) => url.endsWith('/0'));
      await cache.put(pieces[0], new Response(new Uint8Array((await (await cache.match(pieces[0])).arrayBuffer()).byteLength)));
      await cache.delete(pieces[1]);`);
    server.requests.length = 0;
    expect(await run(`${load} return captioner.device;`, await open())).toBe('wasm');
    expect(paths()).toHaveLength(3);
  });

  it('takes a broken connection up where it was', async () => {
    server.breakAfter = 100_000;
    await run(load);
    const weights = server.requests.filter(({ path }) => path === '/model/model.safetensors');
    expect(weights.map(({ range }) => range)).toEqual([
      undefined,
      expect.stringMatching(/^bytes=[1-9]\d*-$/),
    ]);
  });

  it('forgets the files of an older model', async () => {
    await run(load);
    const count = () => run(`return (await (await caches.open('refcap')).keys()).length;`);
    const before = await count();
    const other = join(folder, 'other');
    await exportForWeb(two, other, { dtype: 'f16' });
    server.folders.set('/model/', other);
    await run(load);
    server.folders.set('/model/', model);
    expect(await count()).toBe(before);
  });

  it('tests WebAssembly once for a model and a way of computing', async () => {
    const passed = `(await (await caches.open('refcap')).keys()).filter(({ url }) => url.includes('self-test')).length`;
    const result = await run(`const counts = [];
      for (const [address, dtype] of [['/int8/', 'int8'], ['/int8/', 'int8'], ['/int8/', 'f32'], ['/model/', 'f32']]) {
        (await Captioner.load(address, { dtype })).dispose();
        counts.push(${passed});
      }
      return counts;`);
    expect(result).toEqual([1, 1, 2, 3]);
  });

  it('leaves a device that computes wrongly, and says so', async () => {
    const { selfTest, ...manifest } = parseManifest(
      readFileSync(join(folder, 'int8/refcap.json'), 'utf8'),
      'refcap.json',
    );
    const wrong = (numbers: readonly number[] = []) => numbers.map((x) => x - 1);
    const put = async (name: string, test: object): Promise<void> => {
      await cp(join(folder, 'int8'), join(folder, name), { recursive: true });
      const text = JSON.stringify({ ...manifest, selfTest: { ...selfTest, ...test } });
      await writeFile(join(folder, name, 'refcap.json'), text);
      server.folders.set(`/${name}/`, join(folder, name));
    };
    await put('wrong-int8', { int8: wrong(selfTest.int8) });
    await put('wrong', { int8: wrong(selfTest.int8), f32: wrong(selfTest.f32) });
    const result = await run(`const captioner = await Captioner.load('/wrong-int8/');
      return { dtype: captioner.dtype, faults: captioner.faults, none: await reason(Captioner.load('/wrong/')), again: await reason(Captioner.load('/wrong/')) };`);
    const none = expect.stringMatching(
      /^InputError: the model runs on no device of this browser: wasm with products of int8: .* wasm with products of f32: /,
    );
    expect(result).toEqual({
      dtype: 'f32',
      faults: [
        expect.stringMatching(
          /^wasm with products of int8: log-probabilities of the test picture are off by (?:0\.9|1\.0)\d\.$/,
        ),
      ],
      none,
      again: none,
    });
  });

  it('says what is wrong in a sentence', async () => {
    const reasons = z.array(z.string()).parse(
      await run(`${load}
        const picture = await file('/pictures/dog-on-grass-0.png');
        return Promise.all([
          Captioner.load('/nothing/'),
          Captioner.load('http://'),
          Captioner.load('/model/', { members: 3 }),
          Captioner.load('/model/', { dtype: 'int8' }),
          Captioner.load('/model/', { threads: 8 }),
          Captioner.load('/model/', { startWorker: () => new Worker('/none.js', { type: 'module' }) }),
          Captioner.load('/model/', { signal: AbortSignal.abort(new Error('never mind')) }),
          captioner.caption(new File(['words'], 'words.txt')),
          captioner.caption(new File([], 'empty.png')),
          captioner.caption(picture, { num_beams: 0 }),
          captioner.caption(picture, { num_bems: 2 }),
          captioner.caption(picture, { bannedWords: [' '] }),
          captioner.explain(picture, { caption: ' ' }),
          captioner.explain(picture, { method: 'guess' }),
        ].map(reason));`),
    );
    expect(reasons.map((text) => text.replaceAll(address, ''))).toMatchInlineSnapshot(`
      [
        "InputError: /nothing/refcap.json: the server answers 404; give the address of a folder that \`refcap export MODEL FOLDER --layout web\` wrote.",
        "InputError: http://: this is no address.",
        "InputError: members (3): /model/ has 2, so 1 to 2 can write together.",
        "InputError: dtype int8: the weights of this model are not of 8 bits; export it with --dtype int8.",
        "InputError: the model runs on no device of this browser: wasm with products of f32: threads (8): this page is not cross-origin isolated, so it has one; send the headers Cross-Origin-Opener-Policy and Cross-Origin-Embedder-Policy.",
        "InputError: the captioner's worker failed: its script cannot be fetched.",
        "Error: never mind",
        "InputError: words.txt: this is no picture that this browser reads (The source image could not be decoded); save it as JPEG or PNG.",
        "InputError: empty.png: the file is empty.",
        "InputError: the options of generation: num_beams: Too small: expected number to be >0",
        "InputError: the options of generation: there is no option num_bems; known: max_length, max_new_tokens, min_length, min_new_tokens, num_beams, do_sample, temperature, top_k, top_p, length_penalty, repetition_penalty, no_repeat_ngram_size, early_stopping, num_return_sequences, bad_words_ids, suppress_tokens, begin_suppress_tokens",
        "InputError: the banned word ' ' has no letters.",
        "InputError: the caption ' ' has no words.",
        "UsageError: method (guess): one of layer-cam, contrastive-layer-cam, gradient-attention, relevance, attention, gradient-input, integrated-gradients, occlusion, rise.",
      ]
    `);
  });
});
