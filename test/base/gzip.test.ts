/** Files that may be gzipped. */
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/base/errors.ts';
import { unpacked } from '../../src/base/gzip.ts';

/** Unpacks bytes that come in pieces of `size`. */
async function unpack(bytes: Uint8Array, name = 'a.txt', size = bytes.length): Promise<string> {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size)
    pieces.push(Buffer.from(bytes.subarray(at, at + size)));
  const found: Buffer[] = [];
  for await (const piece of unpacked(name, Readable.from(pieces))) found.push(piece);
  return Buffer.concat(found).toString();
}

describe('unpacked', () => {
  const text = 'a dog runs\n'.repeat(1000);
  const packed = gzipSync(text);

  it('gives plain bytes as they are, and unpacks gzip by its content, however the pieces are cut', async () => {
    for (const size of [1, 7, 1 << 20]) {
      expect(await unpack(Buffer.from(text), 'a.txt', size)).toBe(text);
      expect(await unpack(packed, 'a.txt', size)).toBe(text);
      expect(await unpack(packed, 'a.txt.gz', size)).toBe(text);
    }
  });

  it('goes on with a second member, as `cat a.gz b.gz` writes it', async () => {
    expect(await unpack(Buffer.concat([packed, gzipSync('a cat\n')]), 'a.gz')).toBe(
      `${text}a cat\n`,
    );
  });

  it('gives nothing of nothing, packed or not', async () => {
    expect(await unpack(Buffer.alloc(0), 'a.gz')).toBe('');
    expect(await unpack(gzipSync(''), 'a.gz')).toBe('');
    expect(await unpack(Buffer.from('a'), 'a.txt')).toBe('a');
  });

  it.each([
    ['cut.gz', packed.subarray(0, packed.length - 9), /^cut\.gz: the gzipped file ends too early/],
    ['head.gz', packed.subarray(0, 2), /^head\.gz: the gzipped file ends too early/],
    ['damaged.gz', flipped(packed, packed.length - 6), /^damaged\.gz: the gzipped file is damaged/],
    ['plain.gz', Buffer.from(text), /^plain\.gz: this is not gzipped, though its name says so/],
  ])('says what is wrong with %s', async (name, bytes, sentence) => {
    const failure = await unpack(bytes, name).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InputError);
    expect((failure as InputError).message).toMatch(sentence);
  });

  it('closes what it reads from when its reader has seen enough', async () => {
    const source = Readable.from([packed, Buffer.alloc(10)]);
    for await (const piece of unpacked('a.gz', source)) {
      expect(piece.length).toBeGreaterThan(0);
      break;
    }
    expect(source.destroyed).toBe(true);
  });
});

/** The bytes with one of them changed. */
function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] ^= 0xff;
  return copy;
}
