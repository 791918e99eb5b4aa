/** Which shards are trained on and measured, and who counts their pictures. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { packDataset } from '../../../src/data/pack/pack.ts';
import { findStream } from '../../../src/train/stream/shards.ts';
import { folderOf } from '../../data/dataset-folder.ts';
import { jpeg, newFolder } from '../../data/shards/shards.ts';
import { startStore } from '../../data/shards/store/s3-server.ts';

const stream = { buffer: 10, epochImages: null, features: 'cached', countWords: false } as const;
const counted = { ...stream, epochImages: 7 };

/** Empty files of these names: shards are found, not read. */
const shardsOf = (...names: string[]) =>
  folderOf(Object.fromEntries(names.map((name) => [name, ''])));

describe('findStream', () => {
  let packed = '';
  beforeAll(async () => {
    const folder = newFolder();
    const rows = ['file,caption,split'];
    for (let i = 0; i < 9; i++) {
      writeFileSync(join(folder, `${i}.jpg`), await jpeg(i));
      rows.push(`${i}.jpg,picture ${i},${['train', 'train', 'train', 'dev', 'test'][i % 5]}`);
    }
    writeFileSync(join(folder, 'captions.csv'), rows.join('\n'));
    packed = newFolder();
    await packDataset(folder, packed, { format: 'webdataset', shardBytes: 600 });
  });

  it('takes splits and counts from the manifest, which a setting goes before', async () => {
    const found = await findStream(packed, stream);
    expect(found.train.length).toBeGreaterThan(1);
    for (const shard of found.train) expect(shard).toMatch(/train-\d{6}\.tar$/);
    expect(found.dev).toEqual([join(packed, 'dev-000000.tar')]);
    expect(found.epochImages).toBe(6);
    expect(found.captions).toBe(6);
    const ofSetting = await findStream(packed, counted);
    expect(ofSetting.epochImages).toBe(7);
    expect(ofSetting.captions).toBeUndefined();
  });

  it('is another where a shard has another checksum or size, and the same in another folder', async () => {
    const before = (await findStream(packed, stream)).fingerprint;
    const copy = newFolder();
    for (const name of readdirSync(packed))
      writeFileSync(join(copy, name), readFileSync(join(packed, name)));
    expect((await findStream(copy, stream)).fingerprint).toBe(before);
    const manifest = JSON.parse(readFileSync(join(copy, 'manifest.json'), 'utf8'));
    manifest.shards[0].sha256 = 'another';
    writeFileSync(join(copy, 'manifest.json'), JSON.stringify(manifest));
    expect((await findStream(copy, stream)).fingerprint).not.toBe(before);
    rmSync(join(copy, 'manifest.json'));
    const bySize = (await findStream(copy, counted)).fingerprint;
    writeFileSync(join(copy, 'train-000000.tar'), 'shorter');
    expect((await findStream(copy, counted)).fingerprint).not.toBe(bySize);
  });

  it('finds the manifest of a store, and does without one', async () => {
    const store = await startStore(true);
    try {
      for (const name of readdirSync(packed))
        store.objects.set(`set/${name}`, readFileSync(join(packed, name)));
      const address = `${store.url}/set/train-{000000,000001}.tar`;
      const { train, epochImages } = await findStream(address, stream);
      expect(train).toEqual([0, 1].map((i) => `${store.url}/set/train-00000${i}.tar`));
      const own = JSON.parse(readFileSync(join(packed, 'manifest.json'), 'utf8')).shards;
      const images = own.filter(({ name }: { name: string }) => /train-00000[01]/.test(name));
      expect(epochImages).toBe(
        images.reduce((sum: number, shard: { images: number }) => sum + shard.images, 0),
      );
      store.objects.delete('set/manifest.json');
      await expect(findStream(address, stream)).rejects.toThrow(
        `${store.url}/set/train-000000.tar: how many pictures an epoch has is not known`,
      );
      // No shard was asked for.
      expect(store.asked.filter((line) => line.includes('.tar'))).toEqual([]);
    } finally {
      await store.close();
    }
  });

  it('goes by names and folders where there is no manifest, and leaves out what has no split', async () => {
    const folder = shardsOf('train/0.tar', 'train/1.tar', 'val/0.tar', 'test/0.tar');
    expect(await findStream(folder, counted)).toMatchObject({
      train: [join(folder, 'train/0.tar'), join(folder, 'train/1.tar')],
      dev: [join(folder, 'val/0.tar')],
      passedOver: [],
    });
    const mixed = shardsOf('train-0.tar', 'other-0.tar', 'val-0.tar');
    expect((await findStream(mixed, counted)).passedOver).toEqual([join(mixed, 'other-0.tar')]);
    const plain = shardsOf('x-0.tar', 'x-1.tar');
    expect(await findStream(plain, counted)).toMatchObject({
      train: [join(plain, 'x-0.tar'), join(plain, 'x-1.tar')],
      dev: [],
    });
  });

  it('says what is missing', async () => {
    const folder = shardsOf('val-0.tar', 'test-0.tar');
    await expect(findStream(folder, counted)).rejects.toThrow(
      `${folder}: none of 2 shards is of the train split; name some train-000000.tar and so on`,
    );
    const partly = newFolder();
    for (const name of readdirSync(packed))
      writeFileSync(join(partly, name), readFileSync(join(packed, name)));
    writeFileSync(join(partly, 'train-more.tar'), '');
    await expect(findStream(partly, stream)).rejects.toThrow(
      'as no manifest.json of refcap data pack lies beside all shards; give --set stream.epochImages=N.',
    );
  });
});
