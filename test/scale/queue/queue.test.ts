/** Shards in a queue on a real server: each once, counted, put back. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasRedis, type RedisServer, startRedis } from '../../../scripts/services/redis.ts';
import { ShardQueue } from '../../../src/scale/queue/queue.ts';
import { newFolder } from '../../data/shards/shards.ts';

const often = { attempts: 2, backoff: 1 };

describe.skipIf(!hasRedis)('a queue (redis-server)', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis(newFolder());
  });
  afterAll(() => server.kill());

  it('has each shard once, in several thousands too, and apart from other queues', async () => {
    const shards = Array.from({ length: 2500 }, (_, i) => `s3://b/x-${i}.tar`);
    await using queue = await ShardQueue.open({ redis: server.url, queue: 'many' });
    expect(await queue.add(shards.slice(0, 1200), often)).toBe(1200);
    expect(await queue.add(shards, often)).toBe(1300);
    expect(await queue.add(shards, often)).toBe(0);
    const empty = { waiting: 0, active: 0, delayed: 0, done: 0, dead: 0, deadShards: [] };
    expect(await queue.status()).toEqual({ ...empty, waiting: 2500 });
    await using other = await ShardQueue.open({ redis: server.url, queue: 'other' });
    expect(await other.status()).toEqual(empty);
    expect(queue.name).toBe(`many at ${server.url}`);
  });

  it('tells whether the server writes to its disk', async () => {
    await using queue = await ShardQueue.open({ redis: server.url, queue: 'many' });
    expect(await queue.isDurable()).toBe(true);
    const forgetful = await startRedis(newFolder(), []);
    try {
      await using lost = await ShardQueue.open({ redis: forgetful.url, queue: 'many' });
      expect(await lost.isDurable()).toBe(false);
    } finally {
      await forgetful.kill();
    }
  });
});
