/** XMP in picture files: found, and spliced in without decoding the picture. */
import { readFile, stat, utimes } from 'node:fs/promises';
import { InputError } from '../../base/errors.ts';
import { errorCode, writeFileAtomic } from '../../base/files.ts';
import { type IptcWords, iptcOfPhotoshop, readIptc } from '../iptc.ts';
import { decodePacket, type XmpPlace } from '../places.ts';
import { captionProperties } from '../xmp/names.ts';
import { findProperty, parsePacket } from '../xmp/packet.ts';
import { type Carrier, unfit } from './carrier.ts';
import { isoMedia } from './iso-media.ts';
import { extendedXmp, jpeg, photoshopResources } from './jpeg.ts';
import { png } from './png.ts';
import { iptcOfTiff, tiff } from './tiff.ts';
import { webp } from './webp.ts';

const carriers: readonly Carrier[] = [jpeg, png, webp, tiff, isoMedia];

export interface EmbeddedOptions {
  /** The file keeps its times of change and access. */
  readonly keepTimes?: boolean;
}

/** The XMP in a picture file. Writing replaces the file as a whole. */
export function embeddedPlace(path: string, { keepTimes = false }: EmbeddedOptions = {}): XmpPlace {
  return {
    name: path,
    read: async () => readEmbedded(await bytesOf(path), path),
    write: async (packet) => {
      const bytes = await bytesOf(path);
      const { atime, mtime } = await stat(path);
      await writeFileAtomic(path, withEmbedded(bytes, packet, path));
      if (keepTimes) await utimes(path, atime, mtime);
    },
  };
}

/** @throws InputError when there is no such file, or it cannot be read */
async function bytesOf(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new InputError(`${path}: cannot be read (${errorCode(error) ?? String(error)}).`);
  }
}

/** Whether captions can be embedded in files that begin so. */
export function canCarry(bytes: Buffer): boolean {
  return carriers.some((each) => each.isOurs(bytes));
}

/** A picture's words in IPTC's older form. @throws InputError when the picture is damaged */
export function readOlderIptc(bytes: Buffer, name: string): IptcWords {
  if (jpeg.isOurs(bytes))
    return readIptc(iptcOfPhotoshop(photoshopResources(bytes, name)) ?? Buffer.alloc(0));
  return readIptc(tiff.isOurs(bytes) ? iptcOfTiff(bytes, name) : Buffer.alloc(0));
}

/** The packet in a picture, or undefined. @throws InputError when it cannot be read or safely changed */
export function readEmbedded(bytes: Buffer, name: string): string | undefined {
  const carrier = carrierOf(bytes, name);
  const packet = carrier.read(bytes, name);
  if (carrier === jpeg) checkExtended(bytes, name);
  const text = packet && decodePacket(packet, name);
  return text?.replace(/\0/g, '').trim() === '' ? undefined : text;
}

/**
 * The picture with another packet, or with none.
 * @throws InputError when the file is of another kind, damaged, or would be by it
 */
export function withEmbedded(bytes: Buffer, packet: string | undefined, name: string): Buffer {
  const carrier = carrierOf(bytes, name);
  const written = carrier.write(
    bytes,
    packet === undefined ? undefined : Buffer.from(packet),
    name,
  );
  // A look from outside: what was written is found again.
  const found = carrier.read(written, name)?.toString('utf8');
  if (found?.replace(/\s+/g, ' ') !== packet?.replace(/\s+/g, ' '))
    throw unfit(name, 'XMP that is written into it is not found again');
  return written;
}

function carrierOf(bytes: Buffer, name: string): Carrier {
  const carrier = carriers.find((each) => each.isOurs(bytes));
  if (carrier) return carrier;
  const kinds = carriers.map(({ kind }) => kind).join(', ');
  throw unfit(name, `captions are embedded in ${kinds} files alone`);
}

/** Words in the part of the XMP that is too long for one segment cannot be merged with. */
function checkExtended(bytes: Buffer, name: string): void {
  const extended = extendedXmp(bytes, name);
  if (!extended) return;
  const packet = parsePacket(decodePacket(extended, name), name);
  const words = Object.values(captionProperties).filter((each) => findProperty(packet, each));
  if (words.length > 0)
    throw unfit(name, `it has ${words[0].prefix}:${words[0].local} in its extended XMP`);
}
