/** The cache that Python's huggingface_hub shares: its settings, its folders, and what of a model is there. */
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  exists,
  findCached,
  isCommit,
  linkSnapshot,
  modelFolder,
  readSettings,
  writeRef,
} from '../../src/hub/cache.ts';

const commit = '0123456789abcdef0123456789abcdef01234567';
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refcap-cache-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('readSettings', () => {
  // Expected: huggingface_hub's constants.py under the same variables.
  it.each([
    [{}, join(homedir(), '.cache/huggingface/hub')],
    [{ XDG_CACHE_HOME: '/x' }, '/x/huggingface/hub'],
    [{ XDG_CACHE_HOME: '/x', HF_HOME: '/home' }, '/home/hub'],
    [{ HF_HOME: '/home', HUGGINGFACE_HUB_CACHE: '/old' }, '/old'],
    [{ HUGGINGFACE_HUB_CACHE: '/old', HF_HUB_CACHE: '/cache' }, '/cache'],
    [{ HF_HUB_CACHE: '~/cache' }, join(homedir(), 'cache')],
  ])('of %j has the cache in %s', async (env, expected) => {
    expect((await readSettings(env)).cacheFolder).toBe(expected);
  });

  it('is offline by either switch, in any of its spellings', async () => {
    for (const on of ['1', 'on', 'Yes', 'TRUE']) {
      expect((await readSettings({ HF_HUB_OFFLINE: on })).offline).toBe(true);
      expect((await readSettings({ TRANSFORMERS_OFFLINE: on })).offline).toBe(true);
    }
    for (const off of ['0', '', 'no']) {
      expect((await readSettings({ HF_HUB_OFFLINE: off })).offline).toBe(false);
    }
  });

  it('takes the token given, else the one that hf auth login wrote, unless that is forbidden', async () => {
    await writeFile(join(folder, 'token'), 'hf_stored\n');
    const home = { HF_HOME: folder };
    expect((await readSettings(home)).token).toBe('hf_stored');
    expect((await readSettings({ ...home, HUGGING_FACE_HUB_TOKEN: 'hf_older' })).token).toBe(
      'hf_older',
    );
    expect((await readSettings({ ...home, HF_TOKEN: ' hf_given ' })).token).toBe('hf_given');
    const silent = { ...home, HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' };
    expect((await readSettings(silent)).token).toBeUndefined();
    expect((await readSettings({ HF_HOME: join(folder, 'none') })).token).toBeUndefined();
  });

  it('has an endpoint without slashes at its end', async () => {
    expect((await readSettings({ HF_ENDPOINT: 'http://hub//' })).endpoint).toBe('http://hub');
    expect((await readSettings({ HF_ENDPOINT: '' })).endpoint).toBe('https://huggingface.co');
  });
});

it('tells commits from branches and tags', () => {
  expect(isCommit(commit)).toBe(true);
  for (const other of ['main', commit.slice(1), commit.toUpperCase(), `${commit}0`])
    expect(isCommit(other)).toBe(false);
});

describe('findCached', () => {
  const model = { id: 'owner/name', revision: 'main' };
  async function cached(names: readonly string[], index?: Record<string, string>): Promise<void> {
    const path = join(modelFolder(folder, model.id), 'snapshots', commit);
    await rm(path, { recursive: true, force: true });
    await mkdir(path, { recursive: true });
    for (const name of names) await writeFile(join(path, name), '{}');
    if (index)
      await writeFile(
        join(path, 'model.safetensors.index.json'),
        JSON.stringify({ weight_map: index }),
      );
    await writeRef(modelFolder(folder, model.id), 'main', commit);
  }
  const path = () => join(folder, 'models--owner--name', 'snapshots', commit);

  it('finds a model by branch and by commit', async () => {
    expect(await findCached(folder, model)).toBeUndefined();
    await cached(['config.json', 'model.safetensors']);
    const found = { path: path(), commit, whole: false };
    expect(await findCached(folder, model)).toEqual(found);
    expect(await findCached(folder, { ...model, revision: commit })).toEqual(found);
    expect(await findCached(folder, { ...model, revision: 'other' })).toBeUndefined();
  });

  it('is whole with a tokenizer and image settings', async () => {
    const base = ['config.json', 'pytorch_model.bin'];
    for (const [names, whole] of [
      [['vocab.txt'], false],
      [['processor_config.json'], false],
      [['vocab.txt', 'preprocessor_config.json'], true],
      [['tokenizer.json', 'processor_config.json'], true],
    ] as const) {
      await cached([...base, ...names]);
      expect((await findCached(folder, model))?.whole).toBe(whole);
    }
  });

  it('is none without config, without weights, or with a shard missing', async () => {
    for (const names of [['config.json'], ['model.safetensors'], []]) {
      await cached(names);
      expect(await findCached(folder, model)).toBeUndefined();
    }
    const index = { a: 'one.safetensors', b: 'two.safetensors' };
    await cached(['config.json', 'one.safetensors'], index);
    expect(await findCached(folder, model)).toBeUndefined();
    await cached(['config.json', 'one.safetensors', 'two.safetensors'], index);
    expect((await findCached(folder, model))?.commit).toBe(commit);
  });

  it('takes a link that leads nowhere for no file', async () => {
    await cached(['config.json']);
    await linkSnapshot(join(folder, 'models--owner--name/blobs/gone'), join(path(), 'model.bin'));
    await linkSnapshot(
      join(folder, 'models--owner--name/blobs/gone'),
      join(path(), 'model.safetensors'),
    );
    expect(await exists(join(path(), 'model.safetensors'))).toBe(false);
    expect(await findCached(folder, model)).toBeUndefined();
  });
});

describe('snapshots and refs', () => {
  it('are relative links to blobs, replaced where one is there', async () => {
    const [blob, link] = [join(folder, 'blobs/abc'), join(folder, 'snapshots/c/config.json')];
    await mkdir(join(folder, 'blobs'));
    await writeFile(blob, 'new');
    for (let times = 0; times < 2; times++) await linkSnapshot(blob, link);
    expect(await readlink(link)).toBe('../../blobs/abc');
    expect(await exists(link, 3)).toBe(true);
    expect(await exists(link, 4)).toBe(false);
  });

  it('note branches, also those with a slash, and no commit under its own name', async () => {
    await writeRef(folder, 'refs/pr/1', commit);
    expect(await readFile(join(folder, 'refs/refs/pr/1'), 'utf8')).toBe(commit);
    await writeRef(folder, commit, commit);
    expect(await readdir(join(folder, 'refs'))).toEqual(['refs']);
  });
});
