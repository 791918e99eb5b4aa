/** Outputs that are no files: pipes, devices and open descriptors are written into, never replaced. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';

const descriptors: ReadonlyMap<string, number> = new Map([
  ['/dev/stdout', 1],
  ['/dev/stderr', 2],
]);

/** The descriptor of this process that a path stands for, as /dev/stdout and /dev/fd/3 do. */
function descriptorOf(path: string): number | undefined {
  const number = /^\/(?:dev|proc\/self)\/fd\/(\d+)$/.exec(path)?.[1];
  return descriptors.get(path) ?? (number === undefined ? undefined : Number(number));
}

/** Whether what is written to `path` goes on to somebody, so that there is nothing to be replaced or gone on with. */
export async function isStream(path: string): Promise<boolean> {
  if (descriptorOf(path) !== undefined) return true;
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && !found.isFile() && !found.isDirectory();
}

/** A pipe, device or descriptor that is open. */
export interface OutputStream {
  /** @throws the system's error, such as EPIPE */
  write(chunk: string | Uint8Array): Promise<void>;
  /** Waits until all is written. The standard output and error stay open. */
  end(): Promise<void>;
}

/** Opens what `isStream` is true of. A named pipe waits for its reader. */
export function openStream(path: string): OutputStream {
  const descriptor = descriptorOf(path);
  // Those two are in use, and may be pipes that do not block: Node knows how to wait for them.
  if (descriptor === 1 || descriptor === 2) {
    const stream = descriptor === 1 ? process.stdout : process.stderr;
    return { write: (chunk) => send(stream, chunk), end: async () => undefined };
  }
  const stream = createWriteStream(path, {
    flags: 'w',
    ...(descriptor !== undefined && { fd: descriptor }),
  });
  // Failures are told by `write` and `end`, whenever they come.
  let failure: unknown;
  stream.on('error', (error) => {
    failure ??= error;
  });
  const throwFailure = (): void => {
    if (failure !== undefined) throw failure;
  };
  return {
    write: async (chunk) => {
      throwFailure();
      await send(stream, chunk);
      throwFailure();
    },
    end: async () => {
      throwFailure();
      stream.end();
      await finished(stream).catch((error: unknown) => {
        throw failure ?? error;
      });
    },
  };
}

/** Waits where the reader is slower than the writer. */
async function send(stream: Writable, chunk: string | Uint8Array): Promise<void> {
  if (!stream.write(chunk)) await once(stream, 'drain');
}
