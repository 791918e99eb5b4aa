/** The lock of set-up: of commands that start at a time in a fresh clone, one installs and builds. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../paths.ts';

const folder = mkdtempSync(join(tmpdir(), 'refcap-lock-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Takes the lock, tells so in a file, works a while, tells that it ends. */
const worker = (name: string): string[] => [
  '--input-type=module',
  '-e',
  `import { appendFileSync } from 'node:fs';
   import { setTimeout } from 'node:timers/promises';
   import { lock } from ${JSON.stringify(join(repositoryRoot, 'scripts/lock.mjs'))};
   const release = lock(${JSON.stringify(join(folder, name))}, () => console.error('waiting'));
   appendFileSync(${JSON.stringify(join(folder, 'told'))}, 'begin\\n');
   await setTimeout(300);
   appendFileSync(${JSON.stringify(join(folder, 'told'))}, 'end\\n');
   if (process.argv[1] === 'release') release();`,
];

describe('the lock of set-up', () => {
  it('lets one process work at a time, and is gone in the end', async () => {
    const path = join(folder, 'several');
    const children = ['release', 'exit', 'release', 'exit'].map((way) =>
      spawn(process.execPath, [...worker('several'), way], { stdio: ['ignore', 'ignore', 'pipe'] }),
    );
    let waiting = '';
    for (const child of children) child.stderr.on('data', (text) => (waiting += text));
    const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0]));
    expect(codes).toEqual([0, 0, 0, 0]);
    const told = readFileSync(join(folder, 'told'), 'utf8');
    expect(told).toBe('begin\nend\n'.repeat(4));
    expect(waiting).toContain('waiting');
    expect(existsSync(path)).toBe(false);
  });

  it('of a process that was killed is taken over, and so is a very old one', () => {
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    writeFileSync(join(folder, 'dead'), String(dead));
    writeFileSync(join(folder, 'old'), String(process.pid));
    const yesterday = new Date(Date.now() - 24 * 3_600_000);
    utimesSync(join(folder, 'old'), yesterday, yesterday);
    for (const name of ['dead', 'old']) {
      const { status, stderr } = spawnSync(process.execPath, worker(name), { encoding: 'utf8' });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(existsSync(join(folder, name))).toBe(false);
    }
  });
});
