/** `refcap queue` by the built command, on a real server: the bytes of one machine, what is said, and how it ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasRedis, type RedisServer, startRedis } from '../../scripts/services/redis.ts';
import { tiny } from '../caption/models.ts';
import { newFolder, tarOf } from '../data/shards/shards.ts';
import { type CommandRun, main, runRefcap } from './refcap.ts';

const folder = newFolder();
const pictures = readdirSync(join(tiny, 'images')).sort().slice(0, 4);
const captioning = ['--model', tiny, '--threads', '1'];

const refcap = (args: readonly string[], redis: string): CommandRun =>
  runRefcap(args, { cwd: folder, env: { REDIS_URL: redis } });

const filesIn = (name: string) =>
  readdirSync(join(folder, name))
    .sort()
    .map((file) => [file, readFileSync(join(folder, name, file), 'utf8')]);

beforeAll(() => {
  for (const shard of [0, 1]) {
    const own = pictures.slice(2 * shard, 2 * shard + 2);
    const files = own.map((name) => [name, readFileSync(join(tiny, 'images', name))]);
    tarOf(join(folder, `x-${shard}.tar`), Object.fromEntries(files));
  }
});

describe('refcap queue', () => {
  it.each([
    [['add', 'x-0.txt'], 'x-0.txt: shards end in .tar, .zip or .parquet.'],
    [['add', 'a/x.tar', 'b/x.tar'], 'a/x.tar and b/x.tar would both be written to x.jsonl;'],
    [['work'], "required option '-o, --output <folder>' not specified"],
    [['work', '-o', 'out', '--workers', '0'], '--workers 0: a worker of a queue must not be busy'],
    [['work', '-o', 'out', '--lease', '0'], 'must be at least 1.'],
  ])('refuses %j', (args, sentence) => {
    const { status, stderr } = refcap(['queue', ...args], 'redis://127.0.0.1:1');
    expect(stderr).toContain(sentence);
    expect(status).toBe(2);
  });

  it('says that no server answers', () => {
    const { status, stderr } = refcap(['queue', 'status'], 'redis://127.0.0.1:1');
    expect(stderr).toMatch(/^refcap: redis:\/\/127\.0\.0\.1:1: no Redis or Valkey answers/);
    expect(status).toBe(1);
  });
});

describe.skipIf(!hasRedis)('refcap queue with redis-server', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis(newFolder());
  });
  afterAll(() => server.kill());

  it('captions to the bytes of one machine, and lists what is dead', () => {
    const add = ['queue', 'add', 'x-{0..2}.tar', '--attempts', '2', '--backoff', '1'];
    expect(refcap(add, server.url).stdout).toBe(`refcap at ${server.url}: 3 shards added\n`);
    expect(refcap(add, server.url).stdout).toContain('0 shards added, 3 were in it before');
    const work = refcap(
      ['queue', 'work', ...captioning, '--output', 'queued', '--until-done', '--lease', '60'],
      server.url,
    );
    const missing = 'x-2.tar: there is no such shard; check the name.';
    expect(work.stderr.trim().split('\n').sort()).toEqual(
      [
        '2 shards, 4 pictures captioned',
        `refcap: ${missing}`,
        `refcap: ${missing}`,
        'x-0.tar: captioned',
        'x-1.tar: captioned',
      ].sort(),
    );
    expect([work.status, work.stdout]).toEqual([3, '']);
    const alone = ['caption', ...captioning, '--shards', 'x-{0..1}.tar', '--output', 'alone'];
    expect(refcap(alone, server.url).status).toBe(0);
    expect(filesIn('queued')).toEqual(filesIn('alone'));
    expect(refcap(['queue', 'status'], server.url).stdout).toBe(
      `refcap at ${server.url}: 0 waiting, 0 at work, 0 to be tried again, 2 done, 1 dead\ndead after 2 attempts: ${missing}\n`,
    );
    expect(refcap(['queue', 'retry'], server.url).stdout).toContain('1 shards put back');
    const json = refcap(['queue', 'status', '--format', 'json'], server.url);
    expect(JSON.parse(json.stdout)).toMatchObject({ waiting: 1, done: 2, dead: 0 });
    const other = [...captioning, '--output', 'queued', '--until-done', '--beams', '2'];
    const refused = refcap(['queue', 'work', ...other], server.url);
    expect(refused.stderr).toContain('queued: its captions are made with other settings');
    expect(refused.status).toBe(1);
  });

  it('ends at SIGTERM with nothing at work', async () => {
    const queue = ['--queue', 'stopped'];
    refcap(['queue', 'add', ...queue, 'x-{0..1}.tar'], server.url);
    const worker = spawn(
      process.execPath,
      [main, 'queue', 'work', ...queue, ...captioning, '--output', 'stopped'],
      { cwd: folder, env: { ...process.env, REDIS_URL: server.url }, stdio: 'pipe' },
    );
    let said = '';
    worker.stderr.on('data', (text) => {
      // Once: the second one would end it at once.
      if (said === '') worker.kill('SIGTERM');
      said += text;
    });
    const [code] = await once(worker, 'close');
    expect(said).toContain('refcap: interrupted. What was begun is back in the queue.');
    expect(code).toBe(130);
    const { stdout } = refcap(['queue', 'status', ...queue], server.url);
    expect(stdout).toMatch(/, 0 at work, 0 to be tried again, [12] done, 0 dead/);
  });
});
