/** Random numbers, 16-bit floats and files: what every room relies on. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readJsonFile, writeFileAtomic } from '../../src/base/files.ts';
import { isDesktopFile, removeLeftovers, replaceFolder } from '../../src/base/folders.ts';
import {
  f16BitsToF32,
  f16ToF32,
  f32ToBf16Bits,
  f32ToF16,
  f32ToF16Bits,
} from '../../src/base/half.ts';
import { createRandom, shuffle } from '../../src/base/random.ts';

describe('random numbers', () => {
  it('follow xoshiro128**', () => {
    // The first words for the state 1, 2, 3, 4, computed in Python from the published description.
    const random = createRandom([1, 2, 3, 4]);
    const words = [11520, 0, 5927040, 70819200, 2_031_721_883, 1_637_235_492];
    for (const [a, b] of [words.slice(0, 2), words.slice(2, 4), words.slice(4, 6)]) {
      const expected = ((a >>> 5) * 67108864 + (b >>> 6)) / 9007199254740992;
      expect(random.next()).toBe(expected);
    }
  });

  it('go on from a stored state, and differ by seed', () => {
    const random = createRandom(42);
    for (let i = 0; i < 10; i++) random.normal();
    const resumed = createRandom(random.state());
    expect(Array.from({ length: 5 }, () => resumed.next())).toEqual(
      Array.from({ length: 5 }, () => random.next()),
    );
    expect(createRandom(1).next()).not.toBe(createRandom(2).next());
    expect(createRandom(2 ** 40).next()).not.toBe(createRandom(0).next());
  });

  it('are uniform and normal', () => {
    const random = createRandom(7);
    const n = 100_000;
    const normals = Array.from({ length: n }, () => random.normal());
    const mean = normals.reduce((a, b) => a + b, 0) / n;
    const variance = normals.reduce((sum, x) => sum + (x - mean) ** 2, 0) / n;
    expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(n));
    expect(Math.abs(variance - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
    const counts = new Array(10).fill(0);
    for (let i = 0; i < n; i++) counts[random.integer(10)] += 1;
    for (const count of counts)
      expect(Math.abs(count - n / 10)).toBeLessThan(5 * Math.sqrt(n * 0.09));
  });

  it('shuffle into a permutation', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.nat(), (items, seed) => {
        const shuffled = shuffle([...items], createRandom(seed));
        expect(shuffled.sort((a, b) => a - b)).toEqual(items.sort((a, b) => a - b));
      }),
    );
  });
});

describe('16-bit floats', () => {
  it('keep every f16 value through f32', () => {
    const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const back = f32ToF16(f16ToF32(all));
    for (let i = 0; i < 65536; i++) {
      const isNotANumber = (i & 0x7c00) === 0x7c00 && (i & 0x3ff) !== 0;
      if (isNotANumber) expect(Number.isNaN(f16BitsToF32(back[i]))).toBe(true);
      else expect(back[i]).toBe(i);
    }
  });

  it('round to the nearest, ties to even', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, min: -65500, max: 65500 }), (x) => {
        const rounded = f16BitsToF32(f32ToF16Bits(x));
        for (const step of [-1, 1]) {
          const neighbour = f16BitsToF32(f32ToF16Bits(rounded) + step);
          if (Number.isFinite(neighbour))
            expect(Math.abs(rounded - x)).toBeLessThanOrEqual(Math.abs(neighbour - x));
        }
        const [wide] = new Float32Array(Uint32Array.of(f32ToBf16Bits(x) << 16).buffer);
        expect(Math.abs(wide - x)).toBeLessThanOrEqual(Math.abs(x) * 2 ** -8 + 1e-38);
      }),
    );
    expect(f32ToF16Bits(2049)).toBe(f32ToF16Bits(2048));
    expect(f32ToF16Bits(2051)).toBe(f32ToF16Bits(2052));
    expect(f32ToF16Bits(70000)).toBe(0x7c00);
  });
});

describe('files', () => {
  it('are replaced whole or not at all', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'refcap-files-'));
    const path = join(folder, 'a.txt');
    await writeFile(path, 'old');
    async function* failing() {
      yield 'half of';
      throw new Error('no more');
    }
    await expect(writeFileAtomic(path, failing())).rejects.toThrow('no more');
    expect(await readFile(path, 'utf8')).toBe('old');
    await writeFileAtomic(path, ['new ', new Uint8Array([33])]);
    expect(await readFile(path, 'utf8')).toBe('new !');
    expect(await readdir(folder)).toEqual(['a.txt']);
    await expect(writeFileAtomic(join(folder, 'none/b.txt'), 'x')).rejects.toThrow(
      'the folder does not exist',
    );
    await expect(readJsonFile(path)).rejects.toThrow(`${path}: not valid JSON`);
    await expect(readJsonFile(join(folder, 'c.json'))).rejects.toThrow('there is no such file');
    await rm(folder, { recursive: true });
  });
});

describe('folders', () => {
  it('may hold what desktops leave there', () => {
    for (const name of ['.DS_Store', 'Thumbs.db', 'desktop.ini', '._model.safetensors'])
      expect(isDesktopFile(name)).toBe(true);
    for (const name of ['model.safetensors', '.gitignore', 'notes.ini'])
      expect(isDesktopFile(name)).toBe(false);
  });

  it('are replaced whole or not at all, but for what is to stay', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'refcap-folders-'));
    const target = join(parent, 'made/model');
    const write = (folder: string, name: string, text: string) =>
      writeFile(join(folder, name), text);
    const contents = async () => {
      const names = (await readdir(target)).sort();
      return Promise.all(
        names.map(async (name) => [name, await readFile(join(target, name), 'utf8')]),
      );
    };
    const filled = await replaceFolder(target, async (folder) => {
      for (const name of ['a', 'b', 'mine']) await write(folder, name, 'old');
      return 7;
    });
    expect(filled).toBe(7);
    const failing = replaceFolder(target, async (folder) => {
      await write(folder, 'a', 'half');
      throw new Error('no more');
    });
    await expect(failing).rejects.toThrow('no more');
    const old = ['a', 'b', 'mine'].map((name) => [name, 'old']);
    expect(await contents()).toEqual(old);
    const renew = (keeps?: (name: string) => boolean) =>
      replaceFolder(target, (folder) => write(folder, 'a', 'new'), keeps);
    await renew((name) => name !== 'b');
    expect(await contents()).toEqual([
      ['a', 'new'],
      ['mine', 'old'],
    ]);
    await renew();
    expect(await contents()).toEqual([['a', 'new']]);
    expect(await readdir(join(parent, 'made'))).toEqual(['model']);
    // What killed programs leave: half a folder, half a file, and a folder that was about to be replaced.
    const made = join(parent, 'made');
    for (const name of ['.model.1.tmp', '.model.2.tmp.old', '.moved.3.tmp.old'])
      await mkdir(join(made, name));
    for (const name of ['.a.json.4.tmp', '.lock.5.6.tmp', '.profile']) await write(made, name, 'x');
    await removeLeftovers(made);
    expect((await readdir(made)).sort()).toEqual(['.lock.5.6.tmp', '.profile', 'model', 'moved']);
    // Killed when the new folder was in its place, before what stays had come over: it still comes.
    await mkdir(join(made, '.model.7.tmp.old'));
    await write(join(made, '.model.7.tmp.old'), '.refcap-kept.json', '["mine", "a"]');
    for (const name of ['a', 'b', 'mine']) await write(join(made, '.model.7.tmp.old'), name, 'old');
    await removeLeftovers(made);
    expect(await contents()).toEqual([
      ['a', 'new'],
      ['mine', 'old'],
    ]);
    expect(await readdir(made)).not.toContain('.model.7.tmp.old');
    await rm(parent, { recursive: true });
  });
});
