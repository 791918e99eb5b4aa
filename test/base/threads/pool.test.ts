/** Threads that take calls in turn. */
import { afterEach, describe, expect, it } from 'vitest';
import { ThreadClient } from '../../../src/base/threads/client.ts';
import { ThreadPool } from '../../../src/base/threads/pool.ts';
import { type TestThread, testThread } from './test-thread.ts';

let pool: ThreadPool<TestThread> | undefined;
let started = 0;
/** Threads that are named t1, t2 ... as they start; an empty name is refused. */
function open(count: number, nameOf = (i: number) => `t${i}`): ThreadPool<TestThread> {
  started = 0;
  pool = new ThreadPool(count, (onFree) => {
    const thread = new ThreadClient<TestThread>(testThread, { name: 'test', onFree });
    thread.call('name', nameOf(++started)).catch((error: Error) => thread.close(error));
    return thread;
  });
  return pool;
}
afterEach(() => pool?.close(new Error('over')));
const wait = (threads: ThreadPool<TestThread>, ms: number) =>
  threads.run((thread) => thread.call('wait', ms));

describe('a pool', () => {
  it('gives each call to a thread that is free', async () => {
    const threads = open(2);
    const done: string[] = [];
    const slow = wait(threads, 300).then((name) => done.push(`slow ${name}`));
    const rest = Array.from({ length: 5 }, () => wait(threads, 1).then((name) => done.push(name)));
    await Promise.all([slow, ...rest]);
    // The slow call keeps one thread; all others went through the other one.
    expect(done.length).toBe(6);
    expect(done[5]).toMatch(/^slow/);
    expect(new Set(done.slice(0, 5)).size).toBe(1);
    expect(done[5]).not.toContain(done[0]);
  });

  it('takes an aborted call out of the queue', async () => {
    const threads = open(1);
    const stop = new AbortController();
    let wasRun = false;
    const first = wait(threads, 50);
    const second = threads.run((thread) => {
      wasRun = true;
      return thread.call('whoAreYou', undefined);
    }, stop.signal);
    stop.abort(new Error('enough'));
    await expect(second).rejects.toThrow('enough');
    expect(await first).toBe('t1');
    expect(await wait(threads, 1)).toBe('t1');
    expect(wasRun).toBe(false);
    await expect(threads.run(async () => 1, AbortSignal.abort(new Error('x')))).rejects.toThrow(
      'x',
    );
  });

  it('replaces a thread that ended, for what waits and for what comes', async () => {
    const threads = open(1);
    const lost = threads.run((thread) => thread.call('exit', 3));
    const waiting = wait(threads, 1);
    await expect(lost).rejects.toThrow(/exit code 3/);
    expect(await waiting).toBe('t2');
    await expect(threads.run((thread) => thread.call('exit', 4))).rejects.toThrow(/exit code 4/);
    expect(started).toBe(2);
    expect(await wait(threads, 1)).toBe('t3');
  });

  it('says why a new thread cannot start, each time', async () => {
    const threads = open(1, (i) => (i === 1 || i === 4 ? 'fine' : ''));
    await expect(threads.run((thread) => thread.call('exit', 1))).rejects.toThrow(/exit code/);
    await expect(wait(threads, 1)).rejects.toThrow('a thread needs a name');
    await expect(wait(threads, 1)).rejects.toThrow('a thread needs a name');
    expect(await wait(threads, 1)).toBe('fine');
  });

  it('rejects what runs and what waits when it is closed', async () => {
    const threads = open(1);
    const calls = [wait(threads, 60_000), wait(threads, 1)];
    const reason = new Error('closed');
    const closed = threads.close(reason);
    for (const call of calls) await expect(call).rejects.toBe(reason);
    await closed;
    await expect(wait(threads, 1)).rejects.toBe(reason);
    expect(started).toBe(1);
  });
});
