/** One file of features: whole or not there, and two writers of the same one. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  checkShard,
  FilePool,
  readShardImage,
  type Shard,
  ShardWriter,
  shardBytes,
} from '../../../src/train/features/shard.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refcap-shard-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const content = { key: 'ab'.repeat(32), images: 3, valuesPerImage: 5 };
/** Three images, of bytes that begin with this one. */
const features = (first: number) => Uint8Array.from({ length: 30 }, (_, i) => first + i);

async function write(path: string, first: number): Promise<Shard> {
  const writer = await ShardWriter.open(path, content);
  await writer.append(features(first).subarray(0, 10));
  await writer.append(features(first).subarray(10));
  return writer.finish();
}

async function read(shard: Shard): Promise<number[]> {
  await using files = new FilePool(2);
  const all: number[] = [];
  for (const slot of [0, 1, 2]) {
    const target = new Uint8Array(10);
    await files.with(shard.path, (file) => readShardImage(file, shard, slot, target));
    all.push(...target);
  }
  return all;
}

describe('a shard', () => {
  it('is read as it was written, and its size is known before', async () => {
    const path = join(folder, 'a.f16');
    expect(await checkShard(path, content)).toBeUndefined();
    const shard = await write(path, 7);
    expect(await read(shard)).toEqual([...features(7)]);
    expect(await checkShard(path, content)).toEqual(shard);
    expect((await readFile(path)).length).toBe(shardBytes(content));
    expect(await checkShard(path, { ...content, key: 'cd'.repeat(32) })).toBe('damaged');
  });

  it('is not read from a pool that is disposed, whose files nobody would close', async () => {
    const shard = await write(join(folder, 'late.f16'), 3);
    const files = new FilePool(2);
    await files[Symbol.asyncDispose]();
    const late = files.with(shard.path, (file) =>
      readShardImage(file, shard, 0, new Uint8Array(10)),
    );
    await expect(late).rejects.toThrow('disposed');
  });

  it('of two writers is the one of the first, which both go on with', async () => {
    const path = join(folder, 'b.f16');
    const [one, two] = [
      await ShardWriter.open(path, content),
      await ShardWriter.open(path, content),
    ];
    await one.append(features(1));
    await two.append(features(2));
    const first = await one.finish();
    const second = await two.finish();
    expect(await read(first)).toEqual([...features(1)]);
    expect(second).toEqual(first);
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('that is damaged is replaced', async () => {
    const path = join(folder, 'c.f16');
    await write(path, 3);
    const bytes = await readFile(path);
    bytes[70] ^= 1;
    await writeFile(path, bytes);
    expect(await checkShard(path, content)).toBe('damaged');
    expect(await read(await write(path, 4))).toEqual([...features(4)]);
  });

  it('that is given up leaves nothing', async () => {
    const path = join(folder, 'd.f16');
    const writer = await ShardWriter.open(path, content);
    await writer.append(features(0));
    await writer.discard();
    expect((await readdir(folder)).filter((name) => name.startsWith('d.'))).toEqual([]);
  });
});
