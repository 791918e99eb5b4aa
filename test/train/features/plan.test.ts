/** Which features go to which shard: whatever the order, and as little moved as can be. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  type HashedImage,
  planShards,
  shardKey,
  viewSeed,
} from '../../../src/train/features/plan.ts';

const image = (i: number, mayFlip = true): HashedImage => ({
  path: `${i}.png`,
  mayFlip,
  hash: createHash('sha256').update(String(i)).digest('hex'),
});
const preprocessing = { width: 2, height: 2 } as unknown as never;
const settings = { tower: 't', preprocessing, frames: 1, seed: 1, augmentation: undefined };
const keys = (images: readonly HashedImage[]) =>
  planShards(images).groups.map((group) => shardKey(group, 0, settings));

it('finds every image where its shard holds it, equal files once', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 500 }),
      (list) => {
        const images = list.map((i) => image(i, i % 2 === 0));
        const { groups, group, slot } = planShards(images);
        for (const [place, { hash }] of images.entries())
          expect(groups[group[place]][slot[place]].hash).toBe(hash);
        expect(groups.flat()).toHaveLength(new Set(list).size);
      },
    ),
    { numRuns: 30 },
  );
});

it('does not depend on the order, and one image more touches one shard', () => {
  const images = Array.from({ length: 400 }, (_, i) => image(i));
  expect(keys([...images].reverse())).toEqual(keys(images));
  const before = new Set(keys(images));
  expect(before.size).toBeGreaterThan(2);
  expect(keys([...images, image(1000)]).filter((key) => !before.has(key))).toHaveLength(1);
});

it('tells augmented views apart by seed and number, plain ones not', () => {
  const group = [image(1)];
  const other = { ...settings, seed: 2 };
  expect(shardKey(group, 0, other)).toBe(shardKey(group, 0, settings));
  const all = [1, 2].flatMap((view) => [settings, other].map((one) => shardKey(group, view, one)));
  expect(new Set(all).size).toBe(4);
  expect(shardKey([image(1, false)], 1, settings)).not.toBe(shardKey(group, 1, settings));
  expect(viewSeed(image(1), 1, 1)).not.toEqual(viewSeed(image(1), 2, 1));
});

it('tells clips of several frames from their middle frames', () => {
  const group = [image(1)];
  const several = { ...settings, frames: 8 };
  expect(shardKey(group, 0, several)).not.toBe(shardKey(group, 0, settings));
  expect(shardKey(group, 0, { ...settings, frames: 4 })).not.toBe(shardKey(group, 0, several));
});
