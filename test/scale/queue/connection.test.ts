/** What is said where no queue can be reached. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../../scripts/services/ports.ts';
import { hasRedis, type RedisServer, startRedis } from '../../../scripts/services/redis.ts';
import { connect, shownAddress } from '../../../src/scale/queue/connection.ts';
import { newFolder } from '../../data/shards/shards.ts';

describe('a connection', () => {
  it.each(['localhost:6379', 'http://localhost', 'redis://'])('refuses the address %s', (address) =>
    expect(connect(address, false)).rejects.toThrow(
      '--redis (or REDIS_URL): write the address as redis://host:6379.',
    ),
  );

  it('says that nobody answers, at once, and not the password', async () => {
    const port = await freePort();
    const started = performance.now();
    await expect(connect(`redis://me:secret@127.0.0.1:${port}/2`, true)).rejects.toThrow(
      new RegExp(`^redis://127\\.0\\.0\\.1:${port}/2: no Redis or Valkey answers \\(.*REFUSED`),
    );
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  it('is shown without a password', () =>
    expect(shownAddress('rediss://me:secret@host:6380/1')).toBe('rediss://host:6380/1'));
});

describe.skipIf(!hasRedis)('a connection to a server with a password (redis-server)', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis(newFolder(), ['--requirepass', 'right']);
  });
  afterAll(() => server.kill());

  it.each(['', ':wrong@'])('is refused in a sentence with %j', (user) =>
    expect(connect(server.url.replace('//', `//${user}`), false)).rejects.toThrow(
      /the server refuses \((?:NOAUTH|WRONGPASS).*give user and password in REDIS_URL/,
    ),
  );

  it('is made with the right one', async () => {
    const client = await connect(server.url.replace('//', '//:right@'), false);
    expect(await client.ping()).toBe('PONG');
    client.disconnect();
  });
});
