/** The command as a person runs it: signals, kills at any moment, two at once, wrong usage. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../../src/base/random.ts';
import { main, runRefcap } from '../../cli/refcap.ts';
import { writeTinyPictures, writeTinyTower } from '../tiny.ts';

let folder = '';
let common: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'refcap-kill-'));
  await writeTinyTower(join(folder, 'tower'));
  await writeTinyPictures(join(folder, 'pictures'));
  writeFileSync(
    join(folder, 'settings.yaml'),
    [
      'preset: refcap',
      'batchSize: 2',
      'width: 32',
      'heads: 4',
      'minWordCount: 1',
      'learningRate: 1e-3',
      'logEvery: 1',
      'ema: 0.9',
      'refinement: { heads: 4 }',
      'alignment: { heads: 4 }',
    ].join('\n'),
  );
  common = ['train', '--data', 'pictures', '--tower', 'tower', '--config', 'settings.yaml'];
  common.push('--cache', 'features', '--threads', '1', '--checkpoint-every', '3', '--epochs', '12');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const refcap = (args: readonly string[]) => runRefcap(args, { cwd: folder });
const weights = (run: string, name = 'model.safetensors') =>
  readFileSync(join(folder, run, 'last', name));
const steps = (run: string) => {
  const path = join(folder, run, 'metrics.jsonl');
  return existsSync(path) ? readFileSync(path, 'utf8').split('"kind":"step"').length - 1 : 0;
};

/** Starts the command, sends the signal once some steps are done, and waits for its end. */
async function interrupted(run: string, more: string[], signal: NodeJS.Signals, after: number) {
  const child = spawn(process.execPath, [main, ...common, '-o', run, ...more], { cwd: folder });
  const before = steps(run);
  let text = '';
  child.stderr.on('data', (data) => {
    text += data;
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  while (steps(run) < before + after && child.exitCode === null)
    await new Promise((resolve) => setTimeout(resolve, 2));
  child.kill(signal);
  return { code: await ended, text };
}

describe('refcap train', () => {
  it('goes on after signals and kills to the very bits of a calm run', async () => {
    const calm = refcap([...common, '-o', 'calm']);
    expect(calm.stderr).toContain('epoch 12 of 12');
    expect(calm.status).toBe(0);
    expect(calm.stdout).toBe('calm/best\n');
    const stopped = await interrupted('hurt', [], 'SIGINT', 2);
    expect(stopped.code).toBe(130);
    expect(stopped.text).toContain('interrupted; the state is saved');
    expect(readdirSync(join(folder, 'hurt/checkpoints'))).toHaveLength(1);
    const random = createRandom(1);
    for (let i = 0; i < 3; i++)
      await interrupted('hurt', ['--resume'], 'SIGKILL', 1 + random.integer(9));
    const ended = refcap([...common, '-o', 'hurt', '--resume']);
    expect(ended.status).toBe(0);
    for (const name of ['model.safetensors', 'refinement.safetensors'])
      expect(weights('hurt', name)).toEqual(weights('calm', name));
    expect(steps('hurt')).toBe(steps('calm'));
    const written = refcap(['caption', '--model', 'hurt/best', 'pictures/red-circle.png']);
    expect(written.stdout).toMatch(/^pictures\/red-circle\.png\t/);
    expect(written.status).toBe(0);
  });

  it('says what is wrong in one sentence', () => {
    const wrong: [string[], number, RegExp][] = [
      [['train', '--data', 'pictures', '-o', 'x'], 2, /give --model .* or --tower/],
      [
        [...common, '-o', 'x', '--set', 'refinement.layer=2'],
        2,
        /refinement: there is no setting layer/,
      ],
      [[...common, '-o', 'x', '--width', '30'], 2, /heads \(4\) does not divide width \(30\)/],
      [[...common, '-o', 'x', '--stage', 'scst'], 2, /stage scst needs a trained captioner/],
      [['train', '--data', 'nowhere', '--tower', 'tower', '-o', 'x'], 1, /nowhere/],
      [
        ['train', '--data', 'pictures', '--tower', 'pictures', '-o', 'x'],
        1,
        /pictures\/config\.json/,
      ],
      [[...common, '-o', 'x', '--memory-limit', '0.0001'], 1, /the memory limit is 0\.0 GiB/],
    ];
    for (const [args, status, message] of wrong) {
      const result = refcap(args);
      expect(result.stderr).toMatch(message);
      expect(result.stderr).not.toMatch(/\n\s+at /);
      expect([result.status, args]).toEqual([status, args]);
      rmSync(join(folder, 'x'), { recursive: true, force: true });
    }
  });

  it('fits micro-batches to a memory limit', () => {
    const args = [...common, '-o', 'limited', '--max-steps', '2', '--memory-limit', '0.004'];
    const { stderr, status } = refcap([...args, '--batch-size', '8']);
    expect(stderr).toMatch(/micro-batches of [1-7] of 8 images fit the memory limit/);
    expect(status).toBe(0);
  });
});
