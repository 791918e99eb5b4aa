/** `npx refcap` in a clone that nobody has built yet: it sets itself up, and then works. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../paths.ts';

const folder = mkdtempSync(join(tmpdir(), 'refcap-npx-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A clone before any build, with a set-up that is quicker than the real one. */
function clone(name: string, setup: string): string {
  const path = join(folder, name);
  for (const part of ['bin', 'package.json'])
    cpSync(join(repositoryRoot, part), join(path, part), { recursive: true });
  mkdirSync(join(path, 'scripts'));
  writeFileSync(join(path, 'scripts/setup.mjs'), setup);
  return path;
}

function npx(cwd: string) {
  return spawnSync('npx --no-install refcap --version', {
    cwd,
    encoding: 'utf8',
    shell: true,
    env: { ...process.env, npm_config_cache: join(folder, 'cache') },
  });
}

describe('npx refcap in a clone', () => {
  it('sets it up at the first call, then and later runs', () => {
    const path = clone(
      'good',
      `import { mkdirSync, writeFileSync } from 'node:fs';
       console.error('set up');
       mkdirSync('dist/cli', { recursive: true });
       writeFileSync('dist/cli/main.js', 'console.log("run", ...process.argv.slice(2))');`,
    );
    for (let call = 0; call < 2; call++) {
      const { status, stdout, stderr } = npx(path);
      expect(stderr).toBe('set up\n');
      expect(stdout).toBe('run --version\n');
      expect(status).toBe(0);
    }
  });

  it('ends with the code of a set-up that fails', () => {
    const { status, stdout, stderr } = npx(
      clone('bad', "console.error('Set-up failed at: npm ci'); process.exit(7);"),
    );
    expect(stderr).toContain('Set-up failed at: npm ci\n');
    expect(stdout).toBe('');
    expect(status).toBe(7);
  });
});
