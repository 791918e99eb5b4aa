/** Objects of stores on this machine: fetched whole, gone on with after a break, kept while there is room. */
import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '../../../base/errors.ts';
import { isThere, temporaryPath, writing } from '../../../base/files.ts';
import { reasonOf, type StoreOptions, storeRequest } from './requests.ts';

/** Bytes of objects that are kept, unless REFCAP_CACHE_BYTES says otherwise. */
const defaultBytes = 50e9;

/** What this process reads: never removed by it. */
const inUse = new Set<string>();

/** Under way, by the address and where it goes. */
const fetching = new Map<string, Promise<string>>();

/**
 * The path of an object's copy. One that is here is taken when the store says that the object has not changed since.
 * @throws InputError naming the address when the store refuses or fails, or the disk is full
 */
export async function fetchObject(address: string, options: StoreOptions = {}): Promise<string> {
  const place = `${cacheFolder(options)} ${address}`;
  const work = fetching.get(place) ?? fetchOnce(address, options);
  fetching.set(place, work);
  return work.finally(() => fetching.delete(place));
}

async function fetchOnce(address: string, options: StoreOptions): Promise<string> {
  const head = await storeRequest(address, { method: 'HEAD' }, options);
  const size = Number(head.headers.get('content-length') ?? Number.NaN);
  const tag = head.headers.get('etag') ?? head.headers.get('last-modified') ?? '';
  const folder = join(cacheFolder(options), digest(address), digest(`${tag} ${size}`));
  const path = join(folder, basename(new URL(address).pathname));
  inUse.add(path);
  if (await isThere(path)) {
    // The least recently used go first.
    await utimes(path, new Date(), new Date()).catch(() => undefined);
    return path;
  }
  await writing(folder, () => mkdir(folder, { recursive: true }));
  await makeRoom(options, Number.isNaN(size) ? 0 : size);
  await receive(address, { path, tag, size }, options);
  return path;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

function cacheFolder({ env = process.env }: StoreOptions): string {
  return env.REFCAP_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'refcap/shards');
}

/** The copy may be removed when room is needed. */
export function releaseObject(address: string): void {
  for (const path of inUse) if (path.includes(digest(address))) inUse.delete(path);
}

interface Wanted {
  readonly path: string;
  /** The object's version, as the store names it. */
  readonly tag: string;
  /** NaN where the store does not say. */
  readonly size: number;
}

/** Breaks in a row that bring not a byte before it gives up. */
const mostBreaks = 5;

async function receive(address: string, wanted: Wanted, options: StoreOptions): Promise<void> {
  const { path, size } = wanted;
  const { signal, retryDelay = 500 } = options;
  const temporary = temporaryPath(path);
  const file = await writing(path, () => open(temporary, 'wx'));
  try {
    let received = 0;
    for (let breaks = 0; ; ) {
      const before = received;
      const end = await receiveOnce(address, file, received, wanted, options);
      received = end.received;
      if (end.fault === undefined && (Number.isNaN(size) || received === size)) break;
      breaks = received > before ? 0 : breaks + 1;
      if (breaks === mostBreaks)
        throw new InputError(
          `${address}: the transfer broke off at ${received} of ${size} bytes${end.fault === undefined ? '' : ` (${end.fault})`}; try again later.`,
        );
      await sleep(retryDelay * 2 ** breaks, undefined, { signal });
    }
    await file.sync();
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  await writing(path, () => rename(temporary, path));
}

/** One request from `start` on. @returns what is there afterwards, and why it is not all */
async function receiveOnce(
  address: string,
  file: FileHandle,
  start: number,
  { path, tag }: Wanted,
  options: StoreOptions,
): Promise<{ received: number; fault: string | undefined }> {
  // Of another version the rest would not fit. A weak tag does not tell bytes apart.
  const isStrong = tag.startsWith('"');
  const headers: Record<string, string> =
    start === 0
      ? { 'accept-encoding': 'identity' }
      : // fetch adds the encoding to a range by itself, and twice is not what was signed.
        { range: `bytes=${start}-`, ...(isStrong && { 'if-match': tag }) };
  const response = await storeRequest(address, { method: 'GET', headers }, options, [412]);
  if (response.status === 412)
    throw new InputError(`${address}: it was replaced while it was fetched; run again.`);
  let received = response.status === 206 ? start : 0;
  if (received < start) await file.truncate(0);
  try {
    for await (const chunk of response.body ?? []) {
      await writing(path, () => file.write(chunk, 0, chunk.length, received));
      received += chunk.length;
    }
    return { received, fault: undefined };
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof InputError) throw error;
    return { received, fault: reasonOf(error) };
  }
}

/** Milliseconds after which a half-fetched file that nothing was added to is left over. */
const longestBreak = 3_600_000;

/** Removes what was not used for the longest time until there is room for `size` bytes; what is being fetched stays. */
async function makeRoom(options: StoreOptions, size: number): Promise<void> {
  const { env = process.env } = options;
  const limit = Number(env.REFCAP_CACHE_BYTES || defaultBytes);
  if (!(limit >= 0))
    throw new InputError('REFCAP_CACHE_BYTES: this should be a number of bytes, such as 5e10.');
  const folder = cacheFolder(options);
  const files: { path: string; size: number; used: number }[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const found = entry.isFile() ? await stat(path).catch(() => undefined) : undefined;
    if (found) files.push({ path, size: found.size, used: found.mtimeMs });
  }
  let total = files.reduce((sum, file) => sum + file.size, size);
  for (const file of files.sort((a, b) => a.used - b.used)) {
    if (total <= limit) return;
    const isFetched = file.path.endsWith('.tmp') && Date.now() - file.used < longestBreak;
    if (inUse.has(file.path) || isFetched) continue;
    await rm(file.path, { force: true });
    total -= file.size;
  }
}
