/** Settings from files and flags. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  applySetting,
  describeDifference,
  differences,
  mergeSettings,
  readConfigFile,
} from '../../../src/train/config/file.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refcap-config-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('settings', () => {
  it('are laid over each other: groups merged, lists and values replaced', () => {
    const under = { a: 1, group: { x: 1, list: [1, 2] }, gone: { y: 1 } };
    const over = { group: { list: [3], z: null }, gone: null };
    expect(mergeSettings(under, over)).toEqual({
      a: 1,
      group: { x: 1, list: [3], z: null },
      gone: null,
    });
    expect(under.group.list).toEqual([1, 2]);
  });

  it('are given one by one as YAML', () => {
    expect(applySetting({ a: { b: 1 } }, 'a.c=[1, x]')).toEqual({ a: { b: 1, c: [1, 'x'] } });
    expect(applySetting({ a: { b: 1 } }, 'a=null')).toEqual({ a: null });
    for (const wrong of ['a', '=1', 'a..b=1', '.a=1'])
      expect(() => applySetting({}, wrong)).toThrow(`--set ${wrong}: write NAME=VALUE`);
    expect(() => applySetting({}, 'a={')).toThrow('not valid YAML');
  });

  it('are told apart by path', () => {
    const found = differences({ a: 1, b: { c: [1], d: 2 } }, { a: 1, b: { c: [2], e: 3 } });
    expect(found.map(describeDifference)).toEqual([
      'b.c: [1] before, [2] now',
      'b.d: 2 before, nothing now',
      'b.e: nothing before, 3 now',
    ]);
    expect(differences({ a: { b: null } }, { a: { b: null } })).toEqual([]);
  });

  it('of a file name file and line where they cannot be read', async () => {
    const path = join(folder, 'settings.yaml');
    const read = async (text: string) => {
      await writeFile(path, text);
      return readConfigFile(path);
    };
    expect(await read('epochs: 3\nlora: { rank: 2 }\n')).toEqual({ epochs: 3, lora: { rank: 2 } });
    expect(await read('')).toEqual({});
    await expect(read('epochs: 3\nlora: {')).rejects.toThrow(
      /settings\.yaml, line \d+, column \d+/,
    );
    await expect(read('- 1')).rejects.toThrow('the settings must be names with values');
    await expect(read('a: *b')).rejects.toThrow('settings.yaml');
    await expect(readConfigFile(join(folder, 'none.yaml'))).rejects.toThrow(
      'there is no such file',
    );
  });
});
