/** Reads what a TIFF says of its samples, for libvips hands some of them on as if they were RGB. */

/** What the first directory says, with the defaults of the specification (TIFF 6.0). */
export interface TiffLayout {
  readonly photometric: number;
  readonly compression: number;
  readonly samples: number;
  readonly bits: readonly number[];
  /** What the samples beyond the colours are: 0 unspecified, 1 associated alpha, 2 alpha. */
  readonly extras: readonly number[];
  readonly isPlanar: boolean;
  /** Pixels a chroma sample, across and down. */
  readonly subsampling: readonly number[];
  /** Weights of red, green and blue in Y, undefined where nothing is said. */
  readonly weights: readonly number[] | undefined;
  /** Black and white of Y, Cb and Cr. */
  readonly range: readonly number[] | undefined;
}

/** How the samples become RGB: by libvips, from Y, Cb and Cr by us, or not at all. */
export type TiffColours = 'by libvips' | 'YCbCr' | { readonly unread: string };

const tags = {
  bits: 258,
  compression: 259,
  photometric: 262,
  samples: 277,
  planar: 284,
  extras: 338,
  weights: 529,
  subsampling: 530,
  range: 532,
} as const;

const photometrics = { rgb: 2, ycbcr: 6 } as const;
/** Colours that libvips converts. */
const converted = new Set([0, 1, 2, 3, 5]);
const otherColours: ReadonlyMap<number, string> = new Map([
  [4, 'a transparency mask'],
  [8, 'CIE Lab colours'],
  [9, 'ICC Lab colours'],
  [10, 'ITU Lab colours'],
  [32803, 'raw sensor data'],
  [32844, 'logarithmic luminance'],
  [32845, 'logarithmic colours'],
  [34892, 'raw sensor data'],
]);
/** Codecs that give RGB themselves: both kinds of JPEG. */
const jpegs = new Set([6, 7]);

/** What to do with the samples. */
export function tiffColours(layout: TiffLayout): TiffColours {
  const { photometric, compression, samples, bits, isPlanar, subsampling, weights, range } = layout;
  if (converted.has(photometric)) return 'by libvips';
  if (photometric !== photometrics.ycbcr)
    return { unread: otherColours.get(photometric) ?? `colours of kind ${photometric}` };
  if (jpegs.has(compression)) return 'by libvips';
  if (samples !== 3 || bits.some((one) => one !== 8)) return { unread: 'YCbCr of a rare depth' };
  if (isPlanar) return { unread: 'YCbCr in planes' };
  if (subsampling.some((pixels) => pixels !== 1)) return { unread: 'YCbCr with coarser chroma' };
  const isUsual = (values: readonly number[] | undefined, usual: readonly number[]): boolean =>
    values === undefined || usual.every((one, i) => Math.abs(one - values[i]) < 0.001);
  if (!isUsual(weights, [0.299, 0.587, 0.114]) || !isUsual(range, [0, 255, 128, 255, 128, 255]))
    return { unread: 'YCbCr of a rare range' };
  return 'YCbCr';
}

/** Whether the first sample beyond the colours is alpha, so that the picture shows through. */
export function hasAlphaFirst({ extras }: TiffLayout): boolean {
  return extras[0] === 1 || extras[0] === 2;
}

/** @returns undefined where the directory is cut off or is none: libvips says what is wrong */
export function readTiffLayout(bytes: Uint8Array): TiffLayout | undefined {
  try {
    const values = readDirectory(bytes);
    const one = (tag: number, usual: number): number => values.get(tag)?.[0] ?? usual;
    return {
      photometric: one(tags.photometric, photometrics.rgb),
      compression: one(tags.compression, 1),
      samples: one(tags.samples, 1),
      bits: values.get(tags.bits) ?? [1],
      extras: values.get(tags.extras) ?? [],
      isPlanar: one(tags.planar, 1) === 2,
      subsampling: values.get(tags.subsampling) ?? [2, 2],
      weights: values.get(tags.weights),
      range: values.get(tags.range),
    };
  } catch (error) {
    if (error instanceof RangeError) return undefined; // an offset beyond the end
    throw error;
  }
}

/** The numbers of the tags that matter; classic and BigTIFF, either byte order. */
function readDirectory(bytes: Uint8Array): Map<number, number[]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = bytes[0] === 0x49;
  const isBig = view.getUint16(2, little) === 43;
  const word = (at: number): number =>
    isBig ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little);
  const directory = word(isBig ? 8 : 4);
  const count = isBig ? word(directory) : view.getUint16(directory, little);
  const first = directory + (isBig ? 8 : 2);
  const entryBytes = isBig ? 20 : 12;
  const wanted = new Set<number>(Object.values(tags));
  const values = new Map<number, number[]>();
  for (let i = 0; i < count; i++) {
    const entry = first + i * entryBytes;
    const tag = view.getUint16(entry, little);
    if (!wanted.has(tag)) continue;
    const read = readers[view.getUint16(entry + 2, little)];
    const length = Math.min(word(entry + 4), 64);
    const inline = entry + (isBig ? 12 : 8);
    if (read === undefined) continue;
    const at = length * read.bytes <= (isBig ? 8 : 4) ? inline : word(inline);
    values.set(
      tag,
      Array.from({ length }, (_, k) => read.value(view, at + k * read.bytes, little)),
    );
  }
  return values;
}

interface Reader {
  readonly bytes: number;
  value(view: DataView, at: number, little: boolean): number;
}

/** By the number of a tag's type: byte, short, long, rational, float, double. */
const readers: Readonly<Record<number, Reader>> = {
  1: { bytes: 1, value: (view, at) => view.getUint8(at) },
  3: { bytes: 2, value: (view, at, little) => view.getUint16(at, little) },
  4: { bytes: 4, value: (view, at, little) => view.getUint32(at, little) },
  5: {
    bytes: 8,
    value: (view, at, little) => view.getUint32(at, little) / view.getUint32(at + 4, little),
  },
  11: { bytes: 4, value: (view, at, little) => view.getFloat32(at, little) },
  12: { bytes: 8, value: (view, at, little) => view.getFloat64(at, little) },
};
