/** Decodes BMP files: every depth, palettes, run lengths, bit fields; the pixels are Pillow's. */
import { InputError } from '../../base/errors.ts';
import { layOverWhite } from './colour.ts';
import type { RgbImage } from './rgb.ts';

/** What the header says. */
export interface BmpHeader {
  readonly width: number;
  readonly height: number;
  /** Rows come from the top, not from the bottom. */
  readonly isTopDown: boolean;
  readonly bits: number;
  readonly compression: number;
  /** Byte at which the palette begins, bytes an entry, and entries. */
  readonly palette: { readonly start: number; readonly step: 3 | 4; readonly entries: number };
  /** Bits of a pixel that hold red, green, blue and alpha. */
  readonly masks: readonly [red: number, green: number, blue: number, alpha: number];
  /** Byte at which the pixels begin. */
  readonly start: number;
}

const compressions = { none: 0, rle8: 1, rle4: 2, fields: 3, jpeg: 4, png: 5, alphaFields: 6 };
const depths = [1, 2, 4, 8, 16, 24, 32];
const fileHeader = 14;
/** BITMAPCOREHEADER: two-byte sizes, no compression, three bytes a colour. */
const coreHeader = 12;
/** BITMAPINFOHEADER; the versions after it hold the masks themselves. */
const infoHeader = 40;
/** OS/2's own second version, whose compressions have other meanings. */
const os2Header = 64;

/** @throws InputError what `name` has that is not read; RangeError when the header is cut off */
export function readBmpHeader(bytes: Uint8Array, name: string): BmpHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = view.getUint32(fileHeader, true);
  const isCore = size === coreHeader;
  if (!isCore && size < infoHeader) throw unread(name, `a header of ${size} bytes`);
  const at = fileHeader + 4;
  const width = isCore ? view.getUint16(at, true) : view.getInt32(at, true);
  const height = isCore ? view.getUint16(at + 2, true) : view.getInt32(at + 4, true);
  const bits = view.getUint16(isCore ? at + 6 : at + 10, true);
  const compression = isCore ? compressions.none : view.getUint32(at + 12, true);
  if (width <= 0 || height === 0) throw unread(name, `${width} x ${Math.abs(height)} pixels`);
  checkCompression(name, size, bits, compression);
  const hasMasks = compression === compressions.fields || compression === compressions.alphaFields;
  const hasAlphaMask = compression === compressions.alphaFields || size >= 56;
  const maskBytes = hasMasks && size === infoHeader ? (hasAlphaMask ? 16 : 12) : 0;
  const start = fileHeader + size + maskBytes;
  const step = isCore ? 3 : 4;
  const used = isCore ? 0 : view.getUint32(at + 28, true);
  return {
    width,
    height: Math.abs(height),
    isTopDown: height < 0,
    bits,
    compression,
    // A palette ends where the pixels begin, whatever its count says.
    palette: { start, step, entries: Math.min(used === 0 ? 256 : used, 2 ** Math.min(bits, 8)) },
    masks: hasMasks ? readMasks(view, hasAlphaMask) : usualMasks(bits, 0),
    start: pixelStart(view.getUint32(10, true), start, bits <= 8 ? step * (used || 2 ** bits) : 0),
  };
}

/** Some writers give no place, or that of the palette. */
function pixelStart(given: number, afterHeader: number, paletteBytes: number): number {
  return given <= afterHeader ? afterHeader + paletteBytes : given;
}

function checkCompression(name: string, size: number, bits: number, compression: number): void {
  const { none, rle8, rle4, fields, jpeg, png, alphaFields } = compressions;
  if (compression === jpeg || compression === png)
    throw unread(name, `a ${compression === jpeg ? 'JPEG' : 'PNG'} inside`);
  const fitting: Readonly<Record<number, readonly number[]>> = {
    [none]: depths,
    [rle8]: [8],
    [rle4]: [4],
    [fields]: size === os2Header ? [] : [16, 24, 32],
    [alphaFields]: size === os2Header ? [] : [16, 32],
  };
  if (!fitting[compression]?.includes(bits))
    throw unread(name, `${bits} bits a pixel, compression ${compression}`);
}

function unread(name: string, what: string): InputError {
  return new InputError(`${name}: this BMP has ${what} and is not read; save it as PNG.`);
}

function readMasks(view: DataView, hasAlpha: boolean): BmpHeader['masks'] {
  const mask = (i: number): number => view.getUint32(fileHeader + infoHeader + 4 * i, true);
  const masks = [mask(0), mask(1), mask(2), hasAlpha ? mask(3) : 0] as const;
  return masks.every((one) => one === 0) ? usualMasks(32, 0xff000000) : masks;
}

function usualMasks(bits: number, alpha: number): BmpHeader['masks'] {
  return bits === 16 ? [0x7c00, 0x3e0, 0x1f, alpha] : [0xff0000, 0xff00, 0xff, alpha];
}

/**
 * The pixels. Transparency is laid over white; an alpha of zeros everywhere is none, as browsers have it.
 * @throws Error when the file is cut off
 */
export function decodeBmp(bytes: Uint8Array, header: BmpHeader): RgbImage {
  const { width, height, bits, compression } = header;
  if (bits > 8) return decodeColours(bytes, header);
  const isRunLength = compression === compressions.rle8 || compression === compressions.rle4;
  const indices = isRunLength ? decodeRuns(bytes, header) : decodeIndices(bytes, header);
  const { start, step, entries } = header.palette;
  // An index beyond the palette is black.
  const colours = new Uint8Array(256 * 3);
  for (let i = 0; i < entries && start + i * step + 3 <= header.start; i++)
    for (let c = 0; c < 3; c++) colours[3 * i + c] = bytes[start + i * step + 2 - c];
  const data = new Uint8Array(width * height * 3);
  for (let p = 0, t = 0; p < indices.length; p++, t += 3) {
    const s = 3 * indices[p];
    data[t] = colours[s];
    data[t + 1] = colours[s + 1];
    data[t + 2] = colours[s + 2];
  }
  return { width, height, data };
}

/** Where the stored row of an upright row begins. @throws Error when the last one is cut off */
function rowStarts(bytes: Uint8Array, header: BmpHeader): (row: number) => number {
  const { width, height, bits, isTopDown, start } = header;
  const stride = ((width * bits + 31) >>> 5) * 4;
  // The last row may lack what fills it up.
  if (start + stride * (height - 1) + Math.ceil((width * bits) / 8) > bytes.length)
    throw new Error('fewer pixels than the header says');
  return (row) => start + stride * (isTopDown ? row : height - 1 - row);
}

function decodeIndices(bytes: Uint8Array, header: BmpHeader): Uint8Array {
  const { width, height, bits } = header;
  const rowStart = rowStarts(bytes, header);
  const perByte = 8 / bits;
  const mask = 2 ** bits - 1;
  const indices = new Uint8Array(width * height);
  for (let row = 0, t = 0; row < height; row++) {
    const start = rowStart(row);
    for (let x = 0; x < width; x++) {
      const shift = 8 - bits * (1 + (x % perByte));
      indices[t++] = (bytes[start + Math.floor(x / perByte)] >> shift) & mask;
    }
  }
  return indices;
}

/** Run lengths: pixels that are skipped are of the first colour. @throws Error when the file is cut off */
function decodeRuns(bytes: Uint8Array, header: BmpHeader): Uint8Array {
  const { width, height, isTopDown, compression } = header;
  const isNibbles = compression === compressions.rle4;
  const indices = new Uint8Array(width * height);
  let x = 0;
  let y = 0;
  const put = (index: number): void => {
    if (x < width && y < height) indices[(isTopDown ? y : height - 1 - y) * width + x] = index;
    x += 1;
  };
  const pixel = (at: number, i: number): number => {
    if (!isNibbles) return bytes[at + i];
    return i % 2 === 0 ? bytes[at + (i >> 1)] >> 4 : bytes[at + (i >> 1)] & 15;
  };
  for (let at = header.start; y < height; ) {
    if (at + 2 > bytes.length) throw new Error('fewer pixels than the header says');
    const [count, value] = [bytes[at], bytes[at + 1]];
    at += 2;
    if (count > 0) {
      for (let i = 0; i < count; i++) put(pixel(at - 1, isNibbles ? i % 2 : 0));
    } else if (value === 0) {
      x = 0;
      y += 1;
    } else if (value === 1) {
      break;
    } else if (value === 2) {
      x += bytes[at];
      y += bytes[at + 1];
      at += 2;
    } else {
      const length = isNibbles ? (value + 1) >> 1 : value;
      if (at + length > bytes.length) throw new Error('fewer pixels than the header says');
      for (let i = 0; i < value; i++) put(pixel(at, i));
      at += length + (length % 2);
    }
  }
  return indices;
}

/** Where a channel's bits lie: a value is ((pixel & mask) >>> shift) * 255 / most, rounded down as Pillow does. */
interface Field {
  readonly mask: number;
  readonly shift: number;
  readonly most: number;
}

function fieldOf(mask: number): Field {
  const shift = mask === 0 ? 0 : 31 - Math.clz32(mask & -mask);
  return { mask, shift, most: mask >>> shift };
}

function decodeColours(bytes: Uint8Array, header: BmpHeader): RgbImage {
  const { width, height, bits, masks } = header;
  const rowStart = rowStarts(bytes, header);
  const fields = masks.map(fieldOf);
  const step = bits / 8;
  const rgba = new Uint8Array(width * height * 4);
  let isAlphaUsed = false;
  for (let row = 0, t = 0; row < height; row++)
    for (let x = 0, s = rowStart(row); x < width; x++, s += step, t += 4) {
      let pixel = bytes[s] | (bytes[s + 1] << 8);
      if (step > 2) pixel |= bytes[s + 2] << 16;
      if (step > 3) pixel |= bytes[s + 3] << 24;
      for (let c = 0; c < 4; c++) {
        const { mask, shift, most } = fields[c];
        if (most > 0) rgba[t + c] = (((pixel & mask) >>> shift) * 255) / most;
      }
      isAlphaUsed ||= rgba[t + 3] > 0;
    }
  if (!isAlphaUsed) for (let t = 3; t < rgba.length; t += 4) rgba[t] = 255;
  return { width, height, data: layOverWhite(rgba) };
}
