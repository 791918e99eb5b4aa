/** Half-written shards: whose they are, and which may go. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { removeAbandoned, temporaryName } from '../../../src/train/features/temporary.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refcap-temporary-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const hours = (count: number) => new Date(Date.now() - count * 60 * 60 * 1000);

describe('half-written shards', () => {
  it('have names that no other writer takes', async () => {
    const names = await Promise.all(
      Array.from({ length: 50 }, () => temporaryName(join(folder, 'a.f16'))),
    );
    expect(new Set(names).size).toBe(50);
    for (const name of names) expect(name.startsWith(join(folder, 'a.f16.'))).toBe(true);
  });

  it('are removed when their process is gone, and left to those that may be at work', async () => {
    const own = await temporaryName(join(folder, 'own.f16'));
    const ended = spawnSync(process.execPath, ['-e', '']).pid;
    const gone = own.replace(`.${process.pid}.`, `.${ended}.`).replace('own', 'gone');
    const machine = /\.f16\.([0-9a-f]{12})\./.exec(own)?.[1] ?? '';
    // Another host, and another container that counts its processes anew.
    const foreign = gone.replace(machine, 'abcdefabcdef').replace('gone', 'foreign');
    const old = foreign.replace('foreign', 'old');
    const before = join(folder, `before.f16.${ended}.tmp`);
    const others = [join(folder, 'a.f16'), join(folder, 'notes.txt'), join(folder, 'b.tmp')];
    for (const path of [own, gone, foreign, old, before, ...others]) await writeFile(path, 'x');
    await utimes(own, hours(2), hours(2));
    await utimes(foreign, hours(2), hours(2));
    await utimes(old, hours(25), hours(25));
    await utimes(others[0], hours(99), hours(99));
    await removeAbandoned(folder);
    const kept = [own, foreign, before, ...others].map((path) => basename(path));
    expect((await readdir(folder)).sort()).toEqual(kept.sort());
  });
});
