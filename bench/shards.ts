/**
 * Captioning from shards: how long inference waits for pictures, what two processes make of the cores of one, and what the
 * queue costs a shard. `npm run bench -- shards [--shards 4] [--pictures 168] [--rounds 3] [--waiting]`; with `--waiting` the
 * first alone. The queue needs redis-server.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { hasRedis, startRedis } from '../scripts/services/redis.ts';
import { captionShards } from '../src/scale/caption-shards.ts';
import { folderStore } from '../src/scale/output/folder.ts';
import { machine, median, printTable } from './measure.ts';
import { batchSize, bundled, measureWaiting, samplePictures } from './waiting.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** A shard of the field's usual size, of which the queue's cost is a share. */
const usualPictures = 1000;

export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      shards: { type: 'string', default: '4' },
      pictures: { type: 'string', default: '168' },
      rounds: { type: 'string', default: '3' },
      waiting: { type: 'boolean', default: false },
    },
  });
  const [count, pictures, rounds] = [values.shards, values.pictures, values.rounds].map(Number);
  console.log(machine());
  const folder = mkdtempSync(join(tmpdir(), 'refcap-shards-'));
  try {
    const large = writeShards(join(folder, 'large'), count, pictures);
    const perPicture = await waitingOf(folder, large, rounds);
    if (values.waiting) return 0;
    await compareProcesses(folder, count * pictures, rounds);
    if (hasRedis) await measureQueue(folder, perPicture, rounds);
    else console.log('redis-server is not here: the queue is skipped');
  } finally {
    rmSync(folder, { recursive: true });
  }
  return 0;
}

/** Tars x-000000.tar ... of so many pictures each: the sample photos, again and again. */
function writeShards(folder: string, count: number, pictures: number): string[] {
  const loose = join(folder, 'loose');
  const names = samplePictures(loose, pictures);
  return Array.from({ length: count }, (_, shard) => {
    const path = join(folder, `x-${String(shard).padStart(6, '0')}.tar`);
    // The pictures are links to a few files; in the tar each is whole.
    const form = ['--format=ustar', '--hard-dereference'];
    execFileSync('tar', [...form, '-cf', path, '-C', loose, ...names]);
    return path;
  });
}

/** @returns seconds a picture without workers */
function waitingOf(folder: string, shards: readonly string[], rounds: number): Promise<number> {
  return measureWaiting('shards', rounds, async (captioner, run) => {
    const store = await folderStore(join(folder, run));
    const { captioned } = await captionShards(captioner, shards, store, {
      ...{ options: {}, batchSize },
      settings: { refcap: 'bench', model: bundled, options: {} },
    });
    return captioned;
  });
}

interface Command {
  readonly args: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
}

/** Seconds until all of these commands have ended, which run at a time. */
async function together(commands: readonly Command[]): Promise<number> {
  const started = performance.now();
  const codes = await Promise.all(
    commands.map(async ({ args, environment }) => {
      const child = spawn(process.execPath, [join(root, 'dist/cli/main.js'), ...args], {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, ...environment },
      });
      const [code] = await once(child, 'exit');
      return code;
    }),
  );
  if (codes.some((code) => code !== 0)) throw new Error(`a command ended with ${codes.join(', ')}`);
  return (performance.now() - started) / 1000;
}

/** One process with all cores, and one for each core, by turns; with their starts. */
async function compareProcesses(folder: string, pictures: number, rounds: number): Promise<void> {
  const cores = availableParallelism();
  let outputs = 0;
  const tasks = (count: number): Command[] => {
    const output = join(folder, `output-${outputs++}`);
    return Array.from({ length: count }, (_, task) => ({
      args: [
        ...['caption', '--shards', join(folder, 'large', 'x-*.tar'), '--output', output],
        ...['--quiet', '--threads', String(cores / count)],
        ...['--task', String(task), '--tasks', String(count)],
      ],
    }));
  };
  const one: number[] = [];
  const several: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const turn = [await together(tasks(1)), await together(tasks(cores))];
    if (round === 0) continue;
    one.push(turn[0]);
    several.push(turn[1]);
  }
  const ratio = median(one.map((seconds, turn) => seconds / several[turn])).toFixed(2);
  const rate = (seconds: readonly number[]) => (pictures / median(seconds)).toFixed(1);
  printTable(
    ['whole commands', 'pictures a second', 'ratio'],
    [
      [`one process, ${cores} threads`, rate(one), '1.00'],
      [`${cores} processes, a thread each`, rate(several), ratio],
    ],
  );
}

/** Small shards by the queue and by one task, whose start is the same: what the queue adds to a shard. */
async function measureQueue(folder: string, perPicture: number, rounds: number): Promise<void> {
  const count = 100;
  const small = writeShards(join(folder, 'small'), count, 2);
  const server = await startRedis(folder);
  try {
    const environment = { REDIS_URL: server.url };
    const added: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      const queue = ['--queue', `bench-${round}`];
      const output = (way: string) => ['--output', join(folder, `${way}-${round}`), '--quiet'];
      await together([{ args: ['queue', 'add', ...small, ...queue], environment }]);
      const work = [...output('queue'), '--workers', '1', '--until-done'];
      const queued = await together([{ args: ['queue', 'work', ...queue, ...work], environment }]);
      const shards = ['--shards', join(folder, 'small', 'x-*.tar')];
      const task = [...shards, ...output('task'), '--workers', '1'];
      const alone = await together([{ args: ['caption', ...task] }]);
      if (round > 0) added.push((queued - alone) / count);
    }
    const share = (100 * median(added)) / (usualPictures * perPicture);
    printTable(
      [
        `queue, ${count} shards`,
        'ms it adds to a shard',
        `of a shard of ${usualPictures} pictures`,
      ],
      [['refcap-small', (1000 * median(added)).toFixed(1), `${share.toFixed(2)} %`]],
    );
  } finally {
    await server.kill();
  }
}
