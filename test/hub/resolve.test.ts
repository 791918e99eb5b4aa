/** Model names become folders: paths, bundled models, and hub ids through a hub on this machine. */
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../../src/base/errors.ts';
import { readSettings } from '../../src/hub/cache.ts';
import type { DownloadProgress } from '../../src/hub/download.ts';
import { parseHubId, type ResolveOptions, resolveModel } from '../../src/hub/resolve.ts';
import { openWeights } from '../../src/weights/open.ts';
import { fixtures } from '../paths.ts';
import { commit, FakeHub, modelId } from './server.ts';

const tiny = join(fixtures, 'blip/tiny');
const small = ['config.json', 'preprocessor_config.json', 'vocab.txt', 'generation_config.json'];
let root: string;
let cacheFolder: string;
let hub: FakeHub;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'refcap-hub-'));
});
afterAll(() => rm(root, { recursive: true }));
beforeEach(async () => {
  cacheFolder = join(await mkdtemp(join(root, 'cache-')), 'hub');
  hub = new FakeHub();
  for (const name of small) hub.files.set(name, { content: await readFile(join(tiny, name)) });
  const weights = await readFile(join(tiny, 'model.safetensors'));
  hub.files.set('model.safetensors', { content: weights, large: true });
  hub.files.set('pytorch_model.bin', { content: Buffer.from('never asked for'), large: true });
  hub.files.set('README.md', { content: Buffer.from('nor this') });
  await hub.start();
});
afterEach(() => hub.stop());

function options(more: ResolveOptions = {}): ResolveOptions {
  const env = { HF_ENDPOINT: hub.url, HF_HUB_CACHE: cacheFolder, HF_HOME: root, ...more.env };
  return { retries: 2, retryDelay: 1, idleTimeout: 5000, ...more, env };
}
const resolve = (more?: ResolveOptions, name = modelId) => resolveModel(name, options(more));
const modelFolder = () => join(cacheFolder, 'models--owner--tiny-blip');
const reasonOf = async (promise: Promise<unknown>): Promise<string> => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(InputError);
  return (error as InputError).message;
};
const contentRequests = () => hub.requests.filter(({ path }) => /resolve|^\/[^/]+$/.test(path));

describe('a hub model', () => {
  it('is downloaded into the cache that Python shares, and only what a captioner needs', async () => {
    const progress: DownloadProgress[] = [];
    const model = await resolve({ onProgress: (step) => progress.push(step) });
    const snapshot = join(modelFolder(), 'snapshots', commit);
    expect(model).toEqual({ path: snapshot, commit, source: 'hub', name: modelId });
    expect((await readdir(snapshot)).sort()).toEqual([...small, 'model.safetensors'].sort());
    for (const name of await readdir(snapshot)) {
      expect(await readlink(join(snapshot, name))).toBe(`../../blobs/${hub.hash(name)}`);
      expect(await readFile(join(snapshot, name))).toEqual(hub.files.get(name)?.content);
    }
    expect((await readdir(join(modelFolder(), 'blobs'))).length).toBe(5);
    expect(await readFile(join(modelFolder(), 'refs/main'), 'utf8')).toBe(commit);
    await using weights = await openWeights(model.path);
    expect(weights.tensors.size).toBe(91);
    const size = hub.files.get('model.safetensors')?.content.length;
    expect(progress.at(-1)).toEqual({
      id: modelId,
      file: 'model.safetensors',
      fileNumber: 5,
      files: 5,
      received: size,
      size,
    });
    const received = progress.filter((step) => step.size === size).map((step) => step.received);
    expect(received).toEqual([...received].sort((a, b) => a - b));
  });

  it('is not downloaded twice, and a pinned commit is not even asked for', async () => {
    await resolve();
    hub.requests = [];
    await resolve();
    expect(contentRequests()).toEqual([]);
    expect(hub.requests.length).toBe(2);
    hub.requests = [];
    const pinned = await resolve({}, `${modelId}@${commit}`);
    expect(pinned.path).toBe(join(modelFolder(), 'snapshots', commit));
    expect(hub.requests).toEqual([]);
  });

  it('is resumed where the connection broke, within a run and across runs', async () => {
    const size = hub.files.get('model.safetensors')?.content.length ?? 0;
    hub.cuts.set('model.safetensors', [1000, 0, 0]);
    expect(await reasonOf(resolve({ retries: 1 }))).toMatch(
      new RegExp(
        `^${modelId}/model.safetensors broke off at 1000 of ${size} bytes.*run again to resume\\.$`,
      ),
    );
    const there = await readdir(join(modelFolder(), 'snapshots', commit));
    expect(there.sort()).toEqual([...small].sort());
    hub.cuts.set('model.safetensors', [5000]);
    hub.requests = [];
    const { path } = await resolve();
    expect(contentRequests().map(({ range }) => range)).toEqual([
      'bytes=1000-',
      'bytes=1000-',
      'bytes=6000-',
      'bytes=6000-',
    ]);
    const content = await readFile(join(path, 'model.safetensors'));
    expect(content.equals(hub.files.get('model.safetensors')?.content ?? Buffer.from(''))).toBe(
      true,
    );
    expect(
      (await readdir(join(modelFolder(), 'blobs'))).some((name) => name.includes('.inc')),
    ).toBe(false);
  });

  it('begins anew when the server cannot resume or the rest is too long', async () => {
    await resolve({ retries: 0 });
    const blob = join(modelFolder(), 'blobs', hub.hash('model.safetensors'));
    const content = await readFile(blob);
    hub.ignoreRanges = true;
    for (const rest of [content.subarray(0, 500), Buffer.concat([content, Buffer.from('x')])]) {
      await rm(blob);
      await writeFile(`${blob}.incomplete`, rest);
      await resolve({ retries: 0 });
      expect((await readFile(blob)).equals(content)).toBe(true);
    }
  });

  it('is refused when its bytes are not those of its hash, large or small', async () => {
    for (const name of ['vocab.txt', 'model.safetensors']) {
      const content = Buffer.from(hub.files.get(name)?.content ?? '');
      content[100] ^= 1;
      hub.damaged.set(name, content);
      expect(await reasonOf(resolve())).toBe(
        `${modelId}/${name} arrived damaged: its checksum is not the hub's; it was removed, run again.`,
      );
      expect(await readdir(join(modelFolder(), 'blobs'))).not.toContain(hub.hash(name));
      hub.damaged.clear();
    }
    expect((await resolve()).commit).toBe(commit);
  });

  it('is fetched once when two ask at a time, and a dead lock does not stop it', async () => {
    const locks = join(cacheFolder, '.locks/models--owner--tiny-blip');
    await mkdir(locks, { recursive: true });
    const dead = join(locks, `${hub.hash('config.json')}.refcap`);
    await writeFile(dead, '');
    await utimes(dead, 1, 1);
    const [first, second] = await Promise.all([resolve(), resolve()]);
    expect(first).toEqual(second);
    const weights = hub.requests.filter(({ path }) => path === '/model.safetensors');
    expect(weights.length).toBe(1);
    expect(await readdir(locks)).toEqual([]);
  });

  it('sends the token to the hub and never to where it redirects', async () => {
    hub.token = 'secret';
    expect(await reasonOf(resolve())).toMatch(/is private: check the name, or set HF_TOKEN/);
    expect(await reasonOf(resolve({ token: 'wrong' }))).toMatch(/the token in use may not read it/);
    hub.requests = [];
    await resolve({ env: { HF_TOKEN: ' secret\n' } });
    const content = hub.requests.filter(({ path }) => path === '/model.safetensors');
    expect(content.map(({ authorization }) => authorization)).toEqual([undefined]);
    const others = hub.requests.filter(({ path }) => path !== '/model.safetensors');
    expect(new Set(others.map((request) => request.authorization))).toEqual(
      new Set(['Bearer secret']),
    );
  });

  it('comes in shards when the hub has it so', async () => {
    const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
    hub.files.delete('model.safetensors');
    const index = { weight_map: { a: shards[0], b: shards[1] } };
    hub.files.set('model.safetensors.index.json', { content: Buffer.from(JSON.stringify(index)) });
    expect(await reasonOf(resolve())).toBe(
      `${modelId}: its index names ${shards.join(', ')}, which it lacks.`,
    );
    for (const [i, name] of shards.entries()) {
      const tensor = `{"${'ab'[i]}":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`;
      const head = Buffer.alloc(8);
      head.writeBigUInt64LE(BigInt(tensor.length));
      hub.files.set(name, {
        content: Buffer.concat([head, Buffer.from(`${tensor}x`)]),
        large: true,
      });
    }
    const { path } = await resolve();
    await using source = await openWeights(path);
    expect([...source.tensors.keys()]).toEqual(['a', 'b']);
    await rm(join(path, shards[1]));
    expect(await reasonOf(resolve({ offline: true }))).toMatch(/is not complete in/);
  });

  it('is taken from the cache offline, or when the hub cannot be reached', async () => {
    const env = { HF_HUB_OFFLINE: '1' };
    expect(await reasonOf(resolve({ env }))).toBe(
      `${modelId} at revision main is not complete in ${cacheFolder}, and offline mode (--offline, HF_HUB_OFFLINE) forbids downloading: leave it, or give a folder.`,
    );
    const online = await resolve();
    hub.requests = [];
    expect(await resolve({ env })).toEqual(online);
    expect(hub.requests).toEqual([]);
    const warnings: string[] = [];
    const onWarning = (message: string) => void warnings.push(message);
    hub.failures = [{ status: 503 }];
    expect(await resolve({ onWarning })).toEqual(online);
    await hub.stop();
    expect(await resolve({ onWarning })).toEqual(online);
    expect(warnings[0]).toMatch(
      /answers 503 for owner\/tiny-blip; run again later\. Using the copy/,
    );
    expect(warnings[1]).toMatch(/cannot be reached \(ECONNREFUSED\).* Using the copy in /);
    await rm(cacheFolder, { recursive: true });
    expect(await reasonOf(resolve())).toMatch(/cannot be reached \(ECONNREFUSED\): check the conn/);
  });

  it('that cannot be had is explained in one sentence', async () => {
    expect(await reasonOf(resolve({}, 'owner/nothing'))).toBe(
      `owner/nothing is no folder here and does not exist on ${hub.url}, or is private: check the name, or set HF_TOKEN.`,
    );
    expect(await reasonOf(resolve({ revision: 'v9' }))).toBe(`${modelId} has no revision "v9".`);
    const gated = { status: 403, headers: { 'x-error-code': 'GatedRepo' } };
    hub.failures = [gated];
    expect(await reasonOf(resolve())).toMatch(/is gated .*accept its conditions at http/);
    hub.failures = [{ status: 429 }];
    expect(await reasonOf(resolve())).toMatch(/refuses more requests for now \(429\)/);
    hub.files.delete('model.safetensors');
    hub.files.delete('pytorch_model.bin');
    hub.files.set('tf_model.h5', { content: Buffer.from('x') });
    expect(await reasonOf(resolve())).toMatch(
      /has no weights that can be read: none of model.safe/,
    );
    hub.files.delete('config.json');
    expect(await reasonOf(resolve())).toMatch(/has no config.json: it is no model/);
  });

  it('can be stopped', async () => {
    const controller = new AbortController();
    const stopped = resolve({
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('stopped')),
    });
    await expect(stopped).rejects.toThrow('stopped');
  });

  it('counts silence as a broken connection', async () => {
    const silent: typeof fetch = (input, init) =>
      String(input).includes('/resolve/')
        ? new Promise((_, reject) => {
            init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
          })
        : fetch(input, init);
    expect(await reasonOf(resolve({ fetch: silent, idleTimeout: 60, retries: 1 }))).toMatch(
      /config.json broke off at 0 of \d+ bytes \(no answer for 0.06 seconds\)/,
    );
  });
});

describe('other names', () => {
  it('are paths first, then bundled models', async () => {
    expect(await resolve({}, tiny)).toEqual({ path: tiny, source: 'path', name: tiny });
    const file = join(tiny, 'original.pth');
    expect(await resolve({}, file)).toEqual({ path: file, source: 'path', name: file });
    const bundledFolder = join(root, 'models');
    await mkdir(join(bundledFolder, 'small'), { recursive: true });
    await writeFile(join(bundledFolder, 'small/config.json'), '{}');
    expect(await resolve({ bundledFolder }, 'small')).toEqual({
      path: join(bundledFolder, 'small'),
      source: 'bundled',
      name: 'small',
    });
    expect(await reasonOf(resolve({ bundledFolder }, 'smal'))).toBe(
      'There is no model "smal": it is no folder or file here, no bundled model (small) and no hub id such as Salesforce/blip-image-captioning-base.',
    );
    for (const name of ['./owner/x', '/no/such', 'a/b/c', '../x', 'owner/..', 'a--b/c', ''])
      expect(await reasonOf(resolve({}, name))).toMatch(/^There is no model /);
    expect(hub.requests).toEqual([]);
  });

  it('may carry a revision, which cannot leave its folder', () => {
    expect(parseHubId('a/b')).toEqual({ id: 'a/b', revision: 'main' });
    expect(parseHubId('a/b@refs/pr/1', 'x')).toEqual({ id: 'a/b', revision: 'refs/pr/1' });
    expect(parseHubId('a/b', 'v1.0')).toEqual({ id: 'a/b', revision: 'v1.0' });
    for (const revision of ['../../x', '/etc', 'a//b', '-x', 'a b'])
      expect(() => parseHubId('a/b', revision)).toThrow(/is no name of a branch, tag or commit/);
  });
});

describe('settings', () => {
  it('come from the variables of huggingface_hub', async () => {
    expect(await readSettings({ HF_HOME: '/h', HF_TOKEN: 't', HF_ENDPOINT: 'http://m/' })).toEqual({
      endpoint: 'http://m',
      cacheFolder: '/h/hub',
      offline: false,
      token: 't',
    });
    const folder = async (env: Record<string, string>) => (await readSettings(env)).cacheFolder;
    expect(await folder({ HF_HOME: '/h', HF_HUB_CACHE: '/c' })).toBe('/c');
    expect(await folder({ HUGGINGFACE_HUB_CACHE: '/d' })).toBe('/d');
    expect(await folder({ XDG_CACHE_HOME: '/x' })).toBe('/x/huggingface/hub');
    expect(await folder({})).toMatch(/[^~]\/\.cache\/huggingface\/hub$/);
    await writeFile(join(root, 'token'), 'stored\n');
    const env = { HF_HOME: root };
    expect((await readSettings(env)).token).toBe('stored');
    expect((await readSettings({ ...env, HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' })).token).toBe(
      undefined,
    );
    expect((await readSettings({ HF_TOKEN_PATH: join(root, 'none') })).token).toBe(undefined);
    for (const value of ['1', 'true', 'YES', 'on'])
      expect((await readSettings({ HF_HUB_OFFLINE: value })).offline).toBe(true);
    expect((await readSettings({ HF_HUB_OFFLINE: '0' })).offline).toBe(false);
    await rm(join(root, 'token'));
  });
});
