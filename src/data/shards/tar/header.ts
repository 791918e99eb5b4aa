/** Headers of tar files: ustar, GNU's long names and large sizes, pax records. */

/** Tar files are made of blocks of so many bytes. */
export const tarBlock = 512;

/** A header's own fields. */
export interface TarHeader {
  readonly name: string;
  /** Bytes of the content. */
  readonly size: number;
  /** One character: '0' for a file, 'x' for pax records of the next file, 'L' for its long name ... */
  readonly type: string;
}

/** Whether a block holds zeros alone, as two at the end do. */
export function isZeroBlock(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}

/** @returns undefined where the checksum shows that the block is no header */
export function parseTarHeader(block: Buffer): TarHeader | undefined {
  let sum = 8 * 32;
  for (const [i, byte] of block.entries()) if (i < 148 || i >= 156) sum += byte;
  if (octal(block.subarray(148, 156)) !== sum) return undefined;
  const isUstar = block.toString('latin1', 257, 262) === 'ustar';
  // GNU keeps other things where POSIX has the name's beginning.
  const isPosix = isUstar && block[262] === 0;
  const prefix = isPosix ? text(block.subarray(345, 500)) : '';
  const name = text(block.subarray(0, 100));
  const type = String.fromCharCode(block[156] || 0x30);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    size: number(block.subarray(124, 136)),
    type,
  };
}

/**
 * A file's header as ustar has it: of nobody, at the beginning of time, so that it is always the same.
 * @param name 100 bytes at most
 */
export function tarHeader(name: string, size: number): Buffer {
  const block = Buffer.alloc(tarBlock);
  const digits = (value: number, length: number): string =>
    `${value.toString(8).padStart(length, '0')}\0`;
  block.write(name, 0);
  block.write(digits(0o644, 7), 100);
  block.write(digits(0, 7), 108);
  block.write(digits(0, 7), 116);
  block.write(digits(size, 11), 124);
  block.write(digits(0, 11), 136);
  block.write(' '.repeat(8), 148);
  block.write('0', 156);
  block.write('ustar\x0000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** The records of a pax header, `LENGTH KEY=VALUE\n` each. */
export function parsePax(content: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at);
    const length = space < 0 ? 0 : Number(content.toString('latin1', at, space));
    if (!Number.isInteger(length) || length <= 0) break;
    const [, key, value] =
      /^([^=]+)=(.*)\n$/s.exec(content.toString('utf8', space + 1, at + length)) ?? [];
    if (key !== undefined && value !== undefined) records.set(key, value);
    at += length;
  }
  return records;
}

/** A long name as GNU tar writes it: the content of a header of type L. */
export function text(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}

/** Octal digits or, from 8 GiB on, GNU's big-endian number marked by the first bit. */
function number(field: Buffer): number {
  if ((field[0] & 0x80) === 0) return octal(field);
  return field.subarray(1).reduce((value, byte) => value * 256 + byte, field[0] & 0x7f);
}

function octal(field: Buffer): number {
  return Number.parseInt(text(field).trim(), 8) || 0;
}
