/** Fetches a file whose hash is known: what is kept of it first, the rest by a range request, anew where it is damaged. */
import { InputError } from '../../base/errors.ts';
import type { ManifestFile } from '../../model/checkpoint/manifest.ts';
import { type FileStore, pieceBytes } from './store.ts';

export interface KeptFileOptions {
  readonly store: FileStore;
  readonly signal: AbortSignal;
  /** Told of bytes that came, and with a negative number of bytes that are to come again. */
  readonly onBytes: (bytes: number) => void;
}

/**
 * @throws InputError naming the address when it cannot be fetched, or what comes has another hash; the signal's reason
 *   when aborted
 */
export async function download(
  url: string,
  file: ManifestFile,
  options: KeptFileOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { store, onBytes } = options;
  const target = new Uint8Array(file.bytes);
  const kept = await store.fill(file.sha256, target);
  onBytes(kept);
  await fetchRest(url, file, target, kept, options);
  if (await hasHash(target, file)) return target;
  await store.forget(file.sha256);
  if (kept > 0) {
    onBytes(-target.length);
    await fetchRest(url, file, target, 0, options);
    if (await hasHash(target, file)) return target;
    await store.forget(file.sha256);
  }
  throw new InputError(
    `${url}: what came has not the hash that refcap.json gives; it was damaged on its way, or the folder holds files of two exports: load it again, or export the model anew.`,
  );
}

async function hasHash(bytes: Uint8Array<ArrayBuffer>, { sha256 }: ManifestFile): Promise<boolean> {
  return (await hashOf(bytes)) === sha256;
}

/** SHA-256, in digits of base 16. */
export async function hashOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Connections that may break off one after the other without a byte in between. */
const mostFailures = 3;
/** Milliseconds before the first of another try; each waits twice as long. */
const firstPause = 300;

/** Fills `target` from byte `start` on, taking it up again where a connection breaks off. */
async function fetchRest(
  url: string,
  file: ManifestFile,
  target: Uint8Array<ArrayBuffer>,
  start: number,
  options: KeptFileOptions,
): Promise<void> {
  const { signal } = options;
  const rest = new Rest(file, target, start, options);
  for (let failures = 0; rest.filled < target.length; ) {
    const before = rest.filled;
    try {
      await fetchOnce(url, rest, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof InputError) throw error;
      failures = rest.filled > before ? 1 : failures + 1;
      if (failures > mostFailures)
        throw new InputError(
          `${url}: the connection broke off after ${rest.filled} of ${target.length} bytes (${error instanceof Error ? error.message : String(error)}); load it again to go on from there.`,
        );
      await pause(firstPause * 2 ** failures);
    }
  }
}

async function fetchOnce(url: string, rest: Rest, signal: AbortSignal): Promise<void> {
  const { filled } = rest;
  const response = await fetch(url, {
    signal,
    // The Cache API keeps it.
    cache: 'no-store',
    ...(filled > 0 && { headers: { range: `bytes=${filled}-` } }),
  });
  if (!response.ok || !response.body)
    throw new InputError(`${url}: the server answers ${response.status} ${response.statusText}.`);
  // A server without ranges sends the whole.
  if (filled > 0 && response.status !== 206) rest.startAgain();
  for await (const chunk of chunksOf(response.body)) if (!(await rest.take(chunk))) break;
  if (!rest.isWhole) throw new TypeError('it ended early');
}

/** A stream's chunks. (Safari's streams are not iterable.) */
async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

/** A file while it comes: each piece is kept as soon as it is whole. */
class Rest {
  readonly #file: ManifestFile;
  readonly #target: Uint8Array<ArrayBuffer>;
  readonly #options: KeptFileOptions;
  #filled: number;

  constructor(
    file: ManifestFile,
    target: Uint8Array<ArrayBuffer>,
    start: number,
    options: KeptFileOptions,
  ) {
    this.#file = file;
    this.#target = target;
    this.#filled = start;
    this.#options = options;
  }

  get filled(): number {
    return this.#filled;
  }

  get isWhole(): boolean {
    return this.#filled === this.#target.length;
  }

  startAgain(): void {
    this.#options.onBytes(-this.#filled);
    this.#filled = 0;
  }

  /** @returns whether more is wanted */
  async take(chunk: Uint8Array): Promise<boolean> {
    const before = this.#filled;
    // What is longer than it should be has another hash too.
    const part = chunk.subarray(0, this.#target.length - before);
    this.#target.set(part, before);
    this.#filled += part.length;
    this.#options.onBytes(part.length);
    const first = Math.floor(before / pieceBytes);
    const end = this.isWhole
      ? Math.ceil(this.#filled / pieceBytes)
      : Math.floor(this.#filled / pieceBytes);
    for (let i = first; i < end; i++) {
      const piece = this.#target.subarray(i * pieceBytes, (i + 1) * pieceBytes);
      await this.#options.store.keepPiece(this.#file.sha256, i, piece);
    }
    return !this.isWhole;
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
