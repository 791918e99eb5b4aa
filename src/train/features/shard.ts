/**
 * One file of cached image features: a header, f16 features of some images one after the other, and
 * a checksum an image. Found out as damaged or foreign when it is opened or read, never half there.
 */
import { type FileHandle, link, open, rename, rm } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { InputError } from '../../base/errors.ts';
import { describeWriteError, errorCode } from '../../base/files.ts';
import { temporaryName } from './temporary.ts';

/** What a shard must hold to be the one that is looked for. */
export interface ShardContent {
  /** SHA-256 of all that decides the features, 64 hex digits. */
  readonly key: string;
  readonly images: number;
  /** f16 values of an image. */
  readonly valuesPerImage: number;
}

/** A shard whose every byte was checked. */
export interface Shard {
  readonly path: string;
  /** CRC-32 of each image's bytes. */
  readonly checksums: Uint32Array;
}

const magic = 'refcap features1';
const headerBytes = 64;
const checksumBytes = 4;
const bytesPerValue = 2;

/** Bytes of a shard's file. */
export function shardBytes({ images, valuesPerImage }: Omit<ShardContent, 'key'>): number {
  return headerBytes + images * (valuesPerImage * bytesPerValue + checksumBytes);
}

/** Bytes from the file's start to the features of the image at `slot`. */
function imageOffset(slot: number, valuesPerImage: number): number {
  return headerBytes + slot * valuesPerImage * bytesPerValue;
}

/** The first bytes of the file: magic, key, both counts, and a checksum of these. */
function shardHeader({ key, images, valuesPerImage }: ShardContent): Uint8Array {
  const header = Buffer.alloc(headerBytes);
  header.write(magic, 'latin1');
  header.write(key, 16, 'hex');
  header.writeUInt32LE(images, 48);
  header.writeUInt32LE(valuesPerImage, 52);
  header.writeUInt32LE(crc32(header.subarray(0, 60)), 60);
  return header;
}

/** Reads and checks a shard. Gives undefined where there is none, 'damaged' where it is not right. */
export async function checkShard(
  path: string,
  content: ShardContent,
): Promise<Shard | 'damaged' | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw new InputError(`${path}: cannot be read; see to its permissions or delete it.`);
  }
  try {
    if ((await file.stat()).size !== shardBytes(content)) return 'damaged';
    const header = Buffer.alloc(headerBytes);
    await file.read(header, 0, headerBytes, 0);
    if (!header.equals(shardHeader(content))) return 'damaged';
    const { images, valuesPerImage } = content;
    const checksums = new Uint32Array(images);
    await file.read(checksums, 0, checksums.byteLength, imageOffset(images, valuesPerImage));
    const bytes = Buffer.allocUnsafe(valuesPerImage * bytesPerValue);
    for (let slot = 0; slot < images; slot++) {
      await file.read(bytes, 0, bytes.length, imageOffset(slot, valuesPerImage));
      if (crc32(bytes) !== checksums[slot]) return 'damaged';
    }
    return { path, checksums };
  } catch {
    return 'damaged'; // a bad sector, say
  } finally {
    await file.close();
  }
}

/**
 * Reads one image's features into `target`.
 * @throws InputError naming the file when it was damaged since it was checked
 */
export async function readShardImage(
  file: FileHandle,
  { path, checksums }: Shard,
  slot: number,
  target: Uint8Array,
): Promise<void> {
  const offset = headerBytes + slot * target.length;
  const read = await file.read(target, 0, target.length, offset).catch(() => undefined);
  if (read?.bytesRead !== target.length || crc32(target) !== checksums[slot])
    throw new InputError(
      `${path}: these image features were damaged since training began; start again, and they are computed anew.`,
    );
}

/** Writes a shard image by image; the file appears under its name when it is whole. */
export class ShardWriter {
  readonly #file: FileHandle;
  readonly #temporary: string;
  readonly #path: string;
  readonly #checksums: number[] = [];
  readonly #content: ShardContent;

  private constructor(
    file: FileHandle,
    { path, temporary, content }: { path: string; temporary: string; content: ShardContent },
  ) {
    this.#file = file;
    this.#temporary = temporary;
    this.#path = path;
    this.#content = content;
  }

  static async open(path: string, content: ShardContent): Promise<ShardWriter> {
    const temporary = await temporaryName(path);
    const file = await open(temporary, 'wx').catch((error: unknown) => {
      throw describeWriteError(path, error);
    });
    const writer = new ShardWriter(file, { path, temporary, content });
    try {
      await writer.#write(shardHeader(content));
    } catch (error) {
      await writer.discard();
      throw error;
    }
    return writer;
  }

  /** Adds the features of further images, laid end to end. */
  async append(features: Uint8Array): Promise<void> {
    const size = this.#content.valuesPerImage * bytesPerValue;
    for (let at = 0; at < features.length; at += size)
      this.#checksums.push(crc32(features.subarray(at, at + size)));
    await this.#write(features);
  }

  /**
   * Puts the file under its name. Where another writer was first, its file stays, and may be read by
   * now: another processor's features differ in their last bits, and so do their checksums.
   * @returns the shard that is there
   */
  async finish(): Promise<Shard> {
    const checksums = Uint32Array.from(this.#checksums);
    await this.#write(new Uint8Array(checksums.buffer));
    try {
      await this.#file.sync();
      await this.#file.close();
      const there = await this.#takeName();
      return there ?? { path: this.#path, checksums };
    } catch (error) {
      throw describeWriteError(this.#path, error);
    }
  }

  /** @returns the whole shard of another writer that has the name already */
  async #takeName(): Promise<Shard | undefined> {
    try {
      // A link never replaces a file.
      await link(this.#temporary, this.#path);
    } catch (error) {
      const isTaken = errorCode(error) === 'EEXIST';
      const there = isTaken ? await checkShard(this.#path, this.#content) : undefined;
      if (there === undefined || there === 'damaged') {
        // A damaged file, or a file system without links.
        await rename(this.#temporary, this.#path);
        return undefined;
      }
      await rm(this.#temporary, { force: true });
      return there;
    }
    await rm(this.#temporary, { force: true });
    return undefined;
  }

  /** Removes what was written so far. */
  async discard(): Promise<void> {
    await this.#file.close().catch(() => undefined);
    await rm(this.#temporary, { force: true });
  }

  async #write(bytes: Uint8Array): Promise<void> {
    try {
      await this.#file.writeFile(bytes);
    } catch (error) {
      throw describeWriteError(this.#path, error);
    }
  }
}

/** Keeps files open between reads, not more than `limit` that nobody is reading. */
export class FilePool implements AsyncDisposable {
  readonly #files = new Map<string, { readonly handle: Promise<FileHandle>; users: number }>();
  readonly #limit: number;
  #isClosed = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Calls `use` with the file open for reading. @throws RangeError when the pool is disposed: nobody would close it */
  async with<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new RangeError('the pool of files is disposed');
    const entry = this.#files.get(path) ?? { handle: openForReading(path), users: 0 };
    // Taken out and put back: the least recently used is first.
    this.#files.delete(path);
    this.#files.set(path, entry);
    entry.users += 1;
    try {
      return await use(await entry.handle);
    } finally {
      entry.users -= 1;
      await this.#closeUnused();
    }
  }

  async #closeUnused(): Promise<void> {
    for (const [path, { handle, users }] of this.#files) {
      if (this.#files.size <= this.#limit) break;
      if (users > 0) continue;
      this.#files.delete(path);
      await (await handle).close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const entries = [...this.#files.values()];
    this.#files.clear();
    for (const { handle } of entries) await handle.then((file) => file.close()).catch(() => {});
  }
}

async function openForReading(path: string): Promise<FileHandle> {
  return open(path, 'r').catch(() => {
    throw new InputError(
      `${path}: these image features cannot be read any more; start again, and they are computed anew.`,
    );
  });
}
