/** Transfers of single files, and the lock of downloads: one holder at a time, also when many find a stale one. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HubError, HubUnreachableError } from '../../src/hub/errors.ts';
import { type Transfer, transferFile, withLock } from '../../src/hub/transfer.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refcap-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('withLock', () => {
  it('has one holder when many find a stale lock at once', async () => {
    const path = join(folder, 'file.lock');
    for (let round = 0; round < 5; round++) {
      await writeFile(path, 'gone');
      await utimes(path, 1, 1);
      let holders = 0;
      let most = 0;
      const work = async () => {
        most = Math.max(most, ++holders);
        await sleep(2);
        holders--;
      };
      await Promise.all(Array.from({ length: 8 }, () => withLock(path, undefined, work)));
      expect(most).toBe(1);
      expect(await readdir(folder)).toEqual([]);
    }
  });

  it('leaves a lock that another took over', async () => {
    const path = join(folder, 'file.lock');
    await withLock(path, undefined, () => writeFile(path, 'another'));
    expect(await readdir(folder)).toEqual(['file.lock']);
  });
});

describe('transferFile', () => {
  const content = Buffer.from(Array.from({ length: 1000 }, (_, i) => (i * 7) % 251));
  const sha256 = createHash('sha256').update(content).digest('hex');
  const gitHash = createHash('sha1')
    .update(`blob ${content.length}\0`)
    .update(content)
    .digest('hex');

  /** A server's answers, one a request; the ranges that were asked for. */
  function server(answers: readonly ((start: number) => Response)[]) {
    const ranges: (string | null)[] = [];
    const get: typeof fetch = async (_, init) => {
      const range = new Headers(init?.headers).get('range');
      ranges.push(range);
      const answer = answers[Math.min(ranges.length, answers.length) - 1];
      return answer(Number(/\d+/.exec(range ?? '')?.[0] ?? 0));
    };
    return { ranges, get };
  }
  const whole = () => new Response(content);
  const rest = (start: number) =>
    new Response(content.subarray(start), {
      status: 206,
      headers: { 'content-range': `bytes ${start}-999/1000` },
    });
  const first = (bytes: number) => () => new Response(content.subarray(0, bytes));

  function transfer(more: Partial<Transfer> = {}): Transfer {
    return {
      url: 'http://hub/file',
      label: 'owner/name/file',
      path: join(folder, 'blob'),
      size: content.length,
      hash: sha256,
      headers: {},
      refuse: ({ status }) => new HubError(`refused with ${status}`),
      ...more,
    };
  }
  const options = { retries: 1, idleTimeout: 1000, retryDelay: 1 };

  it.each([sha256, gitHash])('brings the file whose hash is %s', async (hash) => {
    const { get } = server([whole]);
    const seen: number[] = [];
    const onBytes = (received: number): void => void seen.push(received);
    await transferFile(transfer({ hash }), { ...options, fetch: get, onBytes });
    expect(await readFile(join(folder, 'blob'))).toEqual(content);
    expect(await readdir(folder)).toEqual(['blob']);
    expect(seen.at(-1)).toBe(content.length);
  });

  it('asks for the rest of what broke off, of this run or an earlier one', async () => {
    await writeFile(join(folder, 'blob.incomplete'), content.subarray(0, 100));
    const { get, ranges } = server([
      (start) =>
        new Response(content.subarray(start, 600), {
          status: 206,
          headers: { 'content-range': `bytes ${start}-999/1000` },
        }),
      rest,
    ]);
    await transferFile(transfer(), { ...options, fetch: get });
    expect(ranges).toEqual(['bytes=100-', 'bytes=600-']);
    expect(await readFile(join(folder, 'blob'))).toEqual(content);
  });

  it('begins anew where the server knows no ranges, or the rest of something else is there', async () => {
    await writeFile(join(folder, 'blob.incomplete'), content.subarray(300, 500));
    await transferFile(transfer(), { ...options, fetch: server([whole]).get });
    expect(await readFile(join(folder, 'blob'))).toEqual(content);
    await writeFile(join(folder, 'blob.incomplete'), Buffer.alloc(2000));
    await transferFile(transfer(), { ...options, fetch: server([whole]).get });
    expect(await readFile(join(folder, 'blob'))).toEqual(content);
  });

  it('removes what arrived damaged', async () => {
    const get = server([() => new Response(Buffer.alloc(1000))]).get;
    await expect(transferFile(transfer(), { ...options, fetch: get })).rejects.toThrow(
      'owner/name/file arrived damaged',
    );
    expect(await readdir(folder)).toEqual([]);
  });

  it('gives up after attempts that brought nothing, keeps what is there and says how much', async () => {
    const { get, ranges } = server([first(400), () => new Response(null, { status: 503 })]);
    const failure = await transferFile(transfer(), { ...options, fetch: get }).catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(HubUnreachableError);
    expect(String(failure)).toMatch(/broke off at 400 of 1000 bytes.*503.*run again to resume/);
    // The first, and then one attempt more than `retries`.
    expect(ranges).toHaveLength(3);
    expect(await readdir(folder)).toEqual(['blob.incomplete']);
  });

  it('does not try again what the hub refuses, or what is longer than announced', async () => {
    const refusing = server([() => new Response('no', { status: 403 })]);
    await expect(transferFile(transfer(), { ...options, fetch: refusing.get })).rejects.toThrow(
      'refused with 403',
    );
    expect(refusing.ranges).toHaveLength(1);
    const long = server([() => new Response(Buffer.alloc(1500))]);
    await expect(transferFile(transfer(), { ...options, fetch: long.get })).rejects.toThrow(
      'longer than the 1000 bytes announced',
    );
    expect(long.ranges).toHaveLength(1);
  });

  it('stops when told to', async () => {
    const stop = new AbortController();
    const { get } = server([first(400), () => new Response(null, { status: 503 })]);
    const onBytes = (received: number): void => {
      if (received === 400) stop.abort(new Error('enough'));
    };
    await expect(
      transferFile(transfer(), { ...options, fetch: get, onBytes, signal: stop.signal }),
    ).rejects.toThrow(/enough|abort/);
  });
});
