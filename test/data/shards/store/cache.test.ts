/** Copies of a store's objects: whole, fetched once, gone on with after breaks, fetched anew when they change. */
import {
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fetchObject, releaseObject } from '../../../../src/data/shards/store/cache.ts';
import { newFolder } from '../shards.ts';
import { environmentOf, type FakeStore, startStore } from './s3-server.ts';

let store: FakeStore;
let cache: string;
let env: Record<string, string>;
const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7) % 251));

beforeEach(async () => {
  store = await startStore();
  cache = newFolder();
  env = environmentOf(store, cache);
});
afterEach(() => store.close());

const fetchIt = (address: string, changes = {}) =>
  fetchObject(address, { env: { ...env, ...changes }, retryDelay: 1 });
const files = () =>
  readdirSync(cache, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(cache, name)).isFile(),
  );

describe('an object of a store', () => {
  it('is fetched once, under its own name', async () => {
    store.objects.set('b/x-0.tar', content);
    const path = await fetchIt('s3://b/x-0.tar');
    expect(path).toMatch(/\/x-0\.tar$/);
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(await fetchIt('s3://b/x-0.tar')).toBe(path);
    expect(store.asked).toEqual(['HEAD b/x-0.tar', 'GET b/x-0.tar', 'HEAD b/x-0.tar']);
  });

  it('is gone on with where the transfer broke off', async () => {
    store.objects.set('b/x', content);
    store.faults.push('none', 'break', 503, 'break');
    const path = await fetchIt('s3://b/x');
    expect(readFileSync(path).equals(content)).toBe(true);
    const [head, whole, failed, rest, last] = store.asked;
    expect([head, whole]).toEqual(['HEAD b/x', 'GET b/x']);
    const starts = [failed, rest, last].map((text) => Number(/bytes=(\d+)-$/.exec(text)?.[1]));
    expect(starts[0]).toBeGreaterThan(0);
    expect(starts[1]).toBe(starts[0]);
    expect(starts[2]).toBeGreaterThan(starts[1]);
  });

  it('that keeps breaking off is given up, and nothing of it is left', async () => {
    const lost = await startStore(true);
    lost.objects.set('x', content);
    lost.faults.push('none', ...Array<'nothing'>(5).fill('nothing'));
    await expect(
      fetchObject(`${lost.url}/x`, { env: { REFCAP_CACHE: cache }, retryDelay: 1 }),
    ).rejects.toThrow(
      /\/x: the transfer broke off at 0 of 300000 bytes \(.*\); try again later\.$/,
    );
    expect(files()).toEqual([]);
    await lost.close();
  });

  it('is fetched anew when it has changed', async () => {
    store.objects.set('b/x', content);
    await fetchIt('s3://b/x');
    store.objects.set('b/x', Buffer.from('new'));
    expect(readFileSync(await fetchIt('s3://b/x'), 'utf8')).toBe('new');
  });

  it('stays while there is room, the one used last the longest', async () => {
    for (const name of ['a', 'b', 'c', 'd']) store.objects.set(`s/${name}`, content);
    const room = { REFCAP_CACHE_BYTES: '700000' };
    for (const name of ['a', 'b', 'a', 'c']) {
      await fetchIt(`s3://s/${name}`, room);
      releaseObject(`s3://s/${name}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(
      files()
        .map((name) => name.slice(-1))
        .sort(),
    ).toEqual(['a', 'c']);
    // So does what another process is fetching, and what none is fetching any more goes.
    const [half, left] = ['.x.12345.tmp', '.y.12345.tmp'].map((name) => join(cache, name));
    for (const path of [half, left]) writeFileSync(path, content);
    utimesSync(left, new Date('2020-01-01'), new Date('2020-01-01'));
    // What is being read stays, whatever room there is.
    const path = await fetchIt('s3://s/a', { REFCAP_CACHE_BYTES: '1' });
    await fetchIt('s3://s/d', { REFCAP_CACHE_BYTES: '1' });
    expect(readFileSync(path).equals(content)).toBe(true);
    expect([existsSync(half), existsSync(left)]).toEqual([true, false]);
  });
});
