/** Workers of a queue on a real server: every shard once, tried again, given back, not lost with the server. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasRedis, type RedisServer, startRedis } from '../../../scripts/services/redis.ts';
import { InputError } from '../../../src/base/errors.ts';
import type { ShardResult } from '../../../src/scale/caption-shards.ts';
import { ShardQueue } from '../../../src/scale/queue/queue.ts';
import { type WorkOptions, workOnQueue } from '../../../src/scale/queue/work.ts';
import { newFolder } from '../../data/shards/shards.ts';

const counts = { captioned: 3, doubtful: 0, skipped: 0, failed: 0 };
const captioned: ShardResult = { outcome: 'captioned', counts };
const options = (changes: Partial<WorkOptions> = {}): WorkOptions => ({
  ...{ concurrency: 1, lease: 1000, untilDone: true, signal: new AbortController().signal },
  ...changes,
});
const names = (count: number) => Array.from({ length: count }, (_, i) => `x-${i}.tar`);

describe.skipIf(!hasRedis)('workers (redis-server)', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis(newFolder());
  });
  afterAll(() => server.kill());

  async function filled(queue: string, shards: readonly string[]) {
    const address = { redis: server.url, queue };
    await using opened = await ShardQueue.open(address);
    await opened.add(shards, { attempts: 3, backoff: 20 });
    return address;
  }
  const statusOf = async (address: { redis: string; queue: string }) => {
    await using queue = await ShardQueue.open(address);
    return await queue.status();
  };

  it('share the shards, as many at a time as they are told', async () => {
    const address = await filled('share', names(20));
    const done: string[] = [];
    const atATime = [0, 0];
    const most = [0, 0];
    const worker = (who: number, concurrency: number) =>
      workOnQueue(
        address,
        async (shard) => {
          most[who] = Math.max(most[who], ++atATime[who]);
          await sleep(20);
          atATime[who] -= 1;
          done.push(shard);
          return captioned;
        },
        options({ concurrency }),
      );
    await Promise.all([worker(0, 1), worker(1, 3)]);
    expect(done.sort()).toEqual(names(20).sort());
    expect(most[0]).toBe(1);
    expect(most[1]).toBeLessThanOrEqual(3);
    expect(await statusOf(address)).toMatchObject({ done: 20, waiting: 0, active: 0, dead: 0 });
  });

  it('try again what failed, give up with the reason, and what is damaged at once', async () => {
    const address = await filled('fail', names(4));
    const tries = new Map<string, number>();
    const told: string[] = [];
    const caption = async (shard: string): Promise<ShardResult> => {
      const tried = (tries.get(shard) ?? 0) + 1;
      tries.set(shard, tried);
      if (shard === 'x-1.tar' && tried < 3) throw new InputError('x-1.tar: the store answers 503.');
      if (shard === 'x-2.tar')
        return { outcome: 'damaged', counts, fault: new InputError('x-2.tar: it is cut off.') };
      if (shard === 'x-3.tar')
        return { outcome: 'missing', counts, fault: new InputError('x-3.tar: it is not there.') };
      return captioned;
    };
    const onShard: WorkOptions['onShard'] = (shard, result) =>
      told.push(`${shard} ${result instanceof Error ? result.message : result.outcome}`);
    await workOnQueue(address, caption, options({ onShard }));
    expect(Object.fromEntries(tries)).toEqual({
      ...{ 'x-0.tar': 1, 'x-1.tar': 3, 'x-2.tar': 1, 'x-3.tar': 3 },
    });
    expect(told).toContain('x-1.tar x-1.tar: the store answers 503.');
    expect(told).toContain('x-1.tar captioned');
    const status = await statusOf(address);
    expect(status).toMatchObject({ done: 2, dead: 2, delayed: 0 });
    expect(new Set(status.deadShards)).toEqual(
      new Set([
        { shard: 'x-2.tar', attempts: 1, reason: 'x-2.tar: it is cut off.' },
        { shard: 'x-3.tar', attempts: 3, reason: 'x-3.tar: it is not there.' },
      ]),
    );
    await using queue = await ShardQueue.open(address);
    expect(await queue.retry()).toBe(2);
    expect(await queue.status()).toMatchObject({ done: 2, dead: 0, waiting: 2 });
    await workOnQueue(address, async () => captioned, options());
    expect(await queue.status()).toMatchObject({ done: 4, dead: 0, waiting: 0 });
  });

  it('that are stopped give their shards back, and no attempt is lost', async () => {
    const address = await filled('stop', names(2));
    const stop = new AbortController();
    await workOnQueue(
      address,
      async (_, signal) => {
        stop.abort();
        signal.throwIfAborted();
        return captioned;
      },
      options({ signal: stop.signal, untilDone: false }),
    );
    expect(await statusOf(address)).toMatchObject({ waiting: 2, active: 0, done: 0, delayed: 0 });
    await workOnQueue(address, async () => captioned, options());
    expect(await statusOf(address)).toMatchObject({ waiting: 0, done: 2 });
  });

  it('outlive their server, which forgets nothing', async () => {
    const address = await filled('restart', names(12));
    const done: string[] = [];
    const breaks: string[] = [];
    const working = workOnQueue(
      address,
      async (shard) => {
        if (done.length === 4) {
          await server.kill();
          await sleep(300);
          await server.restart();
        }
        done.push(shard);
        return captioned;
      },
      options({ onBreak: (sentence) => breaks.push(sentence) }),
    );
    await working;
    expect(new Set(done)).toEqual(new Set(names(12)));
    expect(breaks).toEqual([`${server.url}: the connection is lost; trying again.`]);
    expect(await statusOf(address)).toMatchObject({ waiting: 0, active: 0, done: 12, dead: 0 });
  });
});
