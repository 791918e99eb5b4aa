/**
 * The files of deploy/: what they run is a command that there is, and its exit codes are dealt with. The container's
 * recipe: what it takes along is enough.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { command } from '../src/cli/caption/command.ts';
import { repositoryRoot } from './paths.ts';

const bin = mkdtempSync(join(tmpdir(), 'refcap-deploy-'));
afterAll(() => rmSync(bin, { recursive: true, force: true }));

/** A program that prints its arguments, a line each, and ends with $CODE. */
function standIn(name: string): void {
  writeFileSync(join(bin, name), '#!/bin/sh\nprintf "%s\\n" "$@"\nexit "$CODE"\n');
  chmodSync(join(bin, name), 0o755);
}

function run(program: string, args: readonly string[], code: number) {
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, CODE: String(code) };
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8', env });
  return { status, args: stdout.trim().split('\n') };
}

/** Done and done in part are done; whatever else failed may be tried again. */
const statuses = [
  [0, 0],
  [3, 0],
  [1, 1],
  [130, 130],
] as const;

const options = new Set(command.options.map(({ long }) => long));
const unknown = (args: readonly string[]) =>
  args.filter((arg) => arg.startsWith('--') && !options.has(arg));

describe('the Slurm array', () => {
  const script = join(repositoryRoot, 'deploy/slurm/caption.sbatch');

  it.each(statuses)('ends, where refcap ends with %i, with %i', (code, status) => {
    standIn('npx');
    const shards = 'x-{000000..000009}.tar';
    const found = run('bash', [script, shards, 'out put', '--beams', '3'], code);
    expect(found.args).toEqual([
      ...['refcap', 'caption', '--shards', shards, '--output', 'out put'],
      ...['--threads', '4', '--beams', '3'],
    ]);
    expect(unknown(found.args)).toEqual([]);
    expect(found.status).toBe(status);
  });
});

describe('the Kubernetes Job', () => {
  const job = z
    .object({
      kind: z.literal('Job'),
      spec: z.object({
        completionMode: z.literal('Indexed'),
        completions: z.number(),
        template: z.object({
          spec: z.object({
            containers: z.array(
              z.object({ command: z.array(z.string()), args: z.array(z.string()) }),
            ),
          }),
        }),
      }),
    })
    .parse(parse(readFileSync(join(repositoryRoot, 'deploy/kubernetes/caption-job.yaml'), 'utf8')));
  const [{ command: shell, args }] = job.spec.template.spec.containers;

  it.each(statuses)('ends, where refcap ends with %i, as it should', (code, status) => {
    standIn('node');
    const [program, ...flags] = [...shell, ...args];
    const found = run(program, flags, code);
    expect(found.args.slice(0, 2)).toEqual(['dist/cli/main.js', 'caption']);
    expect(unknown(found.args)).toEqual([]);
    // As many tasks as there are pods.
    expect(found.args[found.args.indexOf('--tasks') + 1]).toBe(String(job.spec.completions));
    // The shell's own status for a failed test is 1.
    expect(found.status === 0).toBe(status === 0);
  });
});

describe('Dockerfile', () => {
  it('takes along all that a caption needs', () => {
    const recipe = readFileSync(join(repositoryRoot, 'Dockerfile'), 'utf8');
    const image = mkdtempSync(join(bin, 'image-'));
    const names = [...recipe.matchAll(/^COPY --from=build (.+) \S+$/gm)].flatMap(([, from]) =>
      from.split(' ').map((path) => path.replace('/refcap/', '')),
    );
    for (const name of names) symlinkSync(join(repositoryRoot, name), join(image, name));
    expect(readdirSync(image)).toContain('dist');
    // Links are not followed, so that nothing else of the repository is found.
    const links = ['--preserve-symlinks', '--preserve-symlinks-main'];
    const photo = join(repositoryRoot, 'samples/dog-on-grass.jpg');
    const args = [...links, 'dist/cli/main.js', 'caption', photo, '--format', 'json', '--quiet'];
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: image, encoding: 'utf8' });
    expect({ stdout, stderr }).toEqual({
      stdout: expect.stringContaining('"confidence"'),
      stderr: '',
    });
  });
});
