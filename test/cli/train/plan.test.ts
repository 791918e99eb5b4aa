/** `refcap train --plan`: what is printed, and that nothing else is left. */
import { readdir, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { tinyFolder } from '../../train/tiny-runs.ts';
import { runRefcap } from '../refcap.ts';

const at = tinyFolder();
const small = [
  '--layers',
  '1',
  '--width',
  '32',
  '--heads',
  '4',
  '--batch-size',
  '4',
  '--threads',
  '1',
];
const plan = (...more: string[]) =>
  runRefcap([
    ...['train', '--data', at('pictures'), '--tower', at('tower'), '--output', at('runs', 'run')],
    ...['--plan', '--set', 'minWordCount=1', ...small, ...more],
  ]);

test('a run: steps, time, memory, disk, more machines', async () => {
  const before = await readdir(at());
  const { status, stdout, stderr } = plan('--epochs', '10', '--views', '3');
  expect(stderr).toContain('step 4 of 4');
  expect(status).toBe(0);
  const lines = stdout.trim().split('\n');
  expect(lines[0]).toMatch(/^images +8 to train on with 16 captions, 2 of dev$/);
  expect(lines[1]).toMatch(
    /^steps +20, 2 an epoch, of 4 images; [\d.e-]+ s each \(.*\) +[\d.]+ s$/,
  );
  expect(lines[2]).toMatch(/^features +26 images and views; /);
  expect(lines[3]).toMatch(/^validations +10 of [\d.]+ s +[\d.]+ s$/);
  expect(lines[4]).toMatch(/^in all +[\d.]+ (s|min)$/);
  expect(lines[5]).toMatch(/^memory .* [\d.]+ (MB|GB)$/);
  expect(lines[6]).toMatch(/^disk .* [\d.]+ MB$/);
  expect(lines.slice(7)).toEqual([
    '',
    expect.stringMatching(/^This machine: .* \(.* gradients in f32\):$/),
    expect.stringMatching(/^network +2 machines .* 64 machines$/),
    expect.stringMatching(/^1 Gbit\/s /),
    expect.stringMatching(/^10 Gbit\/s /),
    expect.stringMatching(/^100 Gbit\/s /),
  ]);
  expect(await readdir(at())).toEqual(before);
});

test('a recipe: each stage by its name', async () => {
  await writeFile(
    at('recipe.yaml'),
    'preset: plain\nstages:\n  - name: words\n  - name: reward\n    stage: scst\n    validationBeams: 1\n',
  );
  const { status, stdout } = plan('--config', at('recipe.yaml'), '--epochs', '2', '--wire', 'bf16');
  expect(status).toBe(0);
  const blocks = stdout.split('\n\n').map((block) => block.split('\n')[0]);
  expect(blocks.slice(0, 2)).toEqual(['stage words', 'stage reward']);
  expect(stdout).toContain('gradients in bf16');
});

test('a plan is of a whole run', () => {
  const { status, stderr } = plan('--resume');
  expect(status).toBe(2);
  expect(stderr).toContain("'--plan' cannot be used with option '--resume'");
});
