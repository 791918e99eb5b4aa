/** LoRA adapters from a hub: adapter and base are downloaded, and found in the cache offline. */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Captioner } from '../../../src/caption/captioner.ts';
import type { ResolveOptions } from '../../../src/hub/resolve.ts';
import { commit, FakeHub, modelId } from '../../hub/server.ts';
import { fixtures } from '../../paths.ts';

const tiny = join(fixtures, 'blip/tiny');
const owl = join(tiny, 'images/owl-1.png');
const adapterId = 'someone/tiny-lora';
const made = join(fixtures, 'blip/adapters/plain');
const hub = new FakeHub();
let root: string;
let wanted: string;

/** The adapter's config, of the base that a hub has. */
async function configOf(base: string): Promise<Buffer> {
  const config = JSON.parse(await readFile(join(made, 'adapter_config.json'), 'utf8'));
  return Buffer.from(JSON.stringify({ ...config, base_model_name_or_path: base }));
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'refcap-adapter-hub-'));
  for (const name of await readdir(tiny))
    if (/^(?:.*\.json|vocab\.txt|model\.safetensors)$/.test(name) && name !== 'expected.json')
      hub.files.set(name, { content: await readFile(join(tiny, name)) });
  const weights = await readFile(join(made, 'adapter_model.safetensors'));
  hub.others.set(
    adapterId,
    new Map([
      ['README.md', { content: Buffer.from('not asked for') }],
      ['adapter_config.json', { content: await configOf(modelId) }],
      ['adapter_model.safetensors', { content: weights, large: true }],
      // Adapters are often saved with their base's tokenizer.
      ['tokenizer_config.json', { content: Buffer.from('{}') }],
    ]),
  );
  await hub.start();
  using captioner = await Captioner.load(made, { threads: 1 });
  wanted = (await captioner.caption(owl)).caption;
});
afterAll(async () => {
  await hub.stop();
  await rm(root, { recursive: true, force: true });
});

/** What a model writes, with a cache of its own name. */
async function captionBy(model: string, cache: string, more: ResolveOptions = {}): Promise<string> {
  const env = { HF_ENDPOINT: hub.url, HF_HUB_CACHE: join(root, cache), HF_HOME: root };
  using captioner = await Captioner.load(model, { threads: 1, hub: { env, retries: 1, ...more } });
  return (await captioner.caption(owl)).caption;
}

describe('an adapter of a hub', () => {
  it('writes what it writes beside its base, which differs from the base alone', async () => {
    expect(await captionBy(adapterId, 'both')).toBe(wanted);
    expect(await captionBy(modelId, 'both')).not.toBe(wanted);
    const snapshot = join(root, 'both/models--someone--tiny-lora/snapshots', commit);
    expect((await readdir(snapshot)).sort()).toEqual([
      'adapter_config.json',
      'adapter_model.safetensors',
    ]);
  });

  it('is there offline once both were downloaded, and a pinned commit is not asked for', async () => {
    await captionBy(adapterId, 'again');
    hub.requests = [];
    expect(await captionBy(adapterId, 'again', { offline: true })).toBe(wanted);
    expect(hub.requests).toEqual([]);
    expect(await captionBy(`${adapterId}@${commit}`, 'again')).toBe(wanted);
    expect(hub.requests.filter(({ path }) => path.includes(adapterId))).toEqual([]);
  });

  it('says offline which of the two is missing', async () => {
    await expect(captionBy(adapterId, 'none', { offline: true })).rejects.toThrow(
      /someone\/tiny-lora at revision main is not complete/,
    );
    await captionBy(adapterId, 'half');
    await rm(join(root, 'half/models--owner--tiny-blip'), { recursive: true });
    await expect(captionBy(adapterId, 'half', { offline: true })).rejects.toThrow(
      /a LoRA adapter of "owner\/tiny-blip", which cannot be had: .*offline.* --base\.$/,
    );
  });

  it('takes another base, and is one in a folder here whose base is the hub’s', async () => {
    expect(await captionBy(adapterId, 'other', { base: tiny })).toBe(wanted);
    expect(await readdir(join(root, 'other'))).not.toContain('models--owner--tiny-blip');
    const folder = join(root, 'local');
    await cp(made, folder, { recursive: true });
    await writeFile(join(folder, 'adapter_config.json'), await configOf(modelId));
    expect(await captionBy(folder, 'local-base')).toBe(wanted);
  });

  it('without weights is refused', async () => {
    await mkdir(join(root, 'bare'), { recursive: true });
    hub.others.set(
      'someone/bare',
      new Map([['adapter_config.json', { content: await configOf(modelId) }]]),
    );
    await expect(captionBy('someone/bare', 'bare')).rejects.toThrow(
      /someone\/bare has no weights that can be read: none of adapter_model\.safetensors/,
    );
  });
});
