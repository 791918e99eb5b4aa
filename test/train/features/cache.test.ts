/** The feature cache: what it holds, what it computes again, and what damage does. */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../../src/base/errors.ts';
import { f16ToF32 } from '../../../src/base/half.ts';
import { createRandom } from '../../../src/base/random.ts';
import { framed } from '../../../src/data/images/augment.ts';
import { decodeImage } from '../../../src/data/images/decode.ts';
import { createPreprocessor } from '../../../src/data/images/preprocess.ts';
import type { RgbImage } from '../../../src/data/images/rgb.ts';
import * as ops from '../../../src/engine/graph/ops.ts';
import { Session } from '../../../src/engine/runtime/session.ts';
import { tensor } from '../../../src/engine/runtime/tensor.ts';
import {
  openTower,
  type PretrainedTower,
  towerGraph,
} from '../../../src/model/checkpoint/tower.ts';
import { Scope } from '../../../src/nn/scope.ts';
import {
  type FeatureImage,
  type FeatureOptions,
  featureBytes,
  openFeatures,
} from '../../../src/train/features/cache.ts';
import { writeTinyTower } from '../tiny.ts';

let scratch = '';
let tower: PretrainedTower;
let images: FeatureImage[] = [];
const augmentation = { scale: [0.4, 1], ratio: [0.75, 4 / 3], flip: true } as const;
const two = { views: 2, augmentation, seed: 5, threads: 1 };

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'refcap-features-'));
  await writeTinyTower(join(scratch, 'tower'));
  tower = await openTower(join(scratch, 'tower'));
  await mkdir(join(scratch, 'pictures'));
  // More than one shard: a shard holds up to 128 images on average.
  images = await Promise.all(
    Array.from({ length: 300 }, async (_, i) => {
      const random = createRandom(i + 1);
      const pixels = Uint8Array.from({ length: 40 * 30 * 3 }, () => random.integer(256));
      const path = join(scratch, 'pictures', `${i}.png`);
      const raw = { width: 40, height: 30, channels: 3 as const };
      await sharp(pixels, { raw }).png({ compressionLevel: 0 }).toFile(path);
      return { path, mayFlip: i % 2 === 0 };
    }),
  );
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const folderOf = (name: string) => join(scratch, name);

/** A hash of the content by file name: comparing megabytes in a matcher takes seconds. */
async function shardsIn(folder: string): Promise<Map<string, string>> {
  const names = (await readdir(folder)).sort();
  return new Map(
    await Promise.all(
      names.map(async (name) => [name, digest(await readFile(join(folder, name)))] as const),
    ),
  );
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Opens, counts what is computed, reads everything and closes; a hash an image of every view. */
async function features(
  list: readonly FeatureImage[],
  options: FeatureOptions,
): Promise<{ values: string[][]; computed: number; notes: string[] }> {
  let computed = 0;
  const notes: string[] = [];
  await using cache = await openFeatures(tower, list, {
    ...options,
    onProgress: (done) => {
      computed = done;
    },
    onNote: (note) => notes.push(note),
  });
  const values: string[][] = [];
  for (let view = 0; view < cache.views; view++) {
    const target = new Uint16Array(list.length * cache.valuesPerImage);
    const places = [...list.keys()];
    await cache.read(
      places,
      places.map(() => view),
      target,
    );
    const size = cache.valuesPerImage * 2;
    const bytes = new Uint8Array(target.buffer);
    values.push(places.map((place) => digest(bytes.subarray(place * size, (place + 1) * size))));
  }
  return { values, computed, notes };
}

/** What the tower gives of pictures, one at a time, as bits of f16. */
async function tokensOf(pictures: readonly RgbImage[]): Promise<Uint16Array[]> {
  using session = await Session.open(
    { tokens: ops.cast(towerGraph(new Scope(), tower.config), 'f16') },
    { threads: 1 },
  );
  const preprocessor = createPreprocessor(tower.preprocessing);
  const found: Uint16Array[] = [];
  for (const picture of pictures) {
    const pixels = tensor('f32', [1, 3, 32, 32]);
    preprocessor.write(picture, pixels.data);
    const result = await session.run({ ...tower.store.feeds(), pixels });
    found.push(Uint16Array.from(result.tokens.data, Number));
  }
  return found;
}

/** A batch may be summed in another order than one image: a step of f16. */
function expectClose(found: Uint16Array, wanted: Uint16Array): void {
  const expected = f16ToF32(wanted);
  const far = f16ToF32(found).findIndex(
    (x, k) => Math.abs(x - expected[k]) > Math.abs(expected[k]) * 2 ** -10 + 1e-6,
  );
  expect(far).toBe(-1);
}

describe('the feature cache', () => {
  it("holds the tower's tokens of every image, whatever the order of reading", async () => {
    const chosen = images.slice(0, 5);
    const wanted = await tokensOf(await Promise.all(chosen.map(({ path }) => decodeImage(path))));
    await using cache = await openFeatures(tower, images, { folder: folderOf('all'), ...two });
    expect(cache.valuesPerImage).toBe(64 * 24);
    const order = [3, 0, 4, 4, 1, 2];
    const target = new Uint16Array(order.length * cache.valuesPerImage);
    await cache.read(
      order,
      order.map(() => 0),
      target,
    );
    for (const [i, place] of order.entries())
      expectClose(
        target.subarray(i * cache.valuesPerImage, (i + 1) * cache.valuesPerImage),
        wanted[place],
      );
    await expect(cache.read([0], [2], target)).rejects.toThrow('no view 2 of image 0');
  });

  it('tells what an augmented view shows: its tokens are those of that part of the picture', async () => {
    await using cache = await openFeatures(tower, images, { folder: folderOf('all'), ...two });
    const places = [0, 1, 2, 3, 4, 5];
    const parts = await Promise.all(
      places.map(async (place) => {
        const whole = await decodeImage(images[place].path);
        expect(cache.framing(place, 0, whole)).toBeUndefined();
        const framing = cache.framing(place, 1, whole);
        return framing ? framed(whole, framing) : whole;
      }),
    );
    const wanted = await tokensOf(parts);
    const target = new Uint16Array(places.length * cache.valuesPerImage);
    await cache.read(
      places,
      places.map(() => 1),
      target,
    );
    for (const place of places)
      expectClose(
        target.subarray(place * cache.valuesPerImage, (place + 1) * cache.valuesPerImage),
        wanted[place],
      );
  });

  it('view 0 is that of a cache without augmentation; other views and seeds differ', async () => {
    const plain = await features(images, { folder: folderOf('plain'), threads: 1 });
    const both = await features(images, { folder: folderOf('both'), ...two });
    const again = await features(images, { folder: folderOf('again'), ...two });
    expect(both.computed).toBe(2 * images.length);
    expect(both.values[0]).toEqual(plain.values[0]);
    expect(both.values[1]).not.toEqual(both.values[0]);
    expect(again.values).toEqual(both.values);
    expect(await shardsIn(folderOf('again'))).toEqual(await shardsIn(folderOf('both')));
    const other = await features(images, { folder: folderOf('both'), ...two, seed: 6 });
    // The plain view was there already.
    expect(other.computed).toBe(images.length);
    expect(other.values[0]).toEqual(both.values[0]);
    expect(other.values[1]).not.toEqual(both.values[1]);
  });

  it('does not mirror what may not be mirrored', async () => {
    const mirror = {
      augmentation: { scale: [1, 1], ratio: [4 / 3, 4 / 3], flip: true },
      views: 4,
      threads: 1,
      folder: folderOf('mirror'),
    } as const;
    const [fixed, free] = [false, true].map((mayFlip) =>
      images.slice(0, 8).map(({ path }) => ({ path, mayFlip })),
    );
    const still = await features(fixed, mirror);
    for (const view of still.values) expect(view).toEqual(still.values[0]);
    const moved = await features(free, mirror);
    expect(moved.values[0]).toEqual(still.values[0]);
    expect(moved.values).not.toEqual(still.values);
  });

  it('computes nothing again for the same images in another order, or twice in the list', async () => {
    const folder = folderOf('order');
    const first = await features(images, { folder, ...two });
    const list = [...images].reverse();
    const second = await features([...list, list[0]], { folder, ...two });
    expect(second.computed).toBe(0);
    for (const [view, values] of first.values.entries())
      expect(second.values[view]).toEqual([...values.toReversed(), values.at(-1)]);
  });

  it('goes on after an interruption, to the same bytes', async () => {
    const whole = folderOf('whole');
    await features(images, { folder: whole, ...two });
    const folder = folderOf('interrupted');
    for (const moment of [100, 400]) {
      const stop = new AbortController();
      const opening = openFeatures(tower, images, {
        folder,
        ...two,
        signal: stop.signal,
        onProgress: (done) => done >= moment && stop.abort(),
      });
      await expect(opening).rejects.toThrow('abort');
      expect((await readdir(folder)).every((name) => name.endsWith('.f16'))).toBe(true);
    }
    const rest = await features(images, { folder, ...two });
    expect(rest.computed).toBeGreaterThan(0);
    expect(rest.computed).toBeLessThan(2 * images.length);
    expect(await shardsIn(folder)).toEqual(await shardsIn(whole));
  });

  it('computes again only the shards of a picture that changed', async () => {
    const folder = folderOf('changed');
    await features(images, { folder, threads: 1 });
    const before = await shardsIn(folder);
    expect(before.size).toBeGreaterThan(2);
    const copy = join(scratch, 'changed.png');
    await sharp({ create: { width: 9, height: 9, channels: 3, background: '#123456' } })
      .png()
      .toFile(copy);
    const list = images.with(7, { path: copy, mayFlip: false });
    const after = await features(list, { folder, threads: 1 });
    const added = [...(await shardsIn(folder)).keys()].filter((name) => !before.has(name));
    // The picture leaves one shard and may come into another.
    expect(added.length).toBeGreaterThanOrEqual(1);
    expect(added.length).toBeLessThanOrEqual(2);
    expect(after.computed).toBeLessThan(images.length);
    const fresh = await features(list, { folder: folderOf('fresh'), threads: 1 });
    expect(after.values).toEqual(fresh.values);
  });

  it('another tower or another preprocessing has features of its own', async () => {
    const folder = folderOf('keys');
    const list = images.slice(0, 4);
    await features(list, { folder, threads: 1 });
    const variants: PretrainedTower[] = [
      { ...tower, fingerprint: 'another' },
      { ...tower, preprocessing: { ...tower.preprocessing, mean: [0, 0, 0] } },
    ];
    for (const variant of variants) {
      let computed = 0;
      const onProgress = (done: number): void => {
        computed = done;
      };
      await using _ = await openFeatures(variant, list, { folder, threads: 1, onProgress });
      expect(computed).toBe(4);
    }
    expect((await features(list, { folder, threads: 1 })).computed).toBe(0);
  });
});

describe('damage', () => {
  const damages: Record<string, (path: string, other: string) => Promise<void>> = {
    'a changed byte': async (path) => {
      const bytes = await readFile(path);
      bytes[bytes.length >> 1] ^= 1;
      await writeFile(path, bytes);
    },
    'a changed checksum': async (path) => {
      const bytes = await readFile(path);
      bytes[bytes.length - 1] ^= 1;
      await writeFile(path, bytes);
    },
    'a changed header': async (path) => {
      const bytes = await readFile(path);
      bytes[20] ^= 1;
      await writeFile(path, bytes);
    },
    'a cut': async (path) => writeFile(path, (await readFile(path)).subarray(0, -10)),
    'nothing left': (path) => writeFile(path, ''),
    "another shard's content": (path, other) => copyFile(other, path),
  };
  for (const [name, damage] of Object.entries(damages))
    it(`${name} is found at the next opening, and computed again with a note`, async () => {
      const folder = folderOf(`damage-${name.replaceAll(/\W/g, '-')}`);
      const list = images.slice(0, 6);
      const good = await features(list, { folder, ...two });
      const before = await shardsIn(folder);
      const [first, second] = [...before.keys()].map((file) => join(folder, file));
      await damage(first, second);
      const again = await features(list, { folder, ...two });
      expect(again.notes[0]).toMatch(`${first}: these image features are damaged`);
      expect(again.computed).toBe(list.length);
      expect(again.values).toEqual(good.values);
      expect(await shardsIn(folder)).toEqual(before);
    });

  it('while it is open gives one sentence with the file', async () => {
    const folder = folderOf('later');
    const list = images.slice(0, 6);
    await using cache = await openFeatures(tower, list, { folder, threads: 1 });
    const [name] = await readdir(folder);
    const path = join(folder, name);
    const target = new Uint16Array(6 * cache.valuesPerImage);
    const read = () => cache.read([...list.keys()], [0, 0, 0, 0, 0, 0], target);
    await read();
    const whole = await readFile(path);
    await writeFile(path, whole.subarray(0, 5000));
    await expect(read()).rejects.toThrow(InputError);
    await expect(read()).rejects.toThrow(`${path}: these image features were damaged`);
    await writeFile(
      path,
      whole.map((byte, i) => (i === 300 ? byte ^ 4 : byte)),
    );
    await expect(read()).rejects.toThrow(`${path}: these image features were damaged`);
    await writeFile(path, whole);
    await read();
  });

  it('a removed shard gives one sentence too', async () => {
    const folder = folderOf('removed');
    await using cache = await openFeatures(tower, images.slice(0, 2), { folder, threads: 1 });
    const [name] = await readdir(folder);
    await rm(join(folder, name));
    const target = new Uint16Array(cache.valuesPerImage);
    await expect(cache.read([0], [0], target)).rejects.toThrow(`${name}: these image features`);
  });
});

describe('what cannot be cached', () => {
  it('an image that cannot be decoded, or is not there, is named, and leaves nothing half-written', async () => {
    const broken = join(scratch, 'broken.png');
    await writeFile(broken, (await readFile(images[0].path)).subarray(0, 500));
    const list = [...images.slice(0, 40), { path: broken, mayFlip: true }];
    const folder = folderOf('undecodable');
    const opening = openFeatures(tower, list, { folder, threads: 1 });
    await expect(opening).rejects.toThrow(InputError);
    await expect(opening).rejects.toThrow(`${broken}: the PNG is cut off, damaged`);
    expect(await readdir(folder)).toEqual([]);
    const absent = [{ path: join(scratch, 'absent.png'), mayFlip: true }];
    await expect(openFeatures(tower, absent, { folder })).rejects.toThrow('absent.png');
  });

  it('says the size before it computes, and refuses what the disk cannot hold', async () => {
    const folder = folderOf('size');
    const list = images.slice(0, 10);
    const { notes } = await features(list, { folder, ...two });
    expect(notes).toEqual([`Computing the features of 20 images and views: 1 MB in ${folder}.`]);
    const sizes = await Promise.all(
      (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size),
    );
    expect(featureBytes(tower, 10, 2)).toBe(sizes[0] + sizes[1]);
    // A tower that claims an absurd width.
    const huge = { ...tower, config: { ...tower.config, hidden_size: 1e15 } };
    await expect(openFeatures(huge, list, { folder, ...two })).rejects.toThrow(
      /the image features need [\d,]+ MB and the disk has [\d,]+ MB left/,
    );
  });
});
