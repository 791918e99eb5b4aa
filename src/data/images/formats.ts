/**
 * The kinds of pictures there are, by a file's name and by its first bytes, so that no decoder sees a file that
 * it is not meant for and no picture is passed over without a word.
 */
import { extname } from 'node:path';

/** The formats that are decoded. */
export type ImageFormat =
  | 'JPEG'
  | 'PNG'
  | 'WebP'
  | 'AVIF'
  | 'HEIC'
  | 'GIF'
  | 'TIFF'
  | 'BMP'
  | 'SVG';

/** What the first bytes say: a format that is decoded, or the name of another kind of file. */
export type SniffedFormat = { decodable: ImageFormat } | { other: string };

const extensions: Record<ImageFormat, readonly string[]> = {
  JPEG: ['.jpg', '.jpeg', '.jpe', '.jfif'],
  PNG: ['.png', '.apng'],
  WebP: ['.webp'],
  AVIF: ['.avif', '.avifs'],
  HEIC: ['.heic', '.heics', '.heif', '.heifs', '.hif'],
  GIF: ['.gif'],
  TIFF: ['.tif', '.tiff'],
  BMP: ['.bmp', '.dib'],
  SVG: ['.svg'],
};

/** File name extensions (lower case, with the dot) of the bitmap formats. */
export const imageExtensions: ReadonlySet<string> = new Set(
  Object.entries(extensions).flatMap(([format, names]) => (format === 'SVG' ? [] : names)),
);

/** Kinds of pictures that are not decoded, and the extensions that they go by. */
const otherPictures: Readonly<Record<string, readonly string[]>> = {
  'JPEG XL': ['.jxl'],
  'JPEG XR': ['.jxr', '.wdp', '.hdp'],
  'JPEG 2000': ['.jp2', '.j2k', '.j2c', '.jpf', '.jpx', '.jpm'],
  SVG: ['.svg', '.svgz'],
  Photoshop: ['.psd', '.psb'],
  GIMP: ['.xcf'],
  OpenEXR: ['.exr'],
  Radiance: ['.hdr'],
  icon: ['.ico', '.cur'],
  QOI: ['.qoi'],
  Targa: ['.tga'],
  PCX: ['.pcx'],
  Netpbm: ['.pbm', '.pgm', '.ppm', '.pnm', '.pam'],
  DDS: ['.dds'],
  'camera raw':
    '3fr arw cr2 cr3 crw dcr dng erf kdc mef mos mrw nef nrw orf pef raf rw2 sr2 srf srw x3f'
      .split(' ')
      .map((name) => `.${name}`),
};

const otherExtensions: ReadonlyMap<string, string> = new Map(
  Object.entries(otherPictures).flatMap(([kind, names]) => names.map((name) => [name, kind])),
);

/**
 * What a file name's extension (lower case, with the dot) says: a picture that is decoded, one that is not, or no
 * picture. SVG is among the latter unless it is allowed.
 */
export function pictureKind(extension: string, allowSvg = false): 'read' | 'passed over' | 'none' {
  if (imageExtensions.has(extension) || (allowSvg && extensions.SVG.includes(extension)))
    return 'read';
  return otherExtensions.has(extension) ? 'passed over' : 'none';
}

/** Names in a sentence on pictures that were passed over. */
const mostNamed = 3;

/**
 * A sentence on pictures in folders whose kind is not read, or undefined where there are none.
 * @param files their paths, whose extensions `pictureKind` knows
 */
export function describePassedOver(files: readonly string[]): string | undefined {
  if (files.length === 0) return undefined;
  const kinds = new Set(files.map((file) => otherExtensions.get(extname(file).toLowerCase())));
  const named = files.slice(0, mostNamed).join(', ');
  const more = files.length > mostNamed ? ` and ${files.length - mostNamed} more` : '';
  const [what, are] =
    files.length === 1
      ? ['1 picture of a kind that is', 'is']
      : [`${files.length} pictures of kinds that are`, 'are'];
  return `${what} not read (${[...kinds].join(', ')}) ${are} passed over: ${named}${more}; convert to JPEG or PNG what should count.`;
}

/** Names of the container that HEIC and AVIF share. */
const containers = new Set(['.heif', '.heifs', '.hif']);

/** The format that a file name's extension (lower case, with the dot) promises. */
export function formatOfExtension(extension: string): ImageFormat | undefined {
  if (containers.has(extension)) return undefined;
  for (const [format, names] of Object.entries(extensions))
    if (names.includes(extension)) return format as ImageFormat;
  return undefined;
}

/** First bytes of kinds of files that people pass by mistake; '?' stands for any byte. */
const others: readonly (readonly [signature: string, name: string])[] = [
  ['8BPS', 'a Photoshop file'],
  ['\xff\x0a', 'a JPEG XL picture'],
  ['\0\0\0\x0cJXL ', 'a JPEG XL picture'],
  ['\0\0\0\x0cjP  ', 'a JPEG 2000 picture'],
  ['\0\0\x01\0', 'an icon file'],
  ['%PDF', 'a PDF'],
  ['PK\x03\x04', 'a ZIP archive'],
  ['\x1f\x8b', 'a gzip archive'],
  ['RIFF????AVI ', 'a video'],
  ['\x1aE\xdf\xa3', 'a video'],
  ['qoif', 'a QOI picture'],
];

/** Reads the format from the content of a file. */
export function sniffFormat(bytes: Uint8Array): SniffedFormat {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 4096));
  const text = head.toString('latin1');
  if (text.startsWith('\xff\xd8\xff')) return { decodable: 'JPEG' };
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return { decodable: 'PNG' };
  if (/^GIF8[79]a/.test(text)) return { decodable: 'GIF' };
  if (text.startsWith('RIFF') && text.slice(8, 12) === 'WEBP') return { decodable: 'WebP' };
  if (/^(?:II[*+]\0|MM\0[*+])/.test(text)) return { decodable: 'TIFF' };
  if (isBmp(head, text)) return { decodable: 'BMP' };
  if (text.slice(4, 8) === 'ftyp') return sniffIsoMedia(head, text);
  for (const [signature, name] of others)
    if ([...signature].every((c, i) => c === '?' || c === text[i])) return { other: name };
  return sniffText(head);
}

/** Two letters alone would take texts such as "BMW": the header's length is looked at too. */
function isBmp(head: Buffer, text: string): boolean {
  return text.startsWith('BM') && head.length >= 18 && head.readUInt32LE(14) <= 255;
}

/** AVIF, HEIC and videos share a container; the brands in its first box tell them apart. */
function sniffIsoMedia(head: Buffer, text: string): SniffedFormat {
  const end = Math.min(head.length, Math.max(16, head.length >= 4 ? head.readUInt32BE(0) : 16));
  const brands = [text.slice(8, 12)];
  for (let i = 16; i + 4 <= end; i += 4) brands.push(text.slice(i, i + 4));
  if (brands.some((brand) => brand === 'avif' || brand === 'avis')) return { decodable: 'AVIF' };
  if (brands.some((brand) => /^(?:hei|hev|mif1|msf1)/.test(brand))) return { decodable: 'HEIC' };
  return { other: 'a video' };
}

function sniffText(head: Buffer): SniffedFormat {
  // UTF-16 is told by its mark or by the zero byte beside the first '<'.
  const wide = (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0x3c && head[1] === 0);
  const text = head.toString(wide ? 'utf16le' : 'utf8').replace(/^\ufeff/, '');
  const markup = text.replace(/^(?:\s+|<\?[\s\S]*?\?>|<!--[\s\S]*?-->)*/, '');
  if (/^<(?:!DOCTYPE\s+svg|(?:\w+:)?svg[\s>])/i.test(markup)) return { decodable: 'SVG' };
  if (/^<(?:!doctype\s+html|html|head|body)/i.test(markup)) return { other: 'a web page' };
  if (head.every((byte) => byte === 0)) return { other: 'filled with zeros' };
  const binary = wide ? false : head.subarray(0, 512).some((b) => b < 9 || (b > 13 && b < 32));
  return { other: binary ? 'of an unknown kind' : 'text' };
}
