/** Shards and results in a store: the same objects as with files, also when it fails now and then. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Captioner } from '../../../src/caption/captioner.ts';
import type { RunOutcome } from '../../../src/caption/run.ts';
import { readDataset } from '../../../src/data/datasets/read.ts';
import { captionShards } from '../../../src/scale/caption-shards.ts';
import { folderStore } from '../../../src/scale/output/folder.ts';
import type { ObjectStore } from '../../../src/scale/output/output.ts';
import { remoteStore } from '../../../src/scale/output/store.ts';
import { tiny } from '../../caption/models.ts';
import { newFolder, tarOf } from '../../data/shards/shards.ts';
import { environmentOf, type FakeStore, startStore } from '../../data/shards/store/s3-server.ts';

const names = readdirSync(join(tiny, 'images')).sort().slice(0, 4);
const files = (from: number) =>
  Object.fromEntries(
    names.slice(from, from + 2).flatMap((name) => [
      [name, readFileSync(join(tiny, 'images', name))],
      [name.replace(/\..*$/, '.txt'), 'a caption'],
    ]),
  );
const shards = ['s3://data/x-0.tar', 's3://data/x-1.tar'];

let captioner: Captioner;
beforeAll(async () => {
  captioner = await Captioner.load(tiny, { threads: 1 });
});
afterAll(() => captioner[Symbol.dispose]());

let store: FakeStore;
let options: { env: Record<string, string>; retryDelay: number };
beforeEach(async () => {
  store = await startStore();
  options = { env: environmentOf(store, newFolder()), retryDelay: 1 };
  for (const i of [0, 1])
    store.objects.set(
      `data/x-${i}.tar`,
      readFileSync(tarOf(join(newFolder(), 'x.tar'), files(2 * i))),
    );
});
afterEach(() => store.close());

async function run(output: ObjectStore, own = shards) {
  const failures: string[] = [];
  await captionShards(captioner, own, output, {
    options: {},
    batchSize: 2,
    settings: { refcap: 'test', model: 'tiny', options: {} },
    store: options,
    onDone: (outcome: RunOutcome) => {
      if (outcome.kind === 'failed') failures.push(outcome.error.message);
    },
  });
  return failures;
}

describe('shards in a store', () => {
  it('are captioned into it as they are into a folder', async () => {
    const folder = newFolder();
    expect(await run(await folderStore(folder))).toEqual([]);
    store.faults.push('none', 503, 'none', 500);
    expect(await run(remoteStore('s3://out/captions/', options))).toEqual([]);
    const objects = [...store.objects].filter(([path]) => path.startsWith('out/'));
    expect(
      Object.fromEntries(objects.map(([path, content]) => [path.slice(13), content.toString()])),
    ).toEqual(
      Object.fromEntries(
        readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
      ),
    );
    const row = JSON.parse(
      store.objects.get('out/captions/x-1.jsonl')?.toString().split('\n')[0] ?? '',
    );
    expect(row).toMatchObject({ file: `tar://${names[2]}::s3://data/x-1.tar`, shard: shards[1] });
  });

  it('that are done are neither fetched nor captioned again', async () => {
    const output = remoteStore('s3://out', options);
    await run(output);
    store.asked.length = 0;
    await run(output);
    expect(store.asked.filter((text) => text.includes('data/'))).toEqual([]);
  });

  it('of which one is not there or its store fails leave the others', async () => {
    store.objects.delete('data/x-0.tar');
    expect(await run(remoteStore('s3://out', options))).toEqual([
      's3://data/x-0.tar: there is no such object (404).',
    ]);
    expect([...store.objects.keys()].sort()).toEqual([
      'data/x-1.tar',
      ...['out/_SETTINGS.json', 'out/x-1._SUCCESS', 'out/x-1.jsonl'],
    ]);
  });

  it('are a dataset by their addresses', async () => {
    Object.assign(process.env, options.env);
    try {
      const { images } = await readDataset('s3://data/x-{0..1}.tar');
      expect(images.map(({ captions }) => captions)).toEqual(names.map(() => ['a caption']));
      expect(images[0].path).toBe(`tar://${names[0]}::s3://data/x-0.tar`);
    } finally {
      for (const name of Object.keys(options.env)) delete process.env[name];
    }
  });
});

describe('results in a store', () => {
  it('are created by one of many', async () => {
    const stores = Array.from({ length: 5 }, () => remoteStore('s3://out', options));
    const made = await Promise.all(stores.map((each, i) => each.create('x', `text ${i}`)));
    expect(made.filter(Boolean)).toHaveLength(1);
    expect(await stores[0].read('x')).toBe(`text ${made.indexOf(true)}`);
    expect(await stores[0].read('y')).toBeUndefined();
  });
});
