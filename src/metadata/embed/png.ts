/** XMP in PNG files: an iTXt chunk with the keyword XML:com.adobe.xmp. */
import { crc32, inflateSync } from 'node:zlib';
import { type Carrier, damaged, severalPackets, signed, unfit } from './carrier.ts';

const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const keyword = Buffer.from('XML:com.adobe.xmp\0');
/** Where ImageMagick keeps XMP, as a text of hexadecimal digits. */
const rawProfile = /^Raw profile type xmp\0/;

interface Chunk {
  readonly type: string;
  readonly start: number;
  readonly body: number;
  readonly bodyEnd: number;
  readonly end: number;
}

export const png: Carrier = {
  kind: 'PNG',
  isOurs: (bytes) => bytes.subarray(0, 8).equals(signature),
  read: (bytes, name) => {
    const found = packetOf(bytes, chunksOf(bytes, name), name);
    return found && textOf(bytes.subarray(found.body, found.bodyEnd), name);
  },
  write: (bytes, packet, name) => {
    const chunks = chunksOf(bytes, name);
    if (chunks.some(({ type }) => type === 'caBX')) throw signed(name);
    const isRaw = ({ type, body }: Chunk): boolean =>
      /^(?:tEXt|zTXt)$/.test(type) && rawProfile.test(bytes.toString('latin1', body, body + 40));
    if (chunks.some(isRaw)) throw unfit(name, "it keeps XMP in ImageMagick's own way");
    const old = packetOf(bytes, chunks, name);
    const pixels = chunks.find(({ type }) => type === 'IDAT');
    if (!pixels) throw damaged(name, 'PNG', 'it has no pixels');
    const start = old?.start ?? pixels.start;
    const added = packet ? chunkOf(packet) : Buffer.alloc(0);
    return Buffer.concat([bytes.subarray(0, start), added, bytes.subarray(old?.end ?? start)]);
  },
};

function chunksOf(bytes: Buffer, name: string): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = 8; at + 12 <= bytes.length; ) {
    const bodyEnd = at + 8 + bytes.readUInt32BE(at);
    if (bodyEnd + 4 > bytes.length) break;
    const type = bytes.toString('latin1', at + 4, at + 8);
    chunks.push({ type, start: at, body: at + 8, bodyEnd, end: bodyEnd + 4 });
    if (type === 'IEND') return chunks;
    at = bodyEnd + 4;
  }
  throw damaged(name, 'PNG', 'its end is missing');
}

function packetOf(bytes: Buffer, chunks: readonly Chunk[], name: string): Chunk | undefined {
  const [found, second] = chunks.filter(
    ({ type, body }) =>
      type === 'iTXt' && bytes.subarray(body, body + keyword.length).equals(keyword),
  );
  if (second) throw severalPackets(name);
  return found;
}

/** Behind the keyword: whether it is compressed, how, a language and a translated keyword, each ended by 0. */
function textOf(body: Buffer, name: string): Buffer {
  const language = keyword.length + 2;
  const translated = body.indexOf(0, language) + 1;
  const text = body.indexOf(0, translated) + 1;
  if (translated === 0 || text === 0) throw damaged(name, 'PNG', 'a text without its parts');
  const content = body.subarray(text);
  try {
    return body[keyword.length] === 0 ? content : inflateSync(content);
  } catch {
    throw damaged(name, 'PNG', 'its XMP cannot be decompressed');
  }
}

function chunkOf(packet: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from('iTXt'), keyword, Buffer.alloc(4), packet]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(named.length - 4);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
}
