/** Decodes image files to 8-bit RGB pixels, checking limits before any pixel is decoded. */
import { readFile, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import sharp, { type Metadata } from 'sharp';
import { InputError } from '../../base/errors.ts';
import { formatOfExtension, type ImageFormat, sniffFormat } from './formats.ts';
import { runAlone, runTogether } from './gate.ts';
import { isSrgbProfile } from './icc.ts';

/** Pixels of an image: rows from the top, three bytes (red, green, blue; sRGB) a pixel. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  /** Length width * height * 3. */
  readonly data: Uint8Array;
}

export interface DecodedImage extends RgbImage {
  readonly format: ImageFormat;
}

export interface DecodeOptions {
  /** How messages name the image; by default its path, or 'image' for bytes. */
  readonly name?: string;
  /** Largest file, in bytes. Default 256 MiB. */
  readonly maxBytes?: number;
  /** Largest picture, in pixels (of its first frame). Default 2^28, about 268 million. */
  readonly maxPixels?: number;
  /** Draw SVG files instead of refusing them. Default false. */
  readonly allowSvg?: boolean;
  /** Receives a sentence when something was odd yet readable, such as a PNG named .jpg. */
  readonly onWarning?: (sentence: string) => void;
  /** Checked between reading, the header and decoding. */
  readonly signal?: AbortSignal;
}

export const defaultMaxBytes: number = 2 ** 28;
export const defaultMaxPixels: number = 2 ** 28;

/**
 * Decodes an image from a path or from its bytes: JPEG, PNG, WebP, AVIF, GIF (first frame), TIFF
 * (first page), and SVG if `allowSvg`. EXIF orientation is applied, embedded ICC profiles are
 * converted to sRGB, transparency is laid over white, 16 bits are cut to 8, grey is repeated.
 * CMYK without a profile is converted as Pillow does. Where no such conversion is needed the pixels
 * equal those of Pillow's `convert('RGB')`; AVIF's chroma is upsampled by another rule.
 * @throws InputError one sentence with the name and the reason: missing, empty, not an image, over a
 * limit, cut off or damaged.
 */
export async function decodeImage(
  source: string | Uint8Array,
  options: DecodeOptions = {},
): Promise<DecodedImage> {
  const name = options.name ?? (typeof source === 'string' ? source : 'image');
  const bytes = await readBytes(source, name, options);
  options.signal?.throwIfAborted();
  const format = checkFormat(bytes, name, options);
  const decode = async (decodePixels: typeof decodeStrictly): Promise<DecodedImage> => {
    const header = await sharp(bytes, { limitInputPixels: false }).metadata();
    options.signal?.throwIfAborted();
    checkHeader(header, name, options.maxPixels ?? defaultMaxPixels);
    return { ...(await decodePixels(bytes, header, format)), format };
  };
  const isOurs = (error: unknown): boolean =>
    error instanceof InputError || options.signal?.aborted === true;
  try {
    return await runTogether(() => decode(decodeStrictly));
  } catch (error) {
    if (isOurs(error)) throw error;
  }
  try {
    // Again, for a reason that is surely this image's.
    return await runAlone(() => decode(decodeTolerantly));
  } catch (error) {
    if (isOurs(error)) throw error;
    throw new InputError(`${name}: ${describeFailure(format, error)}`);
  }
}

async function readBytes(
  source: string | Uint8Array,
  name: string,
  { maxBytes = defaultMaxBytes }: DecodeOptions,
): Promise<Uint8Array> {
  const bytes = typeof source === 'string' ? await readImageFile(source, name, maxBytes) : source;
  if (bytes.length > maxBytes) throw tooManyBytes(name, bytes.length, maxBytes);
  if (bytes.length === 0) throw new InputError(`${name}: the file is empty.`);
  return bytes;
}

async function readImageFile(path: string, name: string, maxBytes: number): Promise<Uint8Array> {
  try {
    // Looked at before it is opened: opening a pipe would wait for its other end.
    const about = await stat(path);
    if (about.isDirectory()) throw new InputError(`${name}: this is a folder, not an image.`);
    if (!about.isFile()) throw new InputError(`${name}: this is not a regular file.`);
    if (about.size > maxBytes) throw tooManyBytes(name, about.size, maxBytes);
    return await readFile(path);
  } catch (error) {
    if (error instanceof InputError || !(error instanceof Error) || !('code' in error)) throw error;
    const reasons: Record<string, string> = {
      ENOENT: 'there is no such file',
      ENOTDIR: 'there is no such file',
      EACCES: 'no permission to read it',
      EISDIR: 'this is a folder, not an image',
    };
    throw new InputError(`${name}: ${reasons[String(error.code)] ?? error.message}.`);
  }
}

function tooManyBytes(name: string, size: number, limit: number): InputError {
  return new InputError(
    `${name}: ${size.toLocaleString('en')} bytes are more than the limit of ${limit.toLocaleString('en')}.`,
  );
}

function checkFormat(bytes: Uint8Array, name: string, options: DecodeOptions): ImageFormat {
  const sniffed = sniffFormat(bytes);
  if ('other' in sniffed)
    throw new InputError(
      `${name}: the file is ${sniffed.other}, not a JPEG, PNG, WebP, AVIF, GIF or TIFF image.`,
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

function checkHeader(header: Metadata, name: string, maxPixels: number): void {
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

type FailOn = 'truncated' | 'warning';

function decodeStrictly(
  bytes: Uint8Array,
  header: Metadata,
  _format: ImageFormat,
): Promise<RgbImage> {
  return runDecoder(bytes, header, 'warning');
}

/** The strict level also stops at oddities that leave every pixel intact: allows those alone. */
async function decodeTolerantly(
  bytes: Uint8Array,
  header: Metadata,
  format: ImageFormat,
): Promise<RgbImage> {
  try {
    return await decodeStrictly(bytes, header, format);
  } catch (error) {
    if (!(error instanceof Error) || !isHarmless(format, error.message)) throw error;
    return await runDecoder(bytes, header, 'truncated');
  }
}

const harmless: Partial<Record<ImageFormat, RegExp>> = {
  JPEG: /extraneous bytes before marker|unknown JFIF revision|bad ICC marker|Adobe color transform|Invalid SOS parameters|Inconsistent progression|exif|profile/i,
  PNG: /iCCP|sRGB|cHRM|gAMA|tEXt|zTXt|iTXt|eXIf|bKGD|tRNS|pHYs|sBIT|hIST|tIME|profile|exif/i,
  WebP: /profile|exif/i,
  AVIF: /profile|exif/i,
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

async function runDecoder(bytes: Uint8Array, header: Metadata, failOn: FailOn): Promise<RgbImage> {
  const untaggedCmyk = header.space === 'cmyk' && header.icc === undefined;
  const pipeline = sharp(bytes, {
    failOn,
    limitInputPixels: false, // checked before, with a message of our own
    ignoreIcc: header.icc !== undefined && isSrgbProfile(header.icc),
    autoOrient: true,
  });
  if (untaggedCmyk) pipeline.pipelineColourspace('cmyk').toColourspace('cmyk');
  else pipeline.flatten({ background: '#ffffff' }).toColourspace('srgb');
  // sharp takes 16-bit pixels to Display P3 first; this brings them to sRGB.
  if (header.icc !== undefined && header.space === 'rgb16')
    pipeline.withIccProfile('srgb', { attach: false });
  const { data, info } = await pipeline
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  if (untaggedCmyk) return { width, height, data: cmykToRgb(data, width * height, channels) };
  if (channels === 3) return { width, height, data };
  throw new Error(`${channels} channels where 3 were expected`);
}

/** Pillow's conversion: each channel is (255 - ink) * (255 - black) / 255, the product rounded. */
function cmykToRgb(data: Uint8Array, pixels: number, channels: number): Uint8Array {
  const rgb = new Uint8Array(pixels * 3);
  for (let p = 0, s = 0, t = 0; p < pixels; p++, s += channels) {
    const light = 255 - data[s + 3];
    for (let c = 0; c < 3; c++) {
      const product = data[s + c] * light + 128;
      rgb[t++] = light - (((product >> 8) + product) >> 8);
    }
  }
  return rgb;
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
