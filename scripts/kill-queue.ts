/**
 * Kills workers of a queue at random moments, and its server once, and looks whether every shard is captioned, once and
 * whole: `npx tsx scripts/kill-queue.ts [KILLS] [SEED]`. Needs redis-server; exits with 1 at a difference. Runs dist/.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createRandom, type Random } from '../src/base/random.ts';
import { type QueueStatus, ShardQueue } from '../src/scale/queue/queue.ts';
import { type RedisServer, startRedis } from './services/redis.ts';

const [kills, seed] = [Number(process.argv[2] ?? 200), Number(process.argv[3] ?? 1)];
const worker = fileURLToPath(new URL('./services/queue-worker.mjs', import.meta.url));
const shardCount = 20 + 2 * kills;
const picturesEach = 12;

/** Tars of made pictures, which nobody decodes. */
function writeShards(folder: string): string[] {
  const names = Array.from({ length: picturesEach }, (_, i) => `${i}.jpg`);
  return Array.from({ length: shardCount }, (_, shard) => {
    for (const name of names) writeFileSync(join(folder, name), `${shard} ${name}`);
    const path = join(folder, `x-${shard}.tar`);
    execFileSync('tar', ['--format=ustar', '-cf', path, '-C', folder, ...names]);
    return path;
  });
}

interface Place {
  readonly server: RedisServer;
  readonly queue: string;
  readonly output: string;
}

function startWorker({ server, queue, output }: Place): ChildProcess {
  const args = [worker, server.url, queue, output, '60'];
  return spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
}

const isAlive = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode === null && signalCode === null;

/** Two workers, of which one or the other is killed now and then. @returns how often one was at work */
async function killing(place: Place, random: Random): Promise<number> {
  const workers = [startWorker(place), startWorker(place)];
  let killed = 0;
  while (killed < kills) {
    await sleep(500 + 2500 * random.next());
    const which = random.next() < 0.5 ? 0 : 1;
    // None is left when all is done.
    if (!isAlive(workers[which])) break;
    workers[which].kill('SIGKILL');
    await once(workers[which], 'exit');
    killed += 1;
    if (killed === Math.ceil(kills / 2)) {
      await place.server.kill();
      await sleep(500);
      await place.server.restart();
    }
    workers[which] = startWorker(place);
  }
  for (const each of workers) if (isAlive(each)) await once(each, 'exit');
  return killed;
}

async function finished(server: RedisServer, queue: string): Promise<QueueStatus> {
  await using opened = await ShardQueue.open({ redis: server.url, queue });
  return await opened.status();
}

async function fill(server: RedisServer, queue: string, shards: readonly string[]): Promise<void> {
  await using opened = await ShardQueue.open({ redis: server.url, queue });
  await opened.add(shards, { attempts: 3, backoff: 100 });
}

/** What is wrong with an output, beside one that nobody disturbed. */
function differences(calm: string, other: string): string[] {
  const expected = readdirSync(calm).sort();
  const found = readdirSync(other).filter((name) => !name.endsWith('.tmp'));
  return [
    ...expected.filter((name) => !found.includes(name)).map((name) => `${name} is lost`),
    ...found.filter((name) => !expected.includes(name)).map((name) => `${name} is too much`),
    ...expected
      .filter((name) => found.includes(name))
      .filter((name) => !readFileSync(join(calm, name)).equals(readFileSync(join(other, name))))
      .map((name) => `${name} differs`),
  ];
}

async function main(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'refcap-queue-'));
  for (const name of ['redis', 'calm', 'killed']) mkdirSync(join(folder, name));
  const server = await startRedis(join(folder, 'redis'));
  try {
    const shards = writeShards(folder);
    const calm = { server, queue: 'calm', output: join(folder, 'calm') };
    await fill(server, calm.queue, shards);
    const started = performance.now();
    await once(startWorker(calm), 'exit');
    console.log(`${shards.length} shards undisturbed in ${seconds(started)} s`);
    const disturbed = { server, queue: 'killed', output: join(folder, 'killed') };
    await fill(server, disturbed.queue, shards);
    const again = performance.now();
    const killed = await killing(disturbed, createRandom(seed));
    const { done, dead } = await finished(server, disturbed.queue);
    console.log(
      `${killed} workers and a server killed: ${done} done, ${dead} dead in ${seconds(again)} s`,
    );
    const wrong = differences(calm.output, disturbed.output);
    for (const sentence of wrong.slice(0, 20)) console.error(sentence);
    console.log(`${wrong.length} objects differ`);
    return wrong.length > 0 || dead > 0 || done !== shards.length ? 1 : 0;
  } finally {
    await server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

const seconds = (started: number): string => ((performance.now() - started) / 1000).toFixed(0);

process.exitCode = await main();
