/** Pictures and files that the image tests make themselves. */
import { crc32, deflateSync } from 'node:zlib';
import type { RgbImage } from '../../src/data/index.ts';

/** A smooth picture with an edge: no symmetry, every channel different. */
export function samplePicture(width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i += 3) {
      data[i] = Math.floor((x * 255) / width);
      data[i + 1] = Math.floor((y * 255) / height);
      data[i + 2] = x > y ? 200 : 40;
    }
  return { width, height, data };
}

/** One picture with few colours, for formats with a palette. */
export function flatPicture(width: number, height: number): RgbImage {
  const { data } = samplePicture(width, height);
  return { width, height, data: data.map((value) => (value >> 6) * 85) };
}

/** sharp's description of raw pixels. */
export function raw(image: RgbImage) {
  return { raw: { width: image.width, height: image.height, channels: 3 as const } };
}

/** A PNG of the given header and compressed rows; only as right as the caller makes it. */
export function pngFile(
  width: number,
  height: number,
  bitDepth: number,
  colourType: number,
  rows: Uint8Array,
): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = bitDepth;
  header[9] = colourType;
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(rows)),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

function pngChunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** An uncompressed little-endian TIFF of 8-bit CMYK pixels without a profile. */
export function cmykTiff(width: number, height: number, pixels: Uint8Array): Uint8Array {
  const entries: [tag: number, type: 3 | 4, count: number, value: number][] = [
    [256, 4, 1, width],
    [257, 4, 1, height],
    [258, 3, 4, 0], // bits a sample: filled in below
    [259, 3, 1, 1],
    [262, 3, 1, 5], // separated inks
    [273, 4, 1, 0],
    [277, 3, 1, 4],
    [278, 4, 1, height],
    [279, 4, 1, pixels.length],
  ];
  const directory = 8;
  const bits = directory + 2 + entries.length * 12 + 4;
  const start = bits + 8;
  const file = Buffer.alloc(start + pixels.length);
  file.write('II*\0', 'latin1');
  file.writeUInt32LE(directory, 4);
  file.writeUInt16LE(entries.length, directory);
  entries.forEach(([tag, type, count, value], i) => {
    const at = directory + 2 + i * 12;
    file.writeUInt16LE(tag, at);
    file.writeUInt16LE(type, at + 2);
    file.writeUInt32LE(count, at + 4);
    file.writeUInt32LE(tag === 258 ? bits : tag === 273 ? start : value, at + 8);
  });
  for (let i = 0; i < 4; i++) file.writeUInt16LE(8, bits + 2 * i);
  file.set(pixels, start);
  return file;
}
