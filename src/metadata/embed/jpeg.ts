/** XMP in JPEG files: one APP1 segment (XMP specification part 3), before the picture. */
import { type Carrier, damaged, severalPackets, signed, unfit } from './carrier.ts';
import { moveMultiPicture } from './multi-picture.ts';

const xmpMark = Buffer.from('http://ns.adobe.com/xap/1.0/\0');
const extensionMark = Buffer.from('http://ns.adobe.com/xmp/extension/\0');
const exifMark = Buffer.from('Exif\0');
const photoshopMark = Buffer.from('Photoshop 3.0\0');
const jumbfMark = Buffer.from('JP');

/** As the specification has it. */
const mostBytes = 65502;

/** A segment before the picture: its marker at `start`, its content from `body` to `end`. */
interface Segment {
  readonly marker: number;
  readonly start: number;
  readonly body: number;
  readonly end: number;
}

export const jpeg: Carrier = {
  kind: 'JPEG',
  isOurs: (bytes) => bytes.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff])),
  read: (bytes, name) => {
    const found = packetOf(bytes, segmentsOf(bytes, name), name);
    return found && bytes.subarray(found.body + xmpMark.length, found.end);
  },
  write: (bytes, packet, name) => {
    const segments = segmentsOf(bytes, name);
    if (segments.some((segment) => isSigned(bytes, segment))) throw signed(name);
    const old = packetOf(bytes, segments, name);
    const start = old?.start ?? placeOf(bytes, segments);
    const end = old?.end ?? start;
    const added = packet ? segmentOf(packet, name) : Buffer.alloc(0);
    const written = Buffer.concat([bytes.subarray(0, start), added, bytes.subarray(end)]);
    const delta = added.length - (end - start);
    const moved = (place: number): number => (place >= end ? place + delta : place);
    for (const { marker, body, end: behind } of segments)
      if (marker === 0xe2) moveMultiPicture(bytes.subarray(0, behind), body, written, moved, delta);
    return written;
  },
};

/** The extended part of a JPEG's XMP, put together, or undefined. @throws InputError when a piece is missing */
export function extendedXmp(bytes: Buffer, name: string): Buffer | undefined {
  const pieces = segmentsOf(bytes, name).filter(
    ({ marker, body }) => marker === 0xe1 && startsWith(bytes, body, extensionMark),
  );
  if (pieces.length === 0) return undefined;
  // Behind the mark: a digest of 32 letters, the whole length, the piece's place.
  const head = extensionMark.length + 40;
  const whole = Buffer.alloc(bytes.readUInt32BE(pieces[0].body + head - 8));
  let filled = 0;
  for (const { body, end } of pieces)
    filled += bytes.copy(whole, bytes.readUInt32BE(body + head - 4), body + head, end);
  if (filled !== whole.length) throw damaged(name, 'JPEG', 'its extended XMP is not whole');
  return whole;
}

/** Photoshop's resources in a JPEG, which may take several segments; empty where there are none. */
export function photoshopResources(bytes: Buffer, name: string): Buffer {
  const pieces = segmentsOf(bytes, name).filter(
    ({ marker, body }) => marker === 0xed && startsWith(bytes, body, photoshopMark),
  );
  return Buffer.concat(
    pieces.map(({ body, end }) => bytes.subarray(body + photoshopMark.length, end)),
  );
}

function segmentsOf(bytes: Buffer, name: string): Segment[] {
  const segments: Segment[] = [];
  let at = 2;
  for (;;) {
    if (at + 4 > bytes.length || bytes[at] !== 0xff)
      throw damaged(name, 'JPEG', `no marker at byte ${at}`);
    const marker = bytes[at + 1];
    // Bytes that fill up.
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    const end = at + 2 + bytes.readUInt16BE(at + 2);
    if (end > bytes.length) throw damaged(name, 'JPEG', 'a segment goes beyond its end');
    // The picture's data follow; in them 0xff is no marker unless it is one.
    if (marker === 0xda) {
      if (bytes.indexOf(Buffer.from([0xff, 0xd9]), end) < 0)
        throw damaged(name, 'JPEG', 'its end is missing');
      return segments;
    }
    segments.push({ marker, start: at, body: at + 4, end });
    at = end;
  }
}

function startsWith(bytes: Buffer, at: number, mark: Buffer): boolean {
  return bytes.subarray(at, at + mark.length).equals(mark);
}

function packetOf(bytes: Buffer, segments: readonly Segment[], name: string): Segment | undefined {
  const [found, second] = segments.filter(
    ({ marker, body }) => marker === 0xe1 && startsWith(bytes, body, xmpMark),
  );
  if (second) throw severalPackets(name);
  return found;
}

/** Behind JFIF and Exif, which programs expect first. */
function placeOf(bytes: Buffer, segments: readonly Segment[]): number {
  let place = 2;
  for (const { marker, body, end } of segments) {
    if (marker !== 0xe0 && !(marker === 0xe1 && startsWith(bytes, body, exifMark))) break;
    place = end;
  }
  return place;
}

function segmentOf(packet: Buffer, name: string): Buffer {
  const fitting = packet.length <= mostBytes ? packet : withoutPadding(packet);
  if (fitting.length > mostBytes)
    throw unfit(name, `its XMP would be longer than the ${mostBytes} bytes that a JPEG has for it`);
  const head = Buffer.from([0xff, 0xe1, 0, 0]);
  head.writeUInt16BE(2 + xmpMark.length + fitting.length, 2);
  return Buffer.concat([head, xmpMark, fitting]);
}

/** White space before a packet's end is room for programs that write in place. */
function withoutPadding(packet: Buffer): Buffer {
  return Buffer.from(packet.toString('utf8').replace(/\s+(?=<\?xpacket end=)/, '\n'));
}

function isSigned(bytes: Buffer, { marker, body, end }: Segment): boolean {
  return (
    marker === 0xeb &&
    startsWith(bytes, body, jumbfMark) &&
    bytes.subarray(body, end).includes('c2pa')
  );
}
