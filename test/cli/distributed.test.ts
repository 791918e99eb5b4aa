/** `refcap train --distributed mpi` under Open MPI's own mpirun. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { tinyFolder } from '../train/tiny-runs.ts';
import { main, runRefcap } from './refcap.ts';

const hasMpi = spawnSync('mpirun', ['--version']).status === 0;
if (!hasMpi) console.log('skipped: training with mpirun, which is not here');

const at = tinyFolder();

const settings = [
  ...['train', '--data', 'pictures', '--tower', 'tower', '--cache', 'features', '--threads', '1'],
  ...['--width', '32', '--heads', '4', '--layers', '1', '--learning-rate', '1e-3'],
  ...[
    '--set',
    'minWordCount=1',
    '--set',
    'dtype=f32',
    '--set',
    'logEvery=1',
    '--checkpoint-every',
    '3',
  ],
];

function mpirun(ranks: number, ...args: string[]) {
  const own = ['--allow-run-as-root', '--oversubscribe', '-n', String(ranks), process.execPath];
  const child = spawn('mpirun', [...own, main, ...settings, '--distributed', 'mpi', ...args], {
    cwd: at(),
    env: { ...process.env, OMPI_MCA_btl_base_warn_component_unused: '0' },
  });
  let said = '';
  child.stdout.on('data', (part) => {
    said += part;
  });
  child.stderr.on('data', (part) => {
    said += part;
  });
  const ended = once(child, 'close').then(([code]) => ({ code, said }));
  return { child, ended };
}

const weights = (run: string) => readFile(at(run, 'last', 'model.safetensors'));

describe.skipIf(!hasMpi)('refcap train --distributed mpi', () => {
  it('trains with two processes what one trains with their batches as its parts, to the bit', async () => {
    const run = mpirun(2, '--epochs', '2', '--batch-size', '2', '--output', 'both');
    expect(await run.ended).toMatchObject({ code: 0 });
    const one = ['--epochs', '2', '--batch-size', '4', '--micro-batch', '2', '--output', 'one'];
    const { status } = runRefcap([...settings, ...one], { cwd: at() });
    expect(status).toBe(0);
    expect(await weights('both')).toEqual(await weights('one'));
  });

  it('ends with a sentence when one is killed, keeps the state, and goes on', async () => {
    const args = ['--epochs', '100', '--max-steps', '20', '--batch-size', '2'];
    expect(await mpirun(2, ...args, '--output', 'through').ended).toMatchObject({ code: 0 });
    const killed = mpirun(2, ...args, '--output', 'killed');
    const metrics = () => readFile(at('killed', 'metrics.jsonl'), 'utf8');
    await expect.poll(() => metrics().catch(() => ''), { timeout: 60_000 }).toContain('"step":6,');
    const [, second] = children(killed.child.pid);
    process.kill(second, 'SIGKILL');
    const { code, said } = await killed.ended;
    expect(code).not.toBe(0);
    expect(said).toContain('exited on signal 9 (Killed)');
    expect(said).not.toContain('    at ');
    const again = await mpirun(2, ...args, '--output', 'killed', '--resume').ended;
    expect(again).toMatchObject({ code: 0 });
    expect(await weights('killed')).toEqual(await weights('through'));
  });

  it('trains the stages of a recipe, and after a kill goes on in the right one', async () => {
    const recipe =
      'stages:\n  - name: decoder\n    epochs: 2\n  - name: tower\n    from: last\n    epochs: 40\n    visionBlocks: all\n';
    await writeFile(at('recipe.yaml'), recipe);
    const config = ['--config', 'recipe.yaml'];
    const one = [...config, '--batch-size', '4', '--micro-batch', '2', '--output', 'recipe-one'];
    expect(runRefcap([...settings, ...one], { cwd: at() }).status).toBe(0);
    const args = [...config, '--batch-size', '2', '--output', 'recipe-two'];
    const killed = mpirun(2, ...args);
    const metrics = () => readFile(at('recipe-two', '2-tower', 'metrics.jsonl'), 'utf8');
    await expect.poll(() => metrics().catch(() => ''), { timeout: 60_000 }).toContain('"step":6,');
    process.kill(children(killed.child.pid)[1], 'SIGKILL');
    expect((await killed.ended).code).not.toBe(0);
    const again = await mpirun(2, ...args, '--resume').ended;
    expect(again.said).toContain('stage 1 of 2, decoder: done before.');
    expect(again.said).toMatch(/going on after step \d+/);
    expect(again.code).toBe(0);
    expect(await weights('recipe-two/2-tower')).toEqual(await weights('recipe-one/2-tower'));
    const best = (run: string) => readFile(at(run, 'best', 'model.safetensors'));
    expect(await best('recipe-two')).toEqual(await best('recipe-one'));
  });

  it('ends all processes when one has an error', async () => {
    const { code, said } = await mpirun(2, '--output', 'both').ended;
    expect(code).not.toBe(0);
    expect(said).toContain('refcap: both: there is a run already');
    expect(said).not.toContain('    at ');
  });
});

describe('options of processes', () => {
  it('are refused where they say nothing', () => {
    const wire = runRefcap([...settings, '--wire', 'bf16', '--output', 'x'], { cwd: at() });
    expect(wire.status).toBe(2);
    expect(wire.stderr).toContain('--wire is of gradients between processes');
  });
});

/** Processes that a process has started, in their order. */
function children(pid = 0): number[] {
  const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' });
  return stdout.trim().split(/\s+/).map(Number);
}
