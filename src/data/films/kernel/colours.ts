/** The colours of a film's planes: the factors by which libswscale (FFmpeg's, for x86) makes RGB of them. */

/** Factors of `(value * factor) >> 13`. */
export interface ColourFactors {
  /** What is taken from each Y first. */
  readonly black: number;
  readonly luma: number;
  readonly redOfV: number;
  readonly blueOfU: number;
  readonly greenOfU: number;
  readonly greenOfV: number;
}

/** libswscale's inverse matrices by the names that showinfo has: V to red, U to blue, less U and V to green. */
const matrices: Readonly<Record<string, readonly [number, number, number, number]>> = {
  bt709: [117489, 138438, 13975, 34925],
  fcc: [104448, 132798, 24759, 53109],
  smpte240m: [117579, 136230, 16907, 35559],
  bt2020nc: [110013, 140363, 12277, 42626],
  bt2020c: [110013, 140363, 12277, 42626],
};
/** BT.601, which stands for those that are not known, too. */
const otherMatrix = [104597, 132201, 25675, 53279] as const;

/** Names of those, of ffmpeg's. */
const otherSpaces: ReadonlySet<string> = new Set([
  ...['unknown', 'reserved', 'gbr', 'bt470bg', 'smpte170m', 'ycgco', 'smpte2085'],
  ...['chroma-derived-nc', 'chroma-derived-c', 'ictcp'],
]);

/** Whether this is one of the names by which showinfo tells of colours. */
export function isColourSpace(name: string): boolean {
  return name in matrices || otherSpaces.has(name);
}

const known = new Map<string, ColourFactors>();

/**
 * @param space as ffmpeg names it, such as bt709
 * @param isFull whether Y goes from 0 to 255, not from 16 to 235
 */
export function colourFactors(space: string, isFull: boolean): ColourFactors {
  const key = `${space} ${isFull}`;
  const found = known.get(key);
  if (found) return found;
  const [redOfV, blueOfU, greenOfU, greenOfV] = (matrices[space] ?? otherMatrix).map((factor) =>
    isFull ? Math.trunc((factor * 224) / 255) : factor,
  );
  const factors = {
    black: isFull ? 0 : 16,
    luma: rounded(isFull ? 65536 : Math.trunc((65536 * 255) / 219)),
    redOfV: rounded(redOfV),
    blueOfU: rounded(blueOfU),
    greenOfU: rounded(-greenOfU),
    greenOfV: rounded(-greenOfV),
  };
  known.set(key, factors);
  return factors;
}

/** From units of 2 ** -16 to those of 2 ** -13. */
function rounded(factor: number): number {
  return Math.floor((factor * 8192 + 32768) / 65536);
}

/** Bytes of a frame of planes: Y, then U and V of half the width and height, rounded up. */
export function planesLength(width: number, height: number): number {
  return width * height + 2 * ((width + 1) >> 1) * ((height + 1) >> 1);
}

/** A frame of planes as RGB: the plain form of what the kernel computes. */
export function planesToRgb(
  planes: Uint8Array,
  width: number,
  height: number,
  { black, luma, redOfV, blueOfU, greenOfU, greenOfV }: ColourFactors,
): Uint8Array {
  const chromaWidth = (width + 1) >> 1;
  const toV = chromaWidth * ((height + 1) >> 1);
  const rgb = new Uint8ClampedArray(3 * width * height);
  let at = 0;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const place = width * height + (y >> 1) * chromaWidth + (x >> 1);
      const light = ((planes[y * width + x] - black) * luma) >> 13;
      const u = planes[place] - 128;
      const v = planes[place + toV] - 128;
      rgb[at++] = light + ((v * redOfV) >> 13);
      rgb[at++] = light + ((u * greenOfU) >> 13) + ((v * greenOfV) >> 13);
      rgb[at++] = light + ((u * blueOfU) >> 13);
    }
  return new Uint8Array(rgb.buffer);
}
