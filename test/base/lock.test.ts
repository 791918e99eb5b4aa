/** A folder's lock: one holder at a time, whatever dies meanwhile. */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockFolder } from '../../src/base/lock.ts';
import { repositoryRoot } from '../paths.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refcap-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A lock as a process leaves it that was killed. */
const leave = (pid: number, host = hostname()) =>
  writeFile(join(folder, 'lock'), `${JSON.stringify({ pid, host, started: 'long ago' })}\n`);

describe('a lock', () => {
  it('is refused while its process lives, and free again when it is disposed of', async () => {
    const lock = await lockFolder(folder);
    await expect(lockFolder(folder)).rejects.toThrow(`in use by process ${process.pid}`);
    await lock[Symbol.asyncDispose]();
    await (await lockFolder(folder))[Symbol.asyncDispose]();
    expect(await readdir(folder)).toEqual([]);
  });

  it('of a dead process is taken over by one of many that try at once', async () => {
    for (let round = 0; round < 20; round++) {
      // This process' number, of another start: as a reused number.
      await leave(process.pid);
      const tries = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(folder)));
      const held = tries.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      expect(held).toHaveLength(1);
      await held[0][Symbol.asyncDispose]();
      expect(await readdir(folder)).toEqual([]);
    }
  });

  it('of another machine is never taken over', async () => {
    await leave(1, 'elsewhere');
    await expect(lockFolder(folder)).rejects.toThrow('in use by process 1 on elsewhere');
  });

  it('has one holder at a time among processes that die with it', async () => {
    const program = join(repositoryRoot, 'test/base/programs/take-lock.ts');
    const outputs = ['dies', 'dies', 'dies', 'lives', 'lives', 'lives'].map((end) => {
      const args = ['--import', 'tsx', program, folder, end];
      return text(spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] }).stdout);
    });
    const said = (await Promise.all(outputs)).join('');
    expect(said).not.toContain('two holders');
    expect(said.match(/held \d+/g)?.length).toBe(3);
  });
});
