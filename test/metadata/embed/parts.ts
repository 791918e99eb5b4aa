/** The parts of a picture file but for its XMP, by walkers that share no code with what writes it. */
import { createHash } from 'node:crypto';

const digest = (bytes: Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex').slice(0, 16);

/** A name and a digest for each part, in the file's order; where others of the file are is left out. */
export function partsOf(bytes: Buffer): string[] {
  if (bytes[0] === 0xff) return jpegParts(bytes);
  if (bytes[0] === 0x89) return pngParts(bytes);
  if (bytes.toString('latin1', 0, 4) === 'RIFF') return webpParts(bytes);
  return tiffParts(bytes);
}

function jpegParts(bytes: Buffer): string[] {
  const parts: string[] = [];
  let at = 2;
  while (bytes[at + 1] !== 0xda) {
    const end = at + 2 + bytes.readUInt16BE(at + 2);
    const content = Buffer.from(bytes.subarray(at + 4, end));
    if (content.toString('latin1', 0, 4) === 'MPF\0') blankIndex(content);
    if (!content.toString('latin1').startsWith('http://ns.adobe.com/xap/1.0/\0'))
      parts.push(`${bytes[at + 1]} ${digest(content)}`);
    at = end;
  }
  return [...parts, `picture and trailer ${digest(bytes.subarray(at))}`];
}

/** The first size and the second place follow what is written. */
function blankIndex(content: Buffer): void {
  content.fill(0, 58, 62);
  content.fill(0, 78, 82);
}

function pngParts(bytes: Buffer): string[] {
  const parts: string[] = [];
  let at = 8;
  while (at < bytes.length) {
    const end = at + 12 + bytes.readUInt32BE(at);
    const part = bytes.subarray(at + 4, end);
    if (!part.toString('latin1').startsWith('iTXtXML:com.adobe.xmp'))
      parts.push(`${part.toString('latin1', 0, 4)} ${digest(part)}`);
    at = end;
  }
  return parts;
}

function webpParts(bytes: Buffer): string[] {
  const parts: string[] = [];
  let at = 12;
  while (at < bytes.length) {
    const type = bytes.toString('latin1', at, at + 4);
    const size = bytes.readUInt32LE(at + 4);
    const content = Buffer.from(bytes.subarray(at + 8, at + 8 + size));
    // Pictures that need no head for anything but XMP get one.
    if (type === 'VP8X') content[0] &= ~0x14;
    const isPlain = type === 'VP8X' && content[0] === 0;
    if (type !== 'XMP ' && !isPlain) parts.push(`${type} ${digest(content)}`);
    at += 8 + size + (size % 2);
  }
  return parts;
}

/** All bytes behind the head, but for white space and tags that follow: those before keep their places. */
function tiffParts(bytes: Buffer): string[] {
  const size = bytes.readUInt8(2) === 43 || bytes.readUInt8(3) === 43 ? 8 : 4;
  const isLittle = bytes[0] === 0x49;
  const get = (at: number, length: number) => {
    const part = [...bytes.subarray(at, at + length)];
    return (isLittle ? part.reverse() : part).reduce((sum, byte) => sum * 256 + byte, 0);
  };
  const start = get(size, size);
  const countSize = size === 8 ? 8 : 2;
  const parts: string[] = [];
  for (let i = 0; i < get(start, countSize); i++) {
    const at = start + countSize + i * (4 + 2 * size);
    const entry = bytes.subarray(at, at + 4 + 2 * size);
    const tag = get(at, 2);
    const width = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8][get(at + 2, 2)] ?? 0;
    const length = width * get(at + 4, size);
    const place = get(at + 4 + size, size);
    const values = length > size ? bytes.subarray(place, place + length) : Buffer.alloc(0);
    if (tag !== 700) parts.push(`${tag} ${digest(Buffer.concat([entry, values]))}`);
  }
  return parts;
}
