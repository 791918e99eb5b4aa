/** XMP in WebP files: a chunk "XMP ", which a flag of the chunk VP8X announces. */
import { type Carrier, damaged, severalPackets, signed } from './carrier.ts';

const xmpFlag = 0x04;
const alphaFlag = 0x10;

interface Chunk {
  readonly type: string;
  readonly body: Buffer;
  /** With head and padding. */
  readonly whole: Buffer;
}

export const webp: Carrier = {
  kind: 'WebP',
  isOurs: (bytes) => /^RIFF[\s\S]{4}WEBP/.test(bytes.toString('latin1', 0, 12)),
  read: (bytes, name) => packetOf(chunksOf(bytes, name), name)?.body,
  write: (bytes, packet, name) => {
    const chunks = chunksOf(bytes, name);
    if (chunks.some(({ type }) => type === 'C2PA')) throw signed(name);
    const old = packetOf(chunks, name);
    const rest = chunks.filter((chunk) => chunk !== old);
    const place = old ? chunks.indexOf(old) : rest.length;
    const added = packet ? [chunkOf('XMP ', packet)] : [];
    const all = [...rest.slice(0, place), ...added, ...rest.slice(place)];
    const wholes = announced(all, packet !== undefined, name).map(({ whole }) => whole);
    const head = Buffer.from(bytes.subarray(0, 12));
    head.writeUInt32LE(4 + wholes.reduce((sum, { length }) => sum + length, 0), 4);
    return Buffer.concat([head, ...wholes, bytes.subarray(8 + bytes.readUInt32LE(4))]);
  },
};

function chunksOf(bytes: Buffer, name: string): Chunk[] {
  const end = 8 + bytes.readUInt32LE(4);
  const chunks: Chunk[] = [];
  let at = 12;
  while (at + 8 <= end && end <= bytes.length) {
    const bodyEnd = at + 8 + bytes.readUInt32LE(at + 4);
    const type = bytes.toString('latin1', at, at + 4);
    // The padding of the last chunk is left out by some.
    const next = Math.min(bodyEnd + (bodyEnd % 2), end);
    if (bodyEnd > end) break;
    chunks.push({ type, body: bytes.subarray(at + 8, bodyEnd), whole: bytes.subarray(at, next) });
    at = next;
  }
  if (at !== end || chunks.length === 0) throw damaged(name, 'WebP', 'a chunk is not whole');
  return chunks;
}

function packetOf(chunks: readonly Chunk[], name: string): Chunk | undefined {
  const [found, second] = chunks.filter(({ type }) => type === 'XMP ');
  if (second) throw severalPackets(name);
  return found;
}

function chunkOf(type: string, body: Buffer): Chunk {
  const head = Buffer.from(`${type}\0\0\0\0`);
  head.writeUInt32LE(body.length, 4);
  return { type, body, whole: Buffer.concat([head, body, Buffer.alloc(body.length % 2)]) };
}

/** Chunks whose VP8X says whether there is XMP; a file that needs none for anything else has none. */
function announced(chunks: readonly Chunk[], hasXmp: boolean, name: string): Chunk[] {
  const [first, ...others] = chunks;
  if (first.type !== 'VP8X') {
    if (!hasXmp) return [...chunks];
    return [chunkOf('VP8X', canvasOf(first, name)), padded(first), ...others.map(padded)];
  }
  const body = Buffer.from(first.body);
  body[0] = hasXmp ? body[0] | xmpFlag : body[0] & ~xmpFlag;
  const isNeedless =
    !hasXmp &&
    (body[0] & ~alphaFlag) === 0 &&
    others.length === 1 &&
    /^VP8[ L]$/.test(others[0].type);
  return isNeedless ? others : [chunkOf('VP8X', body), ...others.map(padded)];
}

/** Chunks that others follow begin at even places. */
function padded({ type, body }: Chunk): Chunk {
  return chunkOf(type, body);
}

/** What VP8X says of a picture that has none: its flags and its size less 1, three bytes each. */
function canvasOf({ type, body }: Chunk, name: string): Buffer {
  const canvas = Buffer.alloc(10);
  const isLossless = type === 'VP8L' && body.length >= 5;
  if (!isLossless && !(type === 'VP8 ' && body.length >= 10))
    throw damaged(name, 'WebP', `it begins with ${type}`);
  if (isLossless) {
    const bits = body.readUInt32LE(1);
    canvas[0] = bits & (1 << 28) ? alphaFlag : 0;
    canvas.writeUIntLE(bits & 0x3fff, 4, 3);
    canvas.writeUIntLE((bits >>> 14) & 0x3fff, 7, 3);
  } else {
    canvas.writeUIntLE((body.readUInt16LE(6) & 0x3fff) - 1, 4, 3);
    canvas.writeUIntLE((body.readUInt16LE(8) & 0x3fff) - 1, 7, 3);
  }
  return canvas;
}
