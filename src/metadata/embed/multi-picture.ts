/** The index of several pictures in one JPEG file (CIPA DC-007, MPF): its places follow when bytes before them move. */

const mark = Buffer.from('MPF\0');
const entryTag = 0xb002;
const entrySize = 16;

/**
 * Corrects the index of pictures that follow the first one, and the first one's size.
 * @param bytes the old file up to the segment's end
 * @param body where the segment's content begins in it
 * @param written the new file, which is changed
 * @param moved where a byte of the old file is in the new one
 * @param delta how many bytes the first picture has become longer
 */
export function moveMultiPicture(
  bytes: Buffer,
  body: number,
  written: Buffer,
  moved: (place: number) => number,
  delta: number,
): void {
  const entries = entriesOf(bytes, body);
  if (!entries) return;
  const { base, places, isLittle } = entries;
  const put = (value: number, place: number): void => {
    if (isLittle) written.writeUInt32LE(value, place);
    else written.writeUInt32BE(value, place);
  };
  const get = (place: number): number =>
    isLittle ? bytes.readUInt32LE(place) : bytes.readUInt32BE(place);
  for (const place of places) {
    const size = get(place + 4);
    const offset = get(place + 8);
    // Offset 0 is the first picture, which holds the index.
    if (offset === 0) put(Math.max(0, size + delta), moved(place) + 4);
    else put(moved(base + offset) - moved(base), moved(place) + 8);
  }
}

interface Entries {
  /** What offsets count from. */
  readonly base: number;
  readonly places: readonly number[];
  readonly isLittle: boolean;
}

function entriesOf(bytes: Buffer, body: number): Entries | undefined {
  if (!bytes.subarray(body, body + mark.length).equals(mark)) return undefined;
  const base = body + mark.length;
  const isLittle = bytes.toString('latin1', base, base + 2) === 'II';
  const end = bytes.length;
  const u16 = (at: number): number => (isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  const u32 = (at: number): number => (isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  if (base + 8 > end) return undefined;
  const directory = base + u32(base + 4);
  if (directory + 2 > end) return undefined;
  for (let i = 0; i < u16(directory); i++) {
    const entry = directory + 2 + 12 * i;
    if (entry + 12 > end) return undefined;
    if (u16(entry) !== entryTag) continue;
    const first = base + u32(entry + 8);
    const count = Math.floor(u32(entry + 4) / entrySize);
    if (first + count * entrySize > end) return undefined;
    return {
      base,
      isLittle,
      places: Array.from({ length: count }, (_, k) => first + k * entrySize),
    };
  }
  return undefined;
}
