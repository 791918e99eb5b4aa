/** Decodes by libvips, and converts the samples that it hands on as they are. */
import sharp, { type Metadata, type Sharp } from 'sharp';
import { InputError } from '../../base/errors.ts';
import { cmykToRgb, layOverWhite, ycbcrToRgb } from './colour.ts';
import type { ImageFormat } from './formats.ts';
import { isSrgbProfile } from './icc.ts';
import type { RgbImage } from './rgb.ts';
import { hasAlphaFirst, readTiffLayout, type TiffLayout, tiffColours } from './tiff.ts';

/** A file that is to be decoded. */
export interface Encoded {
  /** Of a HEIC, the TIFF that it was unpacked to. */
  readonly bytes: Uint8Array;
  readonly name: string;
  readonly format: ImageFormat;
  /** Throws where the header is one that is not read. */
  checkHeader(header: Metadata): void;
}

/** Width and height after EXIF orientation. @throws Error where libvips cannot read the header */
export async function readOrientedSize(
  bytes: Uint8Array,
): Promise<{ readonly width: number; readonly height: number }> {
  const { autoOrient } = await sharp(bytes, { limitInputPixels: false }).metadata();
  return { width: autoOrient.width, height: autoOrient.height };
}

/** Decodes, stopping at whatever is odd. @throws InputError when it is of a kind that is not read; Error */
export function decodeStrictly(file: Encoded): Promise<RgbImage> {
  return decode(file, 'warning');
}

/** The strict level also stops at oddities that leave every pixel intact: allows those alone. @throws likewise */
export async function decodeTolerantly(file: Encoded): Promise<RgbImage> {
  try {
    return await decodeStrictly(file);
  } catch (error) {
    if (!(error instanceof Error) || !isHarmless(file.format, error.message)) throw error;
    return await decode(file, 'truncated');
  }
}

const harmless: Partial<Record<ImageFormat, RegExp>> = {
  JPEG: /extraneous bytes before marker|unknown JFIF revision|bad ICC marker|Adobe color transform|Invalid SOS parameters|Inconsistent progression|exif|profile/i,
  PNG: /iCCP|sRGB|cHRM|gAMA|tEXt|zTXt|iTXt|eXIf|bKGD|tRNS|pHYs|sBIT|hIST|tIME|profile|exif/i,
  WebP: /profile|exif/i,
  AVIF: /profile|exif/i,
  HEIC: /profile/i,
  TIFF: /Unknown field with tag|Unknown tag|wrong data type|incorrect count|not sorted|ASCII value|does not end in null|profile|exif/i,
};

/** Whether every warning in sharp's message is one that costs no pixel. */
function isHarmless(format: ImageFormat, message: string): boolean {
  const pattern = harmless[format];
  const warnings = message
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('Warning treated as error'));
  return pattern !== undefined && warnings.length > 0 && warnings.every((w) => pattern.test(w));
}

/** What libvips gives, which is not always RGB. */
type Samples = 'RGB' | 'CMYK' | 'YCbCr' | 'RGB with extra channels';

async function decode(file: Encoded, failOn: 'truncated' | 'warning'): Promise<RgbImage> {
  const { bytes, name, format } = file;
  const layout = format === 'TIFF' ? readTiffLayout(bytes) : undefined;
  const colours = layout && tiffColours(layout);
  if (typeof colours === 'object')
    throw new InputError(
      `${name}: this TIFF has ${colours.unread} and is not read; save it as RGB.`,
    );
  const header = await sharp(bytes, { limitInputPixels: false }).metadata();
  file.checkHeader(header);
  const samples = colours === 'YCbCr' ? 'YCbCr' : samplesOf(header, layout);
  const pipeline = sharp(bytes, {
    failOn,
    limitInputPixels: false, // checked before, with a message of our own
    ignoreIcc: samples === 'YCbCr' || (header.icc !== undefined && isSrgbProfile(header.icc)),
    autoOrient: true,
  });
  shape(pipeline, samples, layout);
  // sharp takes 16-bit pixels to Display P3 first; this brings them to sRGB.
  if (header.icc !== undefined && header.space === 'rgb16')
    pipeline.withIccProfile('srgb', { attach: false });
  // sharp cuts the values of wider inks off at 255.
  const depth = samples === 'CMYK' && header.depth === 'ushort' ? 'ushort' : 'uchar';
  const { data, info } = await pipeline.raw({ depth }).toBuffer({ resolveWithObject: true });
  const stored = depth === 'ushort' ? upperBytes(data) : data;
  return { width: info.width, height: info.height, data: toRgb(stored, samples, info.channels) };
}

function samplesOf(header: Metadata, layout: TiffLayout | undefined): Samples {
  if (header.space === 'cmyk' && header.icc === undefined) return 'CMYK';
  const hasMore = layout !== undefined && layout.extras.length > 1 && hasAlphaFirst(layout);
  return hasMore ? 'RGB with extra channels' : 'RGB';
}

function shape(pipeline: Sharp, samples: Samples, layout: TiffLayout | undefined): void {
  if (samples === 'CMYK') {
    pipeline.pipelineColourspace('cmyk').toColourspace('cmyk');
    return;
  }
  pipeline.toColourspace('srgb');
  if (samples !== 'RGB') return;
  // libvips takes any further channel for alpha.
  if (layout && layout.extras.length > 0 && !hasAlphaFirst(layout)) pipeline.removeAlpha();
  else pipeline.flatten({ background: '#ffffff' });
}

function toRgb(data: Uint8Array, samples: Samples, channels: number): Uint8Array {
  if (samples === 'CMYK') return cmykToRgb(data, channels);
  if (samples === 'RGB with extra channels') return layOverWhite(data, channels);
  if (channels !== 3) throw new Error(`${channels} channels where 3 were expected`);
  return samples === 'YCbCr' ? ycbcrToRgb(data) : data;
}

/** Samples of 16 bits cut to 8. */
function upperBytes(data: Uint8Array): Uint8Array {
  const wide = new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
  return Uint8Array.from(wide, (value) => value >> 8);
}
