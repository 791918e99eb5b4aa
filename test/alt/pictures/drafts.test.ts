/** Drafts of pictures: each content once, the rest from the cache, also after an interruption. */
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cacheKey, DraftCache, defaultCacheFolder } from '../../../src/alt/pictures/cache.ts';
import { draftCaptions } from '../../../src/alt/pictures/drafts.ts';
import { InputError } from '../../../src/base/errors.ts';
import { Captioner } from '../../../src/caption/captioner.ts';
import { tiny } from '../../caption/models.ts';

const folder = mkdtempSync(join(tmpdir(), 'refcap-alt-drafts-'));
const pictures = join(folder, 'pictures');
const cacheFolder = join(folder, 'cache/deep');
let paths: string[] = [];
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(() => {
  mkdirSync(pictures);
  const names = readdirSync(join(tiny, 'images')).sort().slice(0, 9);
  for (const name of names) cpSync(join(tiny, 'images', name), join(pictures, name));
  cpSync(join(tiny, 'images', names[0]), join(pictures, 'copy.png'));
  writeFileSync(join(pictures, 'text.png'), 'no picture');
  paths = [...readdirSync(pictures).sort(), 'missing.png'].map((name) => join(pictures, name));
});

/** Drafts of some pictures, and for how many the model was asked. */
async function draft(
  some: readonly string[],
  key: string,
  signal?: AbortSignal,
  onDone?: () => void,
) {
  let asked = 0;
  const drafts = await draftCaptions(some, {
    cache: await DraftCache.open(cacheFolder, key),
    open: (count) => {
      asked = count;
      return Captioner.load(tiny);
    },
    caption: {},
    batchSize: 2,
    ...(signal && { signal }),
    ...(onDone && { onDone }),
  });
  return { drafts, asked };
}

describe('drafts', () => {
  it('are the captions, each content captioned once, and remembered', async () => {
    const { drafts, asked } = await draft(paths, 'all');
    // Nine pictures and a text; the copy and the missing one are not asked about.
    expect(asked).toBe(10);
    using captioner = await Captioner.load(tiny);
    for (const path of paths) {
      const found = drafts.get(path);
      if (/text|missing/.test(path)) {
        expect(found).toBeInstanceOf(InputError);
        continue;
      }
      const { caption, captions } = await captioner.caption(path);
      expect(found).toMatchObject({ caption });
      expect(found instanceof InputError ? 0 : found?.confidence).toBeCloseTo(
        Math.exp(captions[0].meanLogprob),
        5,
      );
    }
    const again = await draft(paths, 'all');
    expect(again.asked).toBe(1);
    expect([...again.drafts].filter(([, found]) => !(found instanceof InputError))).toEqual(
      [...drafts].filter(([, found]) => !(found instanceof InputError)),
    );
    expect((await draft(paths.slice(0, 3), 'other')).asked).toBe(3);
  });

  it('that were there when the run was stopped, or killed within a line, are not made again', async () => {
    const stop = new AbortController();
    let done = 0;
    const stopped = draft(paths.slice(0, 9), 'stopped', stop.signal, () => {
      if (++done === 4) stop.abort(new Error('stopped'));
    });
    await expect(stopped).rejects.toThrow('stopped');
    const file = join(cacheFolder, 'stopped.jsonl');
    const kept = readFileSync(file, 'utf8').trim().split('\n').length;
    expect(kept).toBeGreaterThanOrEqual(4);
    appendFileSync(file, '{"picture": "cut');
    const { asked, drafts } = await draft(paths.slice(0, 9), 'stopped');
    // One of the nine is a copy.
    expect(asked).toBe(8 - kept);
    expect(drafts).toEqual((await draft(paths.slice(0, 9), 'fresh')).drafts);
    expect((await draft(paths.slice(0, 9), 'stopped')).asked).toBe(0);
  });
});

describe('the key of a cache', () => {
  it('is of the content of the model and of the settings, wherever the model lies', async () => {
    const model = join(folder, 'model');
    cpSync(tiny, model, { recursive: true });
    const key = await cacheKey(tiny, { beams: 1 });
    expect(await cacheKey(model, { beams: 1 })).toBe(key);
    expect(await cacheKey(model, { beams: 2 })).not.toBe(key);
    appendFileSync(join(model, 'config.json'), '\n');
    expect(await cacheKey(model, { beams: 1 })).not.toBe(key);
  });

  it('names a file in the user’s cache', () => {
    expect(defaultCacheFolder({ XDG_CACHE_HOME: '/x' })).toBe(join('/x', 'refcap', 'alt'));
    expect(defaultCacheFolder({})).toMatch(/\.cache.refcap.alt$/);
  });

  it('says where the cache cannot be', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(DraftCache.open(join(folder, 'file/x'), 'k')).rejects.toThrow(InputError);
  });
});
