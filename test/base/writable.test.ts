/** Folders that cannot be written are told of before any work. */
import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../../src/base/errors.ts';
import { checkWritableFolder } from '../../src/base/writable.ts';
import { repositoryRoot } from '../paths.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refcap-writable-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('checkWritableFolder', () => {
  it('takes a folder that is there, and one that would be made', async () => {
    await checkWritableFolder(folder);
    await checkWritableFolder(join(folder, 'a/b/c'));
  });

  it('names a file in the way', async () => {
    await writeFile(join(folder, 'file'), '');
    for (const path of ['file', 'file/below', 'file/far/below'])
      await expect(checkWritableFolder(join(folder, path))).rejects.toThrow(
        /: (this|\S+file) is a file, not a folder; choose another place\.$/,
      );
  });

  it.runIf(process.platform === 'linux')('refuses what may not be written', async () => {
    const isRoot = process.getuid?.() === 0;
    await chmod(folder, 0o555);
    const target = join(folder, 'run');
    if (!isRoot) {
      await expect(checkWritableFolder(target)).rejects.toThrow(InputError);
      return;
    }
    // Nothing is forbidden to root: another user asks.
    const script = `const { checkWritableFolder } = await import(${JSON.stringify(join(repositoryRoot, 'dist/base/writable.js'))});
await checkWritableFolder(${JSON.stringify(target)}).catch((error) => console.log(error.message));`;
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      uid: 65534,
      gid: 65534,
      cwd: '/',
      encoding: 'utf8',
    });
    expect(said).toBe(`${target}: no permission to write here; choose another place.\n`);
  });
});
