/** A folder that several write to: what is there is whole, and of those who create the same, one does. */
import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/base/errors.ts';
import { folderStore } from '../../../src/scale/output/folder.ts';
import { newFolder } from '../../data/shards/shards.ts';

describe('a folder of results', () => {
  it('is made, and gives back what was put there', async () => {
    const store = await folderStore(join(newFolder(), 'a/b'));
    expect(await store.read('x')).toBeUndefined();
    expect(await store.put('x', (path) => writeFile(path, 'one').then(() => 7))).toBe(7);
    expect(await store.read('x')).toBe('one');
    await store.put('x', (path) => writeFile(path, 'two'));
    expect(await store.read('x')).toBe('two');
  });

  it('keeps what is there when an object does not become whole', async () => {
    const folder = newFolder();
    const store = await folderStore(folder);
    await store.put('x', (path) => writeFile(path, 'whole'));
    const broken = store.put('x', async (path) => {
      await writeFile(path, 'ha');
      throw new Error('stopped');
    });
    await expect(broken).rejects.toThrow('stopped');
    expect(await store.read('x')).toBe('whole');
    expect(readdirSync(folder)).toEqual(['x']);
  });

  it('is told of by its own name where it cannot be written', async () => {
    const folder = newFolder();
    const store = await folderStore(folder);
    const full = store.put('x', async (path) => {
      throw new InputError(`${path}: the disk is full.`);
    });
    await expect(full).rejects.toThrow(`${join(folder, 'x')}: the disk is full.`);
  });

  it('lets one of many create an object', async () => {
    const folder = newFolder();
    const stores = await Promise.all(Array.from({ length: 8 }, () => folderStore(folder)));
    const made = await Promise.all(stores.map((store, i) => store.create('x', `text ${i}`)));
    expect(made.filter(Boolean)).toHaveLength(1);
    expect(await stores[0].read('x')).toBe(`text ${made.indexOf(true)}`);
    expect(readdirSync(folder)).toEqual(['x']);
  });

  it('is refused in a sentence where nothing can be written', async () => {
    const file = join(newFolder(), 'file');
    writeFileSync(file, '');
    await expect(folderStore(join(file, 'x'))).rejects.toThrow(/is a file, not a folder/);
    const closed = newFolder();
    chmodSync(closed, 0o500);
    // root may write everywhere.
    if (process.getuid?.() !== 0)
      await expect(folderStore(join(closed, 'x'))).rejects.toThrow(/no permission to write here/);
  });
});
