/** The lock of downloads: one holder at a time, also when many find a stale one. */
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withLock } from '../../src/hub/transfer.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refcap-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('withLock', () => {
  it('has one holder when many find a stale lock at once', async () => {
    const path = join(folder, 'file.lock');
    for (let round = 0; round < 5; round++) {
      await writeFile(path, 'gone');
      await utimes(path, 1, 1);
      let holders = 0;
      let most = 0;
      const work = async () => {
        most = Math.max(most, ++holders);
        await sleep(2);
        holders--;
      };
      await Promise.all(Array.from({ length: 8 }, () => withLock(path, undefined, work)));
      expect(most).toBe(1);
      expect(await readdir(folder)).toEqual([]);
    }
  });

  it('leaves a lock that another took over', async () => {
    const path = join(folder, 'file.lock');
    await withLock(path, undefined, () => writeFile(path, 'another'));
    expect(await readdir(folder)).toEqual(['file.lock']);
  });
});
