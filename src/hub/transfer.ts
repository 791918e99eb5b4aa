/** Fetching one file: resumed where it broke off, retried, checked against its hash, and only then visible. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import {
  type FileHandle,
  mkdir,
  open,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeWriteError, errorCode, writing } from '../base/files.ts';
import { describeNetworkError, HubError, HubUnreachableError } from './errors.ts';

export interface Transfer {
  readonly url: string;
  /** What messages call the file. */
  readonly label: string;
  /** Where the file goes; until it is whole and checked it is at `path` + `.incomplete`. */
  readonly path: string;
  readonly size: number;
  /** SHA-256 of the bytes (64 digits), or git's SHA-1 of a blob (40 digits). */
  readonly hash: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The sentence for an answer that is no success. */
  refuse(response: Response): HubError;
}

export interface TransferOptions {
  readonly fetch: typeof fetch;
  readonly signal?: AbortSignal | undefined;
  /** Attempts in a row that bring not a byte before it gives up. */
  readonly retries: number;
  /** Milliseconds without a byte after which the connection counts as broken. */
  readonly idleTimeout: number;
  /** Milliseconds before the first new attempt; doubled each time. */
  readonly retryDelay: number;
  /** Called with the bytes that are there, after every piece. */
  onBytes?(received: number): void;
}

/**
 * Downloads a file. Bytes of an earlier, broken attempt are kept and only the rest is asked for.
 * @throws HubError when the hub refuses, the connection keeps breaking or the hash does not match.
 */
export async function transferFile(transfer: Transfer, options: TransferOptions): Promise<void> {
  const incomplete = `${transfer.path}.incomplete`;
  const file = await writing(transfer.path, async () => {
    await mkdir(dirname(transfer.path), { recursive: true });
    return open(incomplete, 'a+');
  });
  try {
    await receiveAll(file, transfer, options);
    await file.sync();
  } finally {
    await file.close();
  }
  if ((await hashFile(incomplete, transfer)) !== transfer.hash) {
    await rm(incomplete);
    throw new HubError(
      `${transfer.label} arrived damaged: its checksum is not the hub's; it was removed, run again.`,
    );
  }
  await rename(incomplete, transfer.path);
}

async function receiveAll(
  file: FileHandle,
  transfer: Transfer,
  options: TransferOptions,
): Promise<void> {
  let received = (await file.stat()).size;
  for (let failures = 0; ; ) {
    if (received > transfer.size) {
      await file.truncate(0);
      received = 0;
    }
    options.onBytes?.(received);
    if (received === transfer.size) return;
    const before = received;
    let problem: unknown;
    try {
      await receive(file, received, transfer, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof HubError) throw error;
      // No fault of the connection's, which would be tried again.
      if (isDiskError(error)) throw describeWriteError(transfer.path, error);
      problem = error;
    }
    received = (await file.stat()).size;
    if (received === transfer.size) continue;
    failures = received > before ? 0 : failures + 1;
    if (failures > options.retries) throw giveUp(transfer, received, problem);
    const delay = options.retryDelay * 2 ** Math.min(failures, 5);
    await sleep(delay, undefined, { signal: options.signal });
  }
}

function giveUp(transfer: Transfer, received: number, problem: unknown): Error {
  if (received === 0 && problem instanceof TypeError)
    return describeNetworkError(new URL(transfer.url).origin, problem);
  const reason = problem instanceof Error ? ` (${problem.message})` : '';
  return new HubUnreachableError(
    `${transfer.label} broke off at ${received} of ${transfer.size} bytes${reason}; run again to resume.`,
  );
}

/** One request from `start` on; what arrives is appended as it comes. */
async function receive(
  file: FileHandle,
  start: number,
  transfer: Transfer,
  options: TransferOptions,
): Promise<void> {
  const idle = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const alive = (): void => {
    clearTimeout(timer);
    timer = setTimeout(
      () => idle.abort(new Error(`no answer for ${options.idleTimeout / 1000} seconds`)),
      options.idleTimeout,
    );
  };
  const signals = options.signal ? [idle.signal, options.signal] : [idle.signal];
  try {
    alive();
    const response = await options.fetch(transfer.url, {
      headers: {
        ...transfer.headers,
        // A range counts bytes of the file itself, not of a compressed form.
        'accept-encoding': 'identity',
        ...(start > 0 ? { range: `bytes=${start}-` } : {}),
      },
      signal: AbortSignal.any(signals),
    });
    if (!(await beginsAt(response, start, file, transfer)) || !response.body) {
      await response.body?.cancel();
      return;
    }
    let received = response.status === 206 ? start : 0;
    for await (const piece of response.body) {
      alive();
      await file.write(piece);
      received += piece.length;
      options.onBytes?.(received);
      if (received > transfer.size)
        throw new HubError(
          `${transfer.label} is longer than the ${transfer.size} bytes announced.`,
        );
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Whether the answer continues the file, which is emptied when the server begins anew. */
async function beginsAt(
  response: Response,
  start: number,
  file: FileHandle,
  transfer: Transfer,
): Promise<boolean> {
  if (response.status === 206) {
    const range = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '');
    if (Number(range?.[1]) === start) return true;
    await file.truncate(0);
    return false;
  }
  if (response.status === 416) {
    await file.truncate(0);
    return false;
  }
  if (response.status >= 500 || response.status === 429) {
    await response.body?.cancel();
    throw new Error(`the server answers ${response.status}`);
  }
  if (!response.ok) {
    await response.body?.cancel();
    throw transfer.refuse(response);
  }
  await file.truncate(0);
  return true;
}

async function hashFile(path: string, { hash, size }: Transfer): Promise<string> {
  const digest = createHash(hash.length === 64 ? 'sha256' : 'sha1');
  if (hash.length === 40) digest.update(`blob ${size}\0`);
  for await (const piece of createReadStream(path)) digest.update(piece);
  return digest.digest('hex');
}

function isDiskError(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS'].includes(errorCode(error) ?? '');
}

/** A lock whose holder stopped touching it this long ago is dead. */
const lockLifetime = 30_000;

/**
 * Runs `work` while no other process that locks `path` does. Not the lock of `base`, which knows its holder by its
 * process: caches are shared between machines, and waited for.
 */
export async function withLock<T>(
  path: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  await writing(path, () => mkdir(dirname(path), { recursive: true }));
  const own = `${hostname()} ${process.pid} ${randomUUID()}`;
  while (!(await takeLock(path, own))) {
    if (await isStale(path)) await removeStale(path);
    else await sleep(200, undefined, { signal });
  }
  const isOwn = async () => (await readFile(path, 'utf8').catch(() => '')) === own;
  const touch = setInterval(async () => {
    if (await isOwn()) await utimes(path, new Date(), new Date()).catch(() => {});
  }, lockLifetime / 5);
  try {
    return await work();
  } finally {
    clearInterval(touch);
    // Another may have taken it over from a process that had been stopped for long.
    if (await isOwn()) await rm(path, { force: true });
  }
}

async function takeLock(path: string, own: string): Promise<boolean> {
  try {
    await writeFile(path, own, { flag: 'wx' });
    return true;
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw describeWriteError(path, error);
    return false;
  }
}

async function isStale(path: string): Promise<boolean> {
  const touched = await stat(path).then(
    (found) => found.mtimeMs,
    () => Date.now(),
  );
  return Date.now() - touched > lockLifetime;
}

/** One of those who wait removes it, under a lock of its own: what it looks at is not one taken in the meantime. */
async function removeStale(path: string): Promise<void> {
  const guard = `${path}.stale`;
  if (!(await takeLock(guard, ''))) {
    // Its holder has two steps to do, and was killed between them if it is still there after so long.
    if (await isStale(guard)) await rm(guard, { force: true });
    await sleep(50);
    return;
  }
  try {
    if (await isStale(path)) await rm(path, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}
