/** The command as a whole: help, version, wrong usage, and which modules a call loads. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../paths.ts';
import { runRefcap } from './refcap.ts';
import { tiny } from './server-process.ts';

const refcap = (...args: string[]) => runRefcap(args);

describe('refcap', () => {
  it('lists its commands, and prints its version', () => {
    const { stdout, status } = refcap('--help');
    expect(status).toBe(0);
    for (const name of ['caption', 'train', 'convert', 'score'])
      expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
    const { version } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8'));
    expect(refcap('--version').stdout.trim()).toBe(version);
  });

  it('shows the options of a command both ways of asking', () => {
    const shown = refcap('train', '--help').stdout;
    expect(shown).toContain('--tower <folder>');
    expect(refcap('help', 'train').stdout).toBe(shown);
  });

  it.each([
    ['train', '--help'],
    ['caption', join(tiny, 'images'), '--model', tiny, '--threads', '1', '--quiet'],
  ])('ends quietly when its reader has closed the pipe: %s', async (...args) => {
    const child = spawn(process.execPath, ['dist/cli/main.js', ...args], { cwd: repositoryRoot });
    child.stdout.destroy();
    let errors = '';
    child.stderr.on('data', (part) => {
      errors += part;
    });
    const [code] = await once(child, 'close');
    expect(errors).toBe('');
    expect(code).toBe(0);
  });

  it('goes on where nobody reads what it tells on the way', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'refcap-main-'));
    const output = join(folder, 'captions.jsonl');
    const pictures = [
      join(tiny, 'images/owl-1.png'),
      'no-such.jpg',
      join(tiny, 'images/cat-0.png'),
    ];
    const args = ['caption', ...pictures, '--model', tiny, '--threads', '1', '--output', output];
    const child = spawn(process.execPath, ['dist/cli/main.js', ...args], { cwd: repositoryRoot });
    child.stderr.destroy();
    const [code] = await once(child, 'close');
    expect(code).toBe(3);
    expect(readFileSync(output, 'utf8').trim().split('\n').length).toBe(2);
    rmSync(folder, { recursive: true });
  });

  it('says an error that nobody foresaw in one sentence, with its trace for who asks', () => {
    // Stands for any bug: what is there in Node is not there.
    const broken = `--import=data:text/javascript,${encodeURIComponent(`
      import process from 'node:process';
      process.once = () => { throw new TypeError('no such thing\\nmore'); };`)}`;
    const run = (env: NodeJS.ProcessEnv) =>
      spawnSync(process.execPath, [broken, 'dist/cli/main.js', 'caption', 'x.jpg'], {
        cwd: repositoryRoot,
        encoding: 'utf8',
        env: { ...process.env, ...env },
      });
    const { status, stderr } = run({});
    expect(status).toBe(1);
    expect(stderr).toBe(
      'refcap: unexpected error: no such thing (this is a bug; REFCAP_DEBUG=1 in the environment shows where)\n',
    );
    expect(run({ REFCAP_DEBUG: '1' }).stderr).toMatch(/TypeError: no such thing\n.*\n +at /);
  });

  it('says an error from outside of its course in one sentence too', () => {
    const stray = `--import=data:text/javascript,${encodeURIComponent(
      `const waiting = setInterval(() => {
        if (process.listenerCount('uncaughtException') === 0) return;
        clearInterval(waiting);
        Promise.reject(new Error('lost'));
      }, 5);`,
    )}`;
    const { status, stderr } = spawnSync(
      process.execPath,
      [stray, 'dist/cli/main.js', 'caption', 'samples', '--quiet'],
      { cwd: repositoryRoot, encoding: 'utf8' },
    );
    expect(status).toBe(1);
    expect(stderr).toMatch(/^refcap: unexpected error: lost \(this is a bug; .*\)\n$/);
  });

  it('answers wrong usage with code 2 and nothing on the standard output', () => {
    for (const args of [
      ['frobnicate'],
      ['train', '--data', 'x'],
      ['train', '--epochs', 'many'],
      ['score', '--nope'],
    ]) {
      const { status, stdout, stderr } = refcap(...args);
      expect(status).toBe(2);
      expect(stdout).toBe('');
      expect(stderr).toContain('error: ');
    }
    const wrong = refcap('train', '--data', 'x', '--tower', 'y', '--output', 'z', '--dropout', '2');
    expect(wrong.status).toBe(2);
    expect(wrong.stderr).toMatch(/^refcap: dropout: /);
  });
});
