/**
 * XMP in TIFF files: tag 700 of the first directory. What is new goes to the end, so that nothing that is there
 * moves: not what other tags point at, and not maker notes whose places nobody knows.
 */
import { type Carrier, damaged, signed } from './carrier.ts';
import {
  directoryBytes,
  isTiff,
  readDirectory,
  type TiffDirectory,
  type TiffEntry,
} from './tiff-directory.ts';

const xmpTag = 700;
const iptcTag = 33723;
const c2paTag = 0xcd41;
const byteType = 1;
const longType = 4;

export const tiff: Carrier = {
  kind: 'TIFF',
  isOurs: isTiff,
  read: (bytes, name) => {
    const entry = packetEntry(readDirectory(bytes, name));
    return entry && bytes.subarray(entry.place, entry.place + entry.count);
  },
  write: (bytes, packet, name) => {
    const directory = readDirectory(bytes, name);
    if (directory.entries.some(({ tag }) => tag === c2paTag)) throw signed(name);
    const old = packetEntry(directory);
    const kept = old ? withoutPacket(bytes, old) : bytes;
    if (!packet) return old ? withoutEntry(kept, directory) : bytes;
    const place = even(kept.length);
    const entry = entryBytes(directory, place, packet.length);
    const filled = padded(kept, place);
    const end = place + packet.length;
    const limit = directory.numbers.size === 4 ? 2 ** 32 : Number.MAX_SAFE_INTEGER;
    if (end + 4096 > limit) throw damaged(name, 'TIFF', 'it is larger than 4 GB');
    if (!old) return withDirectory(filled, directory, packet, entry);
    const written = Buffer.concat([filled, packet]);
    entry.copy(written, old.bytes.byteOffset - bytes.byteOffset);
    return written;
  },
};

/** A TIFF's IPTC block; empty where there is none. */
export function iptcOfTiff(bytes: Buffer, name: string): Buffer {
  const entry = readDirectory(bytes, name).entries.find(({ tag }) => tag === iptcTag);
  if (!entry) return Buffer.alloc(0);
  // Some count it in longs.
  const length = entry.type === longType ? 4 * entry.count : entry.count;
  return bytes.subarray(entry.place, entry.place + length);
}

function packetEntry({ entries }: TiffDirectory): TiffEntry | undefined {
  return entries.find(({ tag, count }) => tag === xmpTag && count > 0);
}

/** Places are even (in BigTIFF, divisible by 8). */
function even(place: number): number {
  return Math.ceil(place / 8) * 8;
}

function padded(bytes: Buffer, length: number): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(length - bytes.length)]);
}

/** The old packet is cut off where it is the last of the file, and blank otherwise. */
function withoutPacket(bytes: Buffer, { place, count }: TiffEntry): Buffer {
  const end = place + count;
  if (end === bytes.length) return Buffer.from(bytes.subarray(0, place));
  const copy = Buffer.from(bytes);
  if (count > 4) copy.fill(0x20, place, end);
  return copy;
}

function entryBytes({ numbers }: TiffDirectory, place: number, length: number): Buffer {
  const { bytesOf, size } = numbers;
  return Buffer.concat([
    bytesOf(xmpTag, 2),
    bytesOf(byteType, 2),
    bytesOf(length, size),
    bytesOf(place, size),
  ]);
}

/** A new directory, behind it the packet. Entries are in the order of their tags. */
function withDirectory(
  bytes: Buffer,
  directory: TiffDirectory,
  packet: Buffer,
  entry: Buffer,
): Buffer {
  const { entries, numbers, pointer } = directory;
  const before = entries.filter(({ tag }) => tag < xmpTag).map((each) => each.bytes);
  const behind = entries.filter(({ tag }) => tag > xmpTag).map((each) => each.bytes);
  const start = bytes.length;
  const length = directoryBytes(directory, [...before, entry, ...behind]).length;
  const place = even(start + length);
  const moved = entryBytes(directory, place, packet.length);
  const written = Buffer.concat([
    padded(Buffer.concat([bytes, directoryBytes(directory, [...before, moved, ...behind])]), place),
    packet,
  ]);
  numbers.bytesOf(start, numbers.size).copy(written, pointer);
  return written;
}

/** The directory in its place, one entry shorter. */
function withoutEntry(bytes: Buffer, directory: TiffDirectory): Buffer {
  const rest = directory.entries.filter(({ tag }) => tag !== xmpTag).map((each) => each.bytes);
  const written = Buffer.from(bytes);
  directoryBytes(directory, rest).copy(written, directory.start);
  return written;
}
