/** Zips of pictures, with texts beside them or without, as COCO's are. */
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl';
import { InputError } from '../../base/errors.ts';
import { formatAddress, keyOf } from './address.ts';
import { type ArchiveFile, isAside, samplesOfGroup } from './group.ts';
import type { OpenShard } from './shard.ts';

/** An open zip also lists its files, for captions that name them. */
export interface OpenZip extends OpenShard {
  /** In the order of its directory; without folders. */
  readonly files: readonly string[];
}

/** @param shard what addresses call it @throws InputError when it is no zip, or cut off */
export async function openZip(path: string, shard = path): Promise<OpenZip> {
  const zip = new Zip(shard, await listEntries(path, shard));
  return {
    files: [...zip.entries.keys()],
    read: (member) => zip.read(member),
    async *samples(options) {
      // A zip's order is its writer's, so the texts may lie far from their pictures.
      const groups = new Map<string, ArchiveFile[]>();
      for (const name of zip.entries.keys()) {
        if (isAside(name)) continue;
        const file = { name, read: () => zip.read(name) };
        const group = groups.get(keyOf(name));
        if (group) group.push(file);
        else groups.set(keyOf(name), [file]);
      }
      const archive = { kind: 'zip', shard } as const;
      for (const [key, files] of groups)
        yield* samplesOfGroup(key, files, archive, options?.columns);
    },
  };
}

interface Directory {
  readonly zip: ZipFile;
  readonly entries: ReadonlyMap<string, Entry>;
}

async function listEntries(path: string, shard: string): Promise<Directory> {
  const { size } = await stat(path);
  try {
    const zip = await fromRandomAccessReaderPromise(new FileReader(path), size, {
      autoClose: false,
      lazyEntries: true,
    });
    const entries = new Map<string, Entry>();
    for await (const entry of zip.eachEntry())
      if (!entry.fileName.endsWith('/')) entries.set(entry.fileName, entry);
    return { zip, entries };
  } catch (error) {
    throw new InputError(
      `${shard}: the zip is cut off or damaged (${reasonOf(error)}); fetch or write it again.`,
    );
  }
}

class Zip {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly #shard: string;
  readonly #zip: ZipFile;

  constructor(shard: string, { zip, entries }: Directory) {
    this.#shard = shard;
    this.#zip = zip;
    this.entries = entries;
  }

  async read(member: string): Promise<Uint8Array> {
    const address = formatAddress({ kind: 'zip', member, shard: this.#shard });
    const entry = this.entries.get(member);
    if (!entry) throw new InputError(`${address}: there is no such file in the zip.`);
    if (!entry.canDecodeFileData())
      throw new InputError(
        `${address}: it is encrypted or packed in a way that is not read; pack the zip anew.`,
      );
    try {
      return await buffer(await this.#zip.openReadStreamPromise(entry));
    } catch (error) {
      throw new InputError(`${address}: the zip is damaged here (${reasonOf(error)}).`);
    }
  }
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
}

const readAhead = 1 << 16;

/** Reads a file by its path, so that none stays open. A directory's many small parts are read a block at a time. */
class FileReader extends RandomAccessReader {
  readonly #path: string;
  #block = Buffer.alloc(0);
  #start = 0;

  constructor(path: string) {
    super();
    this.#path = path;
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return start === end
      ? Readable.from([])
      : createReadStream(this.#path, { start, end: end - 1 });
  }

  override read(
    target: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    this.#read(length, position).then(
      (bytes) => {
        bytes.copy(target, offset);
        callback(null);
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error))),
    );
  }

  async #read(length: number, position: number): Promise<Buffer> {
    const from = position - this.#start;
    if (from >= 0 && from + length <= this.#block.length)
      return this.#block.subarray(from, from + length);
    const block = Buffer.alloc(Math.max(length, readAhead));
    const file = await open(this.#path, 'r');
    try {
      const { bytesRead } = await file.read(block, 0, block.length, position);
      if (bytesRead < length) throw new Error('unexpected end of file');
      this.#block = block.subarray(0, bytesRead);
      this.#start = position;
      return block.subarray(0, length);
    } finally {
      await file.close();
    }
  }

  override close(callback: (error: Error | null) => void): void {
    callback(null);
  }
}
