/** What a rehearsal reads of a stream. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { beginningOf, withFeatures } from '../../../src/train/stream/beginning.ts';
import { samplesToTrain } from '../../../src/train/stream/entries.ts';
import type { StreamImages } from '../../../src/train/stream/images.ts';
import { jpeg, newFolder, tarOf } from '../../data/shards/shards.ts';

const entries = { onFault: (_: string, sentence: string) => expect.unreachable(sentence) };

it('reads no more shards than have the pictures, nor more of each', async () => {
  const folder = newFolder();
  const picture = await jpeg(1);
  const shards = [0, 1, 2].map((shard) =>
    tarOf(
      join(folder, `train-${shard}.tar`),
      Object.fromEntries(
        [0, 1, 2, 3].flatMap((i): [string, string | Uint8Array][] => [
          [`${i}.jpg`, picture],
          [`${i}.txt`, 'a picture'],
        ]),
      ),
    ),
  );
  const read = async (wanted: number) => {
    const part = await beginningOf(shards, wanted, entries);
    let pictures = 0;
    for (const shard of part.shards)
      for await (const _ of samplesToTrain(shard, part.entries)) pictures += 1;
    return [part.shards.length, pictures];
  };
  expect(await read(3)).toEqual([1, 3]);
  expect(await read(4)).toEqual([1, 4]);
  expect(await read(5)).toEqual([2, 8]);
  expect(await read(99)).toEqual([3, 12]);
});

it('has features computed before, and lets go of them whatever happens', async () => {
  const told: string[] = [];
  const images: StreamImages = {
    kind: 'tokens',
    read: async () => undefined,
    ready: async (shard) => void told.push(`ready ${shard}`),
    forget: async (shard) => void told.push(`forget ${shard}`),
  };
  const failing = withFeatures(images, ['a', 'b'], async () => {
    told.push('go');
    throw new Error('enough');
  });
  await expect(failing).rejects.toThrow('enough');
  expect(told).toEqual(['ready a', 'ready b', 'go', 'forget a', 'forget b']);
});
