/** StoredSamples as a TIFF in memory (TIFF 6.0), so that profiles, transparency and 16 bits are treated as those of other pictures. */

export interface StoredSamples {
  readonly width: number;
  readonly height: number;
  /** Red, green and blue, and alpha where there are four. */
  readonly channels: 3 | 4;
  /** Bits in which a sample is stored; those of 16 have their lower byte first. */
  readonly depth: 8 | 16;
  /** Bits that a sample has: up to `depth`. */
  readonly bits: number;
  /** Whether colours were multiplied by alpha. */
  readonly isPremultiplied: boolean;
  /** An ICC profile. */
  readonly profile: Uint8Array | undefined;
}

/** Bytes of a pixel. */
export function sampleBytes({
  channels,
  depth,
}: Pick<StoredSamples, 'channels' | 'depth'>): number {
  return (channels * depth) / 8;
}

const types = { short: 3, long: 4, undefined: 7 } as const;

/** @param row the bytes of a row, from the top */
export function tiffOf(samples: StoredSamples, row: (y: number) => Uint8Array): Uint8Array {
  const { width, height, channels, depth, bits, isPremultiplied, profile } = samples;
  const entries = 10 + (channels === 4 ? 1 : 0) + (profile ? 1 : 0);
  const bitsAt = 8 + 2 + 12 * entries + 4;
  const profileAt = bitsAt + 8;
  const start = profileAt + Math.ceil((profile?.length ?? 0) / 2) * 2;
  const rowBytes = width * sampleBytes(samples);
  const bytes = new Uint8Array(start + rowBytes * height);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x49492a00);
  view.setUint32(4, 8, true);
  view.setUint16(8, entries, true);
  let at = 10;
  const entry = (tag: number, type: number, count: number, value: number): void => {
    view.setUint16(at, tag, true);
    view.setUint16(at + 2, type, true);
    view.setUint32(at + 4, count, true);
    view.setUint32(at + 8, value, true);
    at += 12;
  };
  entry(256, types.long, 1, width);
  entry(257, types.long, 1, height);
  entry(258, types.short, channels, bitsAt);
  entry(259, types.short, 1, 1); // no compression
  entry(262, types.short, 1, 2); // RGB
  entry(273, types.long, 1, start);
  entry(277, types.short, 1, channels);
  entry(278, types.long, 1, height); // in one strip
  entry(279, types.long, 1, rowBytes * height);
  entry(284, types.short, 1, 1); // pixel after pixel
  if (channels === 4) entry(338, types.short, 1, 2); // alpha by which colours are not multiplied
  if (profile) entry(34675, types.undefined, profile.length, profileAt);
  for (let i = 0; i < channels; i++) view.setUint16(bitsAt + 2 * i, depth, true);
  if (profile) bytes.set(profile, profileAt);
  for (let y = 0; y < height; y++) bytes.set(row(y), start + y * rowBytes);
  const body = bytes.subarray(start);
  if (depth === 16) widen(body, bits);
  if (isPremultiplied && channels === 4) divideByAlpha(body, depth);
  return bytes;
}

/** StoredSamples of fewer bits to all 16, the highest to the highest. */
function widen(body: Uint8Array, bits: number): void {
  if (bits >= 16) return;
  const values = new Uint16Array(body.buffer, body.byteOffset, body.length / 2);
  for (let i = 0; i < values.length; i++)
    values[i] = (values[i] << (16 - bits)) | (values[i] >> (2 * bits - 16));
}

function divideByAlpha(body: Uint8Array, depth: 8 | 16): void {
  const values =
    depth === 8 ? body : new Uint16Array(body.buffer, body.byteOffset, body.length / 2);
  const most = 2 ** depth - 1;
  for (let i = 0; i < values.length; i += 4) {
    const alpha = values[i + 3];
    for (let c = i; alpha > 0 && c < i + 3; c++)
      values[c] = Math.min(most, Math.round((values[c] * most) / alpha));
  }
}
