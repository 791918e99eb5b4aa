/**
 * HEIC pictures decoded in threads beside this one, which start with the first and end when there were none for a while:
 * nothing is loaded, and no memory kept, where there are none.
 */
import { availableParallelism } from 'node:os';
import { InputError } from '../../../base/errors.ts';
import { ThreadClient, ThreadError } from '../../../base/threads/client.ts';
import { threadModule } from '../../../base/threads/module.ts';
import { ThreadPool } from '../../../base/threads/pool.ts';
import type { HeicThread } from './heic-thread.ts';
import { requireLibHeif } from './library.ts';
import type { HeicHeader } from './unpack.ts';

/** Each may take a few hundred megabytes. */
const mostThreads = 4;
/** Milliseconds without a picture after which threads end. */
const longestIdle = 3000;

let pool: ThreadPool<HeicThread> | undefined;
let calls = 0;
let idle: NodeJS.Timeout | undefined;

async function inThread<T>(
  name: string,
  work: (thread: ThreadClient<HeicThread>) => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  clearTimeout(idle);
  pool ??= new ThreadPool(Math.min(availableParallelism(), mostThreads), (onFree) => {
    const module = threadModule('heic-thread', import.meta.url);
    return new ThreadClient(module, { name: 'HEIC', onFree });
  });
  calls += 1;
  try {
    return await pool.run(work, signal);
  } catch (error) {
    throw error instanceof ThreadError ? new InputError(`${name}: ${error.message}`) : error;
  } finally {
    calls -= 1;
    if (calls === 0) idle = setTimeout(endThreads, longestIdle).unref();
  }
}

function endThreads(): void {
  const ending = pool;
  pool = undefined;
  ending?.close(new Error('no longer needed'));
}

/**
 * The size of a HEIC picture as it is shown, by its header alone.
 * @throws InputError where the decoder is not installed; Error when the header cannot be read
 */
export async function readHeicSize(
  bytes: Uint8Array,
  name: string,
  signal?: AbortSignal,
): Promise<HeicHeader> {
  requireLibHeif(name);
  return inThread(name, (thread) => thread.call('header', bytes, { signal }), signal);
}

/**
 * A HEIC picture as a TIFF without compression: rotated, mirrored and cut as the file says (its EXIF orientation
 * repeats that, and is left out), with its colour profile.
 * @param mostPixels no part of it may be larger
 * @throws InputError as above; Error when it cannot be decoded
 */
export async function heicToTiff(
  bytes: Uint8Array,
  name: string,
  mostPixels: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  requireLibHeif(name);
  return inThread(
    name,
    (thread) => thread.call('unpack', { bytes, mostPixels }, { signal }),
    signal,
  );
}
