import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expandShards } from '../../../src/data/shards/expand.ts';
import { newFolder } from './shards.ts';

describe('names of shards', () => {
  it.each(['x-{000008..000012}.tar', '{train,val}-{0..2}.tar', 's3://b/{9..11}/x.tar'])(
    '%s is what bash makes of it',
    async (name) => {
      const bash = execFileSync('bash', ['-c', `echo ${name}`], { encoding: 'utf8' });
      expect(await expandShards(name)).toEqual(bash.trim().split(' '));
    },
  );

  it('of a pattern are those that are there, in the order of their names', async () => {
    const folder = newFolder();
    for (const name of ['x-2.tar', 'x-10.tar', 'x-1.tar', 'y.tar'])
      writeFileSync(join(folder, name), '');
    const names = (await expandShards(join(folder, 'x-*.tar'))).map((path) => basename(path));
    expect(names).toEqual(['x-1.tar', 'x-10.tar', 'x-2.tar']);
  });

  it('of which one has braces in its name are that file', async () => {
    const path = join(newFolder(), 'x{0..1}.tar');
    writeFileSync(path, '');
    expect(await expandShards(path)).toEqual([path]);
  });

  it('of a store are not looked for', async () => {
    expect(await expandShards('https://h/x.tar?a=b')).toEqual(['https://h/x.tar?a=b']);
    await expect(expandShards('s3://b/x-*.tar')).rejects.toThrow(
      's3://b/x-*.tar: patterns find files; name the shards of a store by braces.',
    );
  });

  it('of a pattern that finds none stay as they are', async () =>
    expect(await expandShards('/nowhere/*.tar')).toEqual(['/nowhere/*.tar']));
});
