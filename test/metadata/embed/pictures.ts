/** Small pictures as cameras and programs lay them out, made of a sample photo. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { repositoryRoot } from '../../paths.ts';
import { change } from '../exiftool.ts';

const photo = readFileSync(join(repositoryRoot, 'samples/dog-on-grass.jpg'));
const small = () => sharp(photo).resize(48, 32);

/** A JPEG segment. */
export function segment(marker: number, content: Uint8Array): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(content.length + 2, 2);
  return Buffer.concat([head, content]);
}

/** A JPEG with segments behind its start. */
export const withSegments = (jpeg: Buffer, ...segments: readonly Buffer[]): Buffer =>
  Buffer.concat([jpeg.subarray(0, 2), ...segments, jpeg.subarray(2)]);

/** Plain pictures in each kind of file. */
export async function plainPictures(): Promise<Record<string, Buffer>> {
  const transparent = small().ensureAlpha(0.5);
  const frames = await small().resize(48, 32).raw().toBuffer({ resolveWithObject: true });
  const two = Buffer.concat([frames.data, frames.data.map((value) => 255 - value)]);
  const animation = sharp(two, {
    raw: { width: 48, height: 64, channels: 3, pageHeight: 32 },
    animated: true,
  });
  return {
    'plain.jpg': await small().jpeg().toBuffer(),
    'progressive.jpg': await small().jpeg({ progressive: true }).withIccProfile('p3').toBuffer(),
    'plain.png': await small().png().toBuffer(),
    'palette.png': await small()
      .png({ palette: true })
      .withExif({ IFD0: { Make: 'A' } })
      .toBuffer(),
    'lossy.webp': await small().webp().toBuffer(),
    'lossless.webp': await transparent.clone().webp({ lossless: true }).toBuffer(),
    'alpha.webp': await transparent.clone().webp().withIccProfile('p3').toBuffer(),
    'animated.webp': await animation.webp().toBuffer(),
    'plain.tif': await small().tiff().toBuffer(),
    'big.tif': await small().tiff({ bigtiff: true, compression: 'lzw' }).toBuffer(),
    'other-order.tif': bigEndianTiff(),
  };
}

/** 2 x 2 grey pixels, most significant byte first. */
function bigEndianTiff(): Buffer {
  const entries = [
    ...[
      [256, 3, 1, 2 << 16] as const,
      [257, 3, 1, 2 << 16] as const,
      [258, 3, 1, 8 << 16] as const,
    ],
    ...[[259, 3, 1, 1 << 16] as const, [262, 3, 1, 1 << 16] as const, [273, 4, 1, 8] as const],
    ...[[277, 3, 1, 1 << 16] as const, [278, 3, 1, 2 << 16] as const, [279, 4, 1, 4] as const],
    [33432, 2, 4, 0x41626300] as const,
  ];
  const bytes = Buffer.alloc(12 + 2 + entries.length * 12 + 4);
  bytes.write('MM\0*', 'latin1');
  bytes.writeUInt32BE(12, 4);
  bytes.set([10, 80, 160, 250], 8);
  bytes.writeUInt16BE(entries.length, 12);
  for (const [i, [tag, type, count, value]] of entries.entries()) {
    bytes.writeUInt16BE(tag, 14 + 12 * i);
    bytes.writeUInt16BE(type, 16 + 12 * i);
    bytes.writeUInt32BE(count, 18 + 12 * i);
    bytes.writeUInt32BE(value, 22 + 12 * i);
  }
  return bytes;
}

/** As a camera writes: Exif with a thumbnail and GPS, IPTC, a colour profile, a comment; made by exiftool. */
export function cameraJpeg(plain: Buffer, folder: string): Buffer {
  const path = join(folder, 'camera.jpg');
  const thumbnail = join(folder, 'thumbnail.jpg');
  writeFileSync(path, plain);
  writeFileSync(thumbnail, plain);
  change(path, [
    ...['-Make=Canon', '-Model=EOS', '-Orientation#=1', '-GPSLatitude=55', '-GPSLatitudeRef=N'],
    ...[`-ThumbnailImage<=${thumbnail}`, '-IPTC:City=Ny', '-Comment=hello', '-UserComment=x'],
    ...['-XMP-xmp:Rating=4', '-XMP-dc:Title=Snow'],
  ]);
  return readFileSync(path);
}

/** Two pictures in one file, by an index of CIPA's multi-picture format behind the given segments. */
export function multiPicture(plain: Buffer, isLittle: boolean, ...segments: Buffer[]): Buffer {
  const u16 = (value: number) => (isLittle ? [value, 0] : [0, value]);
  const u32 = (value: number) => {
    const bytes = Buffer.alloc(4);
    if (isLittle) bytes.writeUInt32LE(value);
    else bytes.writeUInt32BE(value);
    return [...bytes];
  };
  const entry = (tag: number, type: number, count: number, value: readonly number[]) => [
    ...(isLittle ? [tag & 255, tag >> 8] : [tag >> 8, tag & 255]),
    ...u16(type),
    ...u32(count),
    ...value,
  ];
  const index = (first: number, offset: number) => [
    ...Buffer.from(isLittle ? 'MPF\0II*\0' : 'MPF\0MM\0*', 'latin1'),
    ...u32(8),
    ...u16(3),
    ...entry(0xb000, 7, 4, [...Buffer.from('0100')]),
    ...entry(0xb001, 4, 1, u32(2)),
    ...entry(0xb002, 7, 32, u32(50)),
    ...u32(0),
    ...[...u32(0x030000), ...u32(first), ...u32(0), ...u32(0)],
    ...[...u32(0), ...u32(plain.length), ...u32(offset), ...u32(0)],
  ];
  const made = (first: number, offset: number) =>
    withSegments(plain, ...segments, segment(0xe2, Buffer.from(index(first, offset))));
  const { length } = made(0, 0);
  const base = 2 + segments.reduce((sum, each) => sum + each.length, 0) + 8;
  return Buffer.concat([made(length, length - base), plain]);
}
