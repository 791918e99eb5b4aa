/** Choosing and opening a model's weights, sharded indexes, and the conversions of number formats. */
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../../src/base/errors.ts';
import { accessFile } from '../../src/weights/file.ts';
import { openWeights } from '../../src/weights/open.ts';
import { readSafetensors } from '../../src/weights/safetensors/read.ts';
import {
  lazyWeights,
  writeSafetensors,
  writeWeightsFolder,
} from '../../src/weights/safetensors/write.ts';
import { convert, elementCount, fromFloat32, toFloat32 } from '../../src/weights/weight.ts';
import { fixtures } from '../paths.ts';

const tiny = join(fixtures, 'blip/tiny');
let root: string;
let folder: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'refcap-weights-'));
});
beforeEach(async () => {
  folder = await mkdtemp(join(root, 'model-'));
});
afterAll(() => rm(root, { recursive: true }));

const one = (value: number) => fromFloat32(new Float32Array([value]), [1]);
const reasonOf = async (path: string): Promise<string> => {
  const error: unknown = await openWeights(path).then(
    (source) => source.close(),
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(InputError);
  return (error as InputError).message;
};

describe('openWeights', () => {
  it('prefers safetensors, then its index, then .bin, then its index', async () => {
    const formats = async () => {
      await using source = await openWeights(folder);
      return [source.path.slice(folder.length + 1), source.format];
    };
    await writeFile(
      join(folder, 'pytorch_model.bin.index.json'),
      JSON.stringify({ weight_map: { a: 'x.bin' } }),
    );
    expect(await reasonOf(folder)).toMatch(/index.json names the shard "x.bin", which is missing/);
    await copyFile(join(tiny, 'pytorch_model.bin'), join(folder, 'pytorch_model.bin'));
    expect(await formats()).toEqual(['pytorch_model.bin', 'pickle']);
    const shard = 'model-00001-of-00001.safetensors';
    await writeSafetensors(join(folder, shard), [['a', one(1)]]);
    await writeFile(
      join(folder, 'model.safetensors.index.json'),
      JSON.stringify({ weight_map: { a: shard } }),
    );
    expect(await formats()).toEqual(['model.safetensors.index.json', 'safetensors']);
    await copyFile(join(tiny, 'model.safetensors'), join(folder, 'model.safetensors'));
    expect(await formats()).toEqual(['model.safetensors', 'safetensors']);
  });

  it('tells single files by their content, whatever their names', async () => {
    const names = { 'model.safetensors': 'safetensors', 'original.pth': 'pickle' };
    for (const [name, format] of Object.entries(names)) {
      await copyFile(join(tiny, name), join(folder, 'weights.dat'));
      await using source = await openWeights(join(folder, 'weights.dat'));
      expect(source.format).toBe(format);
    }
    await copyFile(join(fixtures, 'pickle/legacy.pth'), join(folder, 'weights.dat'));
    await using legacy = await openWeights(join(folder, 'weights.dat'));
    expect(legacy.format).toBe('pickle');
  });

  it('reads shards of either format as the whole, with the place of each tensor', async () => {
    await using whole = await openWeights(tiny);
    await writeWeightsFolder(folder, lazyWeights(whole), { maxShardBytes: 50_000 });
    await using shards = await openWeights(folder);
    expect([...shards.tensors.keys()].sort()).toEqual([...whole.tensors.keys()].sort());
    expect(new Set([...shards.tensors.values()].map((info) => info.location?.path)).size).toBe(5);
    for (const name of whole.tensors.keys()) {
      const expected = await whole.read(name);
      expect(await shards.read(name)).toEqual(expected);
      expect(await shards.readFloat32(name)).toEqual(toFloat32(expected));
      const { path, offset } = shards.tensors.get(name)?.location ?? { path: '', offset: 0 };
      const bytes = (await readFile(path)).subarray(offset, offset + expected.data.length);
      expect(bytes).toEqual(Buffer.from(expected.data));
    }
    const weightMap: Record<string, string> = {};
    for (const [i, file] of ['zip.pth', 'checkpoint.pth'].entries()) {
      const shard = `pytorch_model-0000${i + 1}-of-00002.bin`;
      await copyFile(join(fixtures, 'pickle', file), join(folder, shard));
      await using part = await openWeights(join(folder, shard));
      for (const name of part.tensors.keys()) weightMap[name] = shard;
    }
    const index = join(folder, 'pytorch_model.bin.index.json');
    await writeFile(index, JSON.stringify({ metadata: {}, weight_map: weightMap }));
    await using bins = await openWeights(index);
    expect(bins.format).toBe('pickle');
    expect([...(await bins.readFloat32('bias'))]).toEqual([5, 6]);
    expect([...(await bins.readFloat32('column'))].length).toBe(4);
  });

  it('refuses an index that its shards do not match', async () => {
    const index = join(folder, 'model.safetensors.index.json');
    await writeSafetensors(join(folder, 'a.safetensors'), [
      ['a', one(1)],
      ['extra', one(2)],
    ]);
    const write = (content: unknown) =>
      writeFile(index, typeof content === 'string' ? content : JSON.stringify(content));
    await write({ weight_map: { a: 'a.safetensors', b: 'a.safetensors' } });
    expect(await reasonOf(folder)).toBe(
      `${index} and its shards differ: "b" is not in a.safetensors, "extra" in a.safetensors is not in the index.`,
    );
    await write({ weight_map: { a: '../a.safetensors' } });
    expect(await reasonOf(folder)).toMatch(/"\.\.\/a.safetensors", which is no plain file name/);
    await write({ weight_map: { a: 'model.safetensors.index.json' } });
    expect(await reasonOf(folder)).toMatch(/no plain file name/);
    await write('{"weight_map": ');
    expect(await reasonOf(folder)).toBe(`${index} is not valid JSON.`);
    await write({});
    expect(await reasonOf(folder)).toBe(`${index} has no weight_map.`);
    await write({ weight_map: {} });
    expect(await reasonOf(folder)).toBe(`${index} has an empty weight_map.`);
    await write({ weight_map: { a: 1 } });
    expect(await reasonOf(folder)).toMatch(/maps "a" to something other than a file name/);
  });

  it('says in one sentence what is wrong with a path', async () => {
    expect(await reasonOf(folder)).toBe(
      `${folder} is a model folder without weights: it has none of model.safetensors, model.safetensors.index.json, pytorch_model.bin, pytorch_model.bin.index.json.`,
    );
    const path = join(folder, 'x.pth');
    expect(await reasonOf(path)).toBe(`${path} does not exist.`);
    await writeFile(path, 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n');
    expect(await reasonOf(path)).toMatch(/is a Git LFS pointer and not the weights/);
    expect(await reasonOf(folder)).toMatch(/name the file itself to use x.pth\./);
    await writeFile(join(folder, 'x.txt'), 'hello, world');
    expect(await reasonOf(join(folder, 'x.txt'))).toMatch(/neither a safetensors file nor one/);
    await writeFile(path, '');
    expect(await reasonOf(path)).toMatch(/x\.pth is an empty file; copy/);
    const huge = Buffer.alloc(16);
    huge.writeBigUInt64LE(10_000_000_000n);
    await writeFile(join(folder, 'model.safetensors'), huge);
    expect(await reasonOf(folder)).toMatch(/claims 10000000000 bytes and the limit is 100000000/);
  });

  it('notices a file that shrinks while it is open', async () => {
    const path = join(folder, 'model.safetensors');
    await writeSafetensors(path, [['a', fromFloat32(new Float32Array(1000), [1000])]]);
    await using source = readSafetensors(await accessFile(path));
    await writeFile(path, (await readFile(path)).subarray(0, 200));
    await expect(source.read('a')).rejects.toThrow(/became shorter while it was being read/);
  });
});

describe('number formats', () => {
  it('keep what the narrower can hold, on the way there and back', () => {
    fc.assert(
      fc.property(fc.float32Array({ maxLength: 50 }), (values) => {
        const tensor = fromFloat32(values, [values.length]);
        expect(toFloat32(convert(convert(tensor, 'f64'), 'f32'))).toEqual(values);
        for (const dtype of ['f16', 'bf16'] as const) {
          const narrow = convert(tensor, dtype);
          const again = convert(fromFloat32(toFloat32(narrow), [values.length]), dtype);
          // NaN's payload aside, narrowing what was narrow changes nothing.
          expect(toFloat32(again)).toEqual(toFloat32(narrow));
          const target = new Float32Array(values.length);
          expect(toFloat32(narrow, target)).toBe(target);
          for (const [i, value] of values.entries())
            if (Math.abs(value) < 6e4 && Math.abs(value) > 1e-4)
              expect(Math.abs(target[i] / value - 1)).toBeLessThanOrEqual(2 ** -8);
        }
      }),
    );
  });

  it('count elements without losing an overflow', () => {
    expect(elementCount([])).toBe(1);
    expect(elementCount([3, 0, 4])).toBe(0);
    expect(elementCount([2 ** 30, 2 ** 30, 0])).toBeNaN();
  });
});
