/** Decodes image files to 8-bit RGB pixels, checking limits before any pixel is decoded. */
import { extname } from 'node:path';
import type { Metadata } from 'sharp';
import { InputError } from '../../base/errors.ts';
import { decodeBmp, readBmpHeader } from './bmp.ts';
import { readBytes } from './bytes.ts';
import { formatOfExtension, type ImageFormat, sniffFormat } from './formats.ts';
import { runAlone, runTogether } from './gate.ts';
import { decodeStrictly, decodeTolerantly, type Encoded, readOrientedSize } from './libvips.ts';
import type { DecodeOptions, RgbImage } from './rgb.ts';

export interface DecodedImage extends RgbImage {
  readonly format: ImageFormat;
}

export const defaultMaxBytes: number = 2 ** 28;
export const defaultMaxPixels: number = 2 ** 28;

/**
 * Decodes an image from a path or from its bytes: JPEG, PNG, WebP, AVIF, HEIC (where the package libheif-js is
 * installed), GIF (first frame), TIFF (first page), BMP, and SVG if `allowSvg`. EXIF orientation is applied (of a
 * HEIC its own, which EXIF repeats), embedded ICC profiles are converted to sRGB, transparency is laid over white, 16 bits are cut to 8, grey is repeated.
 * CMYK and YCbCr without a profile are converted as Pillow does. Where no such conversion is needed the
 * pixels equal those of Pillow's `convert('RGB')`; AVIF's chroma is upsampled by another rule.
 * @throws InputError one sentence with the name and the reason: missing, empty, not an image, over a
 * limit, of a kind that is not read, cut off or damaged.
 */
export async function decodeImage(
  source: string | Uint8Array,
  options: DecodeOptions = {},
): Promise<DecodedImage> {
  const name = options.name ?? (typeof source === 'string' ? source : 'image');
  const bytes = await readBytes(source, name, options.maxBytes ?? defaultMaxBytes);
  options.signal?.throwIfAborted();
  const format = checkFormat(bytes, name, options);
  const checkHeader = (header: Pick<Metadata, 'width' | 'height' | 'depth'>): void => {
    options.signal?.throwIfAborted();
    checkLimits(header, name, options.maxPixels ?? defaultMaxPixels);
  };
  const isOurs = (error: unknown): boolean =>
    error instanceof InputError || options.signal?.aborted === true;
  try {
    if (format === 'BMP') return { ...decodeBmpFile(bytes, name, checkHeader), format };
    const file =
      format === 'HEIC'
        ? await unpackHeicFile(bytes, name, checkHeader, options)
        : { bytes, name, format, checkHeader };
    return { ...(await decodeByLibvips(file, isOurs)), format };
  } catch (error) {
    if (isOurs(error)) throw error;
    throw new InputError(`${name}: ${describeFailure(format, error)}`);
  }
}

/**
 * The size of an image that can be decoded, in pixels after EXIF orientation, from its header alone.
 * @throws InputError as `decodeImage` does, where the header is at fault
 */
export async function readImageSize(
  source: string | Uint8Array,
): Promise<{ readonly width: number; readonly height: number }> {
  const name = typeof source === 'string' ? source : 'image';
  const bytes = await readBytes(source, name, defaultMaxBytes);
  const format = checkFormat(bytes, name, {});
  if (format === 'BMP') {
    const { width, height } = readBmpHeader(bytes, name);
    return { width, height };
  }
  try {
    if (format !== 'HEIC') return await readOrientedSize(bytes);
    const { readHeicSize } = await import('./heic/decode-heic.ts');
    const { width, height } = await readHeicSize(bytes, name);
    return { width, height };
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${name}: ${describeFailure(format, error)}`);
  }
}

function decodeBmpFile(
  bytes: Uint8Array,
  name: string,
  checkHeader: (header: Pick<Metadata, 'width' | 'height' | 'depth'>) => void,
): RgbImage {
  const header = readBmpHeader(bytes, name);
  checkHeader({ ...header, depth: 'uchar' });
  return decodeBmp(bytes, header);
}

async function unpackHeicFile(
  bytes: Uint8Array,
  name: string,
  checkHeader: (header: Pick<Metadata, 'width' | 'height' | 'depth'>) => void,
  { maxPixels = defaultMaxPixels, signal }: DecodeOptions,
): Promise<Encoded> {
  const { heicToTiff, readHeicSize } = await import('./heic/decode-heic.ts');
  const { width, height, bits } = await readHeicSize(bytes, name, signal);
  checkHeader({ width, height, depth: bits > 8 ? 'ushort' : 'uchar' });
  const tiff = await heicToTiff(bytes, name, maxPixels, signal);
  return { bytes: tiff, name, format: 'HEIC', checkHeader };
}

async function decodeByLibvips(
  file: Encoded,
  isOurs: (error: unknown) => boolean,
): Promise<RgbImage> {
  try {
    return await runTogether(() => decodeStrictly(file));
  } catch (error) {
    if (isOurs(error)) throw error;
  }
  // Again, for a reason that is surely this image's.
  return await runAlone(() => decodeTolerantly(file));
}

function checkFormat(bytes: Uint8Array, name: string, options: DecodeOptions): ImageFormat {
  const sniffed = sniffFormat(bytes);
  if ('other' in sniffed)
    throw new InputError(
      `${name}: the file is ${sniffed.other}, not a JPEG, PNG, WebP, AVIF, HEIC, GIF, TIFF or BMP image.`,
    );
  const format = sniffed.decodable;
  if (format === 'SVG' && !options.allowSvg)
    throw new InputError(`${name}: SVG is refused unless it is asked for; convert it to PNG.`);
  const promised = formatOfExtension(extname(name).toLowerCase());
  if (promised !== undefined && promised !== format)
    options.onWarning?.(
      `${name}: named as ${promised} but the content is ${format}, read as that.`,
    );
  return format;
}

function checkLimits(
  header: Pick<Metadata, 'width' | 'height' | 'depth'>,
  name: string,
  maxPixels: number,
): void {
  const { width, height } = header;
  if (width * height > maxPixels)
    throw new InputError(
      `${name}: ${width} x ${height} pixels are more than the limit of ${maxPixels.toLocaleString('en')}.`,
    );
  if (header.depth !== 'uchar' && header.depth !== 'ushort')
    throw new InputError(
      `${name}: samples of type ${header.depth} have no agreed range; convert it to 8 or 16 bits.`,
    );
}

function describeFailure(format: ImageFormat, error: unknown): string {
  const lines = (error instanceof Error ? error.message : String(error))
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('Warning treated as error'));
  const reason = (lines[0] ?? 'no reason given')
    .replace(/^Input buffer (?:has corrupt header: |contains )?/, '')
    .replace(/^\w+: /, '')
    .replace(/\.$/, '');
  return `the ${format} is cut off, damaged or of a rare kind (${reason}); save or copy it anew.`;
}
