/** Calls to a thread: results, events, errors as they were thrown, aborts, and every way in which a thread can end. */
import { afterEach, describe, expect, it } from 'vitest';
import { InputError, UsageError } from '../../../src/base/errors.ts';
import { ThreadClient, ThreadError } from '../../../src/base/threads/client.ts';
import { type TestThread, testThread } from './test-thread.ts';

let thread: ThreadClient<TestThread> | undefined;
let freed = 0;
function start(): ThreadClient<TestThread> {
  freed = 0;
  thread = new ThreadClient(testThread, { name: 'test', onFree: () => freed++ });
  return thread;
}
afterEach(() => thread?.close(new Error('over')));

describe('a call', () => {
  it('gives its own result, whatever the order of the answers', async () => {
    const client = start();
    const slow = client.call('wait', 50);
    const [twice, name] = await Promise.all([
      client.call('double', [1, 2]),
      client.call('whoAreYou', undefined),
    ]);
    expect(twice).toEqual([2, 4]);
    expect(name).toBe('nobody');
    expect(client.isIdle).toBe(false);
    expect(await slow).toBe('nobody');
    expect(client.isIdle).toBe(true);
    expect(freed).toBe(1);
  });

  it('tells events in their order, before the result', async () => {
    const told: number[] = [];
    const result = await start().call('count', 5, { onEvent: (i) => told.push(i) });
    expect(told).toEqual([0, 1, 2, 3, 4]);
    expect(result).toBe(5);
  });

  it('hands memory over', async () => {
    const bytes = new Uint8Array(1000);
    expect(await start().call('length', bytes, { transfer: [bytes.buffer] })).toBe(1000);
    expect(bytes.length).toBe(0);
  });

  it('is handed memory of the result', async () => {
    const client = start();
    expect([...(await client.call('numbers', 3))]).toEqual([0, 1, 2]);
    expect(await client.call('numbersLeft', undefined)).toBe(0);
  });

  it('throws what the thread threw, and the thread lives on', async () => {
    const client = start();
    const caught = (kind: string) => client.call('fail', kind).catch((error: unknown) => error);
    const [usage, input, other] = [await caught('usage'), await caught('input'), await caught('')];
    expect(usage).toBeInstanceOf(UsageError);
    expect(input).toBeInstanceOf(InputError);
    expect(input).not.toBeInstanceOf(UsageError);
    expect(input).toMatchObject({ message: 'a file is wrong.' });
    expect(other).not.toBeInstanceOf(InputError);
    expect(other).toMatchObject({ message: 'a fault of the program' });
    expect(String(other instanceof Error && other.stack)).toContain('test-thread.js');
    // A result that cannot be sent is an error of its call alone.
    await expect(client.call('functionResult', undefined)).rejects.toThrow(/cloned/);
    expect(await client.call('double', [4])).toEqual([8]);
  });

  it('ends at once when it is aborted, and the thread is free when it has heard of it', async () => {
    const client = start();
    const told: number[] = [];
    const stop = new AbortController();
    const counting = client.call('count', 1e9, {
      signal: stop.signal,
      onEvent: (i) => {
        told.push(i);
        if (i === 3) stop.abort(new Error('enough'));
      },
    });
    await expect(counting).rejects.toThrow('enough');
    expect(client.isIdle).toBe(false);
    expect(await client.call('double', [1])).toEqual([2]);
    await expect.poll(() => client.isIdle).toBe(true);
    await expect(
      client.call('count', 1, { signal: AbortSignal.abort(new Error('before')) }),
    ).rejects.toThrow('before');
  });
});

describe('a thread that ends', () => {
  it.each<[string, (client: ThreadClient<TestThread>) => Promise<unknown>, RegExp]>([
    ['process.exit', (client) => client.call('exit', 7), /test thread ended with exit code 7/],
    ['an error', (client) => client.call('throwLater', undefined), /failed: out of nowhere/],
  ])('by %s is an error of all calls that it had', async (_, end, message) => {
    const client = start();
    const other = client.call('wait', 60_000).catch((error: unknown) => error);
    const ended = await end(client).catch((error: unknown) => error);
    expect(ended).toBeInstanceOf(ThreadError);
    expect(ended).toMatchObject({ message: expect.stringMatching(message) });
    expect(await other).toBe(ended);
    expect(client.hasFailed).toBe(true);
    expect(freed).toBe(1);
    await expect(client.call('double', [1])).rejects.toBe(ended);
  });

  it('for want of memory says so', async () => {
    thread = new ThreadClient(testThread, { name: 'test', heapMiB: 32 });
    await expect(thread.call('fill', undefined)).rejects.toThrow(
      'the test thread ran out of memory',
    );
  });

  it('when it is closed gives the reason', async () => {
    const client = start();
    const waiting = client.call('wait', 60_000);
    const reason = new Error('no longer wanted');
    const closed = client.close(reason);
    await expect(waiting).rejects.toBe(reason);
    await closed;
    await expect(client.call('double', [1])).rejects.toBe(reason);
  });
});
