/**
 * Captioning from shards: how long inference waits for pictures, what two processes make of the cores of one, and what the
 * queue costs a shard. `npm run bench -- shards [--shards 16] [--pictures 42] [--rounds 3]`; the queue needs redis-server.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { hasRedis, startRedis } from '../scripts/services/redis.ts';
import { Captioner } from '../src/caption/captioner.ts';
import type { CaptionSink } from '../src/caption/output/output.ts';
import { captionRun } from '../src/caption/run.ts';
import { picturesOf } from '../src/caption/sources/shards.ts';
import { machine, median, printTable } from './measure.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const bundled = join(root, 'models/refcap-small');
const samples = join(root, 'samples');

/** A shard of the field's usual size, of which the queue's cost is a share. */
const usualPictures = 1000;

export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      shards: { type: 'string', default: '16' },
      pictures: { type: 'string', default: '42' },
      rounds: { type: 'string', default: '3' },
    },
  });
  const [count, pictures, rounds] = [values.shards, values.pictures, values.rounds].map(Number);
  console.log(machine());
  const folder = mkdtempSync(join(tmpdir(), 'refcap-shards-'));
  try {
    const large = writeShards(join(folder, 'large'), count, pictures);
    const perPicture = await measureWaiting(large, rounds);
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
  const photos = readdirSync(samples).filter((name) => name.endsWith('.jpg'));
  const loose = join(folder, 'loose');
  mkdirSync(loose, { recursive: true });
  const names = Array.from({ length: pictures }, (_, i) => `${String(i).padStart(6, '0')}.jpg`);
  for (const [i, name] of names.entries())
    copyFileSync(join(samples, photos[i % photos.length]), join(loose, name));
  return Array.from({ length: count }, (_, shard) => {
    const path = join(folder, `x-${String(shard).padStart(6, '0')}.tar`);
    execFileSync('tar', ['--format=ustar', '-cf', path, '-C', loose, ...names]);
    return path;
  });
}

/** The share of a run in which no batch is at work. @returns seconds a picture */
async function measureWaiting(shards: readonly string[], rounds: number): Promise<number> {
  using captioner = await Captioner.load(bundled);
  const waiting: number[] = [];
  const perPicture: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    let busy = 0;
    let done = 0;
    const sink: CaptionSink = {
      has: async () => false,
      write: async (rows) => {
        for (const { ms = 0 } of rows) busy += ms;
        done += rows.length;
      },
      finish: async () => undefined,
    };
    const started = performance.now();
    const inputs = picturesOf(shards, {});
    await captionRun(captioner, inputs, sink, { options: {}, batchSize: 4, failFast: true });
    const ms = performance.now() - started;
    if (round === 0) continue;
    waiting.push(1 - busy / ms);
    perPicture.push(ms / 1000 / done);
  }
  const share = `${(100 * median(waiting)).toFixed(1)} %`;
  printTable(
    ['captioned from shards', 'pictures a second', 'inference waits'],
    [['refcap-small', (1 / median(perPicture)).toFixed(1), share]],
  );
  return median(perPicture);
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
