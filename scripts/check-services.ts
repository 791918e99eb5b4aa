/**
 * Runs shards through real servers, each started here: Redis, Slurm, an S3 server.
 * `npm run check:services -- [NAMES]`. Says what it skips, and why; exits with 1 where something is wrong.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { storeRequest } from '../src/data/shards/store/requests.ts';
import { NotStarted } from './services/ports.ts';
import { hasRedis, startRedis } from './services/redis.ts';
import { findMoto, startMoto } from './services/s3.ts';
import { hasSlurm, startSlurm } from './services/slurm.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const main = join(root, 'dist/cli/main.js');
const model = join(root, 'test/fixtures/blip/tiny');
const captioning = ['--model', model, '--threads', '1'];
const shardCount = 3;

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const all = { encoding: 'utf8' as const, cwd: root, env: { ...process.env, ...env } };
  const { status, stdout, stderr } = spawnSync(program, args, { ...all, timeout: 200_000 });
  return { status, text: `${stdout}${stderr}` };
}

const refcap = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  run(process.execPath, [main, ...args], env);

function expect(isRight: boolean, what: string, { status, text }: ReturnType<typeof run>): void {
  if (!isRight) throw new Error(`${what}: exit code ${status}\n${text}`);
}

/** Two pictures a shard. @returns the name of all shards, by braces */
function writeShards(folder: string): string {
  const names = readdirSync(join(model, 'images')).sort();
  for (let i = 0; i < shardCount; i++) {
    const own = names.slice(2 * i, 2 * i + 2);
    const path = join(folder, `x-${i}.tar`);
    run('tar', ['--format=ustar', '-cf', path, '-C', join(model, 'images'), ...own]);
  }
  return join(folder, `x-{0..${shardCount - 1}}.tar`);
}

const rowsOf = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder)
      .filter((name) => name.endsWith('.jsonl') || name.endsWith('._SUCCESS'))
      .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  );

const isSame = (a: string, b: string): boolean =>
  Object.keys(rowsOf(a)).length === 2 * shardCount &&
  JSON.stringify(rowsOf(a)) === JSON.stringify(rowsOf(b));

interface Work {
  readonly folder: string;
  readonly shards: string;
  /** Captions that one machine wrote. */
  readonly alone: string;
}

async function redis({ folder, shards, alone }: Work): Promise<string | undefined> {
  if (!hasRedis) return 'redis-server is not here';
  mkdirSync(join(folder, 'redis'));
  const server = await startRedis(join(folder, 'redis'));
  try {
    const env = { REDIS_URL: server.url };
    const added = refcap(['queue', 'add', shards], env);
    expect(added.text.includes(`${shardCount} shards added`), 'queue add', added);
    const output = join(folder, 'queued');
    const work = refcap(['queue', 'work', ...captioning, '-o', output, '--until-done'], env);
    expect(work.status === 0 && isSame(alone, output), 'queue work', work);
  } finally {
    await server.kill();
  }
  const kills = run(process.execPath, ['--import', 'tsx', 'scripts/kill-queue.ts', '5']);
  expect(kills.status === 0, 'kill-queue.ts', kills);
  return undefined;
}

async function slurm({ folder, shards, alone }: Work): Promise<string | undefined> {
  if (!hasSlurm) return 'munged, slurmctld, slurmd or sbatch are not here, or this is not root';
  const place = join(folder, 'slurm');
  mkdirSync(place);
  const server = await startSlurm(place);
  try {
    const output = join(folder, 'by-slurm');
    const log = `--output=${place}/task-%a.log`;
    const small = ['--wait', '--array=0-1', '--cpus-per-task=1', '--mem=0', '--oversubscribe', log];
    const file = ['deploy/slurm/caption.sbatch', shards, output, '--model', model];
    const job = run('sbatch', [...small, ...file], server.env);
    expect(job.status === 0 && isSame(alone, output), 'sbatch', {
      ...job,
      text:
        job.text + [0, 1].map((i) => readFileSync(join(place, `task-${i}.log`), 'utf8')).join(''),
    });
  } finally {
    await server.stop();
  }
  return undefined;
}

async function s3({ folder }: Work): Promise<string | undefined> {
  const command = findMoto();
  if (command === undefined) return 'moto_server is not here and pip cannot install it';
  const server = await startMoto(command, 'data');
  try {
    const env = { ...server.env, REFCAP_CACHE: join(folder, 'cache') };
    for (let i = 0; i < shardCount; i++) {
      const body = Uint8Array.from(readFileSync(join(folder, `x-${i}.tar`)));
      await storeRequest(`s3://data/x-${i}.tar`, { method: 'PUT', body }, { env });
    }
    const shards = ['--shards', `s3://data/x-{0..${shardCount - 1}}.tar`];
    const task = ['caption', ...captioning, ...shards, '--output', 's3://data/captions'];
    const done = refcap(task, env);
    expect(done.status === 0 && done.text.includes('3 captioned'), 'caption --shards s3://', done);
    const again = refcap(task, env);
    expect(again.text.includes('3 done before'), 'caption --shards s3:// again', again);
    const other = refcap([...task, '--beams', '2'], env);
    expect(other.text.includes('other settings'), 'other settings', other);
    const wrong = refcap(task, { ...env, AWS_SECRET_ACCESS_KEY: 'wrong' });
    expect(
      wrong.status === 1 && wrong.text.includes('the store refuses (403'),
      'wrong keys',
      wrong,
    );
  } finally {
    await server.stop();
  }
  return undefined;
}

const checks = { redis, slurm, s3 };
const chosen = process.argv.slice(2);

const folder = mkdtempSync(join(tmpdir(), 'refcap-services-'));
try {
  const shards = writeShards(folder);
  const alone = join(folder, 'alone');
  const by = refcap(['caption', ...captioning, '--shards', shards, '--output', alone]);
  expect(by.status === 0, 'caption --shards', by);
  for (const [name, check] of Object.entries(checks)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    const started = performance.now();
    try {
      const skipped = await check({ folder, shards, alone });
      const seconds = ((performance.now() - started) / 1000).toFixed(0);
      console.log(
        skipped === undefined ? `${name}: right, ${seconds} s` : `${name}: skipped, ${skipped}`,
      );
    } catch (error) {
      if (error instanceof NotStarted) {
        console.log(`${name}: skipped, ${error.message}`);
        continue;
      }
      console.error(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = 1;
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
