/** `refcap ablate` as a person runs it: a settings file, an interruption, the same command again. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeTinyPictures, writeTinyTower } from '../train/tiny.ts';
import { main, runRefcap } from './refcap.ts';

let folder = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'refcap-ablate-cli-'));
  await writeTinyTower(join(folder, 'tower'));
  await writeTinyPictures(join(folder, 'pictures'));
  writeFileSync(
    join(folder, 'ablation.yaml'),
    `data: pictures
tower: tower
output: ablation
epochs: 2
batchSize: 4
width: 32
heads: 4
layers: 1
minWordCount: 1
savedBeams: 1
refinement: { heads: 4 }
alignment: { heads: 4 }
`,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const options = ['--config', 'ablation.yaml', '--threads', '1', '--bootstrap', '20'];
const few = [
  '--seeds',
  '1',
  '--variants',
  'plain,refcap',
  '--speed-images',
  '1',
  '--speed-rounds',
  '1',
];
const refcap = (...args: string[]) => runRefcap(['ablate', ...args], { cwd: folder });
const read = (...path: string[]) => readFileSync(join(folder, ...path), 'utf8');

describe('refcap ablate', () => {
  it('is interrupted by Ctrl-C with the state saved, and goes on with the same command', async () => {
    const args = [main, 'ablate', ...options, ...few];
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      if (stderr.includes('epoch 1 of 2') && !child.killed) child.kill('SIGINT');
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect(stderr).toContain(
      'interrupted; the state is saved. Run the same command again to go on.',
    );
    expect(code).toBe(130);
    expect(existsSync(join(folder, 'ablation/lock'))).toBe(false);
    const again = refcap(...options, ...few);
    expect(again.stderr).toMatch(/going on after step \d/);
    expect(again.status).toBe(0);
    expect(again.stdout).toMatch(/^variant +seeds +nats a word +CIDEr-D/m);
    expect(again.stdout).toMatch(/^refcap, kept +1 +\d\.\d{3} /m);
    expect(again.stdout).toMatch(/^refcap, layers kept +\d+\.\d +\d+\.\d +\d+ +\d+\.\d$/m);
    expect(again.stderr).toContain('written to ablation/ablation.json and ablation.md');
  });

  it('prints what it saved, as JSON and as Markdown', () => {
    const json = refcap(...options, ...few, '--format', 'json');
    expect(json.status).toBe(0);
    expect(json.stdout).toBe(read('ablation/ablation.json'));
    const markdown = refcap(...options, ...few, '--format', 'markdown');
    expect(markdown.stdout).toBe(read('ablation/ablation.md'));
    const { rows, bootstrap, speed } = JSON.parse(json.stdout);
    expect(rows[1].comparison.metrics.CIDEr.pValue).toBeGreaterThan(0);
    expect(bootstrap).toEqual({ resamples: 20, seed: 1 });
    expect(speed.entries).toHaveLength(3);
    for (const name of ['ablation.json', 'ablation.md', 'results/refcap-seed-1.json'])
      expect(read('ablation', name)).not.toContain(folder);
  });

  it('runs variants of the file, with settings of flags over them', () => {
    const file = 'variants: { short: { epochs: 1 }, long: { epochs: 2 } }\nbaseline: short\n';
    writeFileSync(join(folder, 'own.yaml'), read('ablation.yaml') + file);
    const run = refcap(
      ...['--config', 'own.yaml', '--output', 'own', '--seeds', '1', '--set', 'width=16'],
      ...['--cache', 'ablation/features', '--bootstrap', '20', '--speed-images', '0'],
    );
    expect(run.stderr).not.toContain('Computing the features');
    expect(run.status).toBe(0);
    const { rows, baseline } = JSON.parse(read('own/ablation.json'));
    expect(baseline).toBe('short');
    expect(rows.map(({ variant }: { variant: string }) => variant)).toEqual([
      'short',
      'short',
      'long',
      'long',
    ]);
    const { settings } = JSON.parse(read('own/results/long-seed-1.json'));
    expect(settings).toMatchObject({ width: 16, epochs: 2, refinement: { heads: 4 } });
  });

  it('says what is wrong in one sentence', () => {
    writeFileSync(join(folder, 'bad.yaml'), 'epochs: [1\n');
    const wrong: [string[], number, RegExp][] = [
      [[], 2, /give --data/],
      [['--config', 'bad.yaml'], 1, /bad\.yaml, line \d/],
      [[...options, '--seeds', '-1'], 2, /seeds: must be at least 1/],
      [[...options, '--variants', 'plain,none'], 2, /no variant 'none'; known: plain, refinement/],
      [[...options, '--set', 'epochs=3'], 2, /made otherwise: epochs: 2 before, 3 now\. Use/],
      [[...options, '--bootstrap', '1.5'], 2, /--bootstrap must be a whole number of at least 0/],
      [[...options, '--tower', 'a', '--model', 'b'], 2, /cannot be used with/],
      [[...options, '--tower', 'nowhere', '-o', 'x'], 1, /nowhere/],
      [[...options, '--tower', 'other', '-o', 'x'], 1, /other/],
      [[...options, '-o', 'pictures'], 1, /pictures: the folder holds .* not an ablation's/],
    ];
    for (const [args, status, message] of wrong) {
      const run = refcap(...args);
      expect(run.stderr).toMatch(message);
      expect(run.stderr).not.toMatch(/^ +at /m);
      expect([args, run.status]).toEqual([args, status]);
    }
  });
});
