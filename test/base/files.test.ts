/** Files written whole, by many at once, under any name; pipes and devices written into. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  lstat,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { csvLines } from '../../src/base/csv.ts';
import { writeFileAtomic } from '../../src/base/files.ts';
import { removeLeftovers } from '../../src/base/folders.ts';
import { isStream } from '../../src/base/streams.ts';

const isWindows = process.platform === 'win32';
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refcap-files-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('a file', () => {
  it('is one of several writers', async () => {
    const path = join(folder, 'shared.txt');
    const texts = Array.from({ length: 8 }, (_, i) => String(i).repeat(1000 + i));
    async function* slowly(text: string) {
      for (let at = 0; at < text.length; at += 100) {
        yield text.slice(at, at + 100);
        await wait(1);
      }
    }
    await Promise.all(texts.map((text) => writeFileAtomic(path, slowly(text))));
    expect(texts).toContain(await readFile(path, 'utf8'));
    expect(await readdir(folder)).toEqual(['shared.txt']);
    await rm(path);
  });

  it('may have a name of 255 bytes, in letters of one byte and of three', async () => {
    for (const name of ['n'.repeat(255), '狗'.repeat(85)]) {
      const path = join(folder, name);
      await writeFileAtomic(path, name);
      expect(await readFile(path, 'utf8')).toBe(name);
      await rm(path);
    }
    await expect(writeFileAtomic(join(folder, 'n'.repeat(256)), '')).rejects.toThrow(
      /n: the name is too long; choose a shorter one\.$/,
    );
    expect(await readdir(folder)).toEqual([]);
  });

  it('leaves what removeLeftovers knows when its writer is killed', async () => {
    const path = join(folder, '狗'.repeat(85));
    const program = `
      import { writeFileAtomic } from ${JSON.stringify(join(import.meta.dirname, '../../src/base/files.ts'))};
      await writeFileAtomic(${JSON.stringify(path)}, (async function* () {
        yield 'half';
        process.kill(process.pid, 'SIGKILL');
        yield 'more';
      })());`;
    const child = spawn(process.execPath, [
      '--import',
      'tsx',
      '--input-type=module',
      '-e',
      program,
    ]);
    await once(child, 'exit');
    expect((await readdir(folder)).length).toBe(1);
    await removeLeftovers(folder);
    expect(await readdir(folder)).toEqual([]);
  });

  it.skipIf(isWindows)('keeps its permissions, and a link stays a link', async () => {
    const path = join(folder, 'private.txt');
    const link = join(folder, 'link.txt');
    await writeFile(path, 'old');
    await chmod(path, 0o600);
    await symlink('private.txt', link);
    await writeFileAtomic(link, 'new');
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect(await readFile(path, 'utf8')).toBe('new');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await rm(path);
    await rm(link);
  });
});

describe.skipIf(isWindows)('a pipe or device', () => {
  it('is written into and stays', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(await isStream(pipe)).toBe(true);
    const reader = spawn('cat', [pipe]);
    let text = '';
    reader.stdout.on('data', (data) => {
      text += data;
    });
    const long = 'x'.repeat(1 << 20);
    await Promise.all([writeFileAtomic(pipe, [long, 'end']), once(reader, 'close')]);
    expect(text === `${long}end`).toBe(true);
    expect((await lstat(pipe)).isFIFO()).toBe(true);
    expect(await readdir(folder)).toEqual(['pipe']);
    await rm(pipe);
    await writeFileAtomic('/dev/null', 'nothing');
    expect((await lstat('/dev/null')).isCharacterDevice()).toBe(true);
  });

  it('whose reader goes away is named', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const reader = spawn('head', ['-c', '10', pipe]);
    await expect(
      writeFileAtomic(
        pipe,
        Array.from({ length: 64 }, () => 'x'.repeat(1 << 16)),
      ),
    ).rejects.toThrow(/pipe: the reader closed the pipe before all was written\.$/);
    if (reader.exitCode === null) await once(reader, 'close');
    await rm(pipe);
  });

  it('that is full is named', async () => {
    await expect(writeFileAtomic('/dev/full', 'x')).rejects.toThrow(/the disk is full/);
  });
});

describe('CSV', () => {
  it('quotes what readers would part', () => {
    expect(
      csvLines([
        ['a', 1.5e-7, undefined, ''],
        ['a,b', 'say "x"', 'new\nline', 'old\rmac'],
        ['a\\nb', ' space', 'tab\t', 'é'],
      ]),
    ).toBe('a,1.5e-7,,\n"a,b","say ""x""","new\nline","old\rmac"\na\\nb, space,tab\t,é\n');
  });
});
