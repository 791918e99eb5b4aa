/** Finds the files in a tar by its headers alone: their contents are passed over, and can be read later by offset. */
import { type FileHandle, open } from 'node:fs/promises';
import { InputError } from '../../../base/errors.ts';
import { isZeroBlock, parsePax, parseTarHeader, tarBlock, text } from './header.ts';

/** A file in a tar. */
export interface TarFile {
  readonly name: string;
  /** Where its content begins, in bytes from the tar's start. */
  readonly offset: number;
  readonly size: number;
}

const readAhead = 1 << 16;

/** Larger names and records are no names. */
const mostNameBytes = 1 << 20;

/**
 * The files of a tar in their order; folders, links and the like are left out.
 * @param name how messages call it
 * @throws InputError behind the last whole file, where the tar is cut off or damaged
 */
export async function* scanTar(path: string, name = path): AsyncGenerator<TarFile> {
  const file = await open(path, 'r');
  try {
    const { size: end } = await file.stat();
    yield* new Scan(name, file, end).files();
  } finally {
    await file.close();
  }
}

class Scan {
  readonly #name: string;
  readonly #file: FileHandle;
  readonly #end: number;
  /** What was read last, and where it begins: small files' headers lie close together. */
  #block = Buffer.alloc(0);
  #start = 0;
  /** Of the last whole file, for messages. */
  #last: string | undefined;

  constructor(name: string, file: FileHandle, end: number) {
    this.#name = name;
    this.#file = file;
    this.#end = end;
  }

  async *files(): AsyncGenerator<TarFile> {
    // Said by headers before the file's own.
    let said: { name?: string | undefined; size?: number | undefined } = {};
    for (let at = 0; ; ) {
      const block = await this.#read(at, tarBlock);
      if (isZeroBlock(block)) return;
      const header = parseTarHeader(block);
      if (!header) throw this.#fault('is damaged');
      const offset = at + tarBlock;
      const { type } = header;
      const isMeta = type === 'x' || type === 'L' || type === 'g' || type === 'K';
      const size = isMeta ? header.size : (said.size ?? header.size);
      if (offset + size > this.#end) throw this.#fault('is cut off');
      if (type === 'x') {
        const records = parsePax(await this.#read(offset, this.#nameBytes(size)));
        const given = records.get('size');
        said = { name: records.get('path'), size: given === undefined ? undefined : Number(given) };
      } else if (type === 'L')
        said = { name: text(await this.#read(offset, this.#nameBytes(size))) };
      else if (!isMeta) {
        const name = (said.name ?? header.name).replace(/^(?:\.\/)+/, '');
        said = {};
        this.#last = name;
        if (type === '0' || type === '7') yield { name, offset, size };
      }
      at = offset + Math.ceil(size / tarBlock) * tarBlock;
    }
  }

  #nameBytes(size: number): number {
    if (size > mostNameBytes) throw this.#fault('is damaged');
    return size;
  }

  async #read(at: number, length: number): Promise<Buffer> {
    const from = at - this.#start;
    if (from >= 0 && from + length <= this.#block.length)
      return this.#block.subarray(from, from + length);
    const block = Buffer.alloc(Math.max(length, readAhead));
    const { bytesRead } = await this.#file.read(block, 0, block.length, at);
    if (bytesRead < length) throw this.#fault('is cut off');
    this.#block = block.subarray(0, bytesRead);
    this.#start = at;
    return block.subarray(0, length);
  }

  #fault(what: string): InputError {
    const where = this.#last === undefined ? 'at its start' : `behind ${this.#last}`;
    return new InputError(
      `${this.#name}: the tar ${what} ${where}; fetch or write the shard again.`,
    );
  }
}
