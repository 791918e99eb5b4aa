/** Caption and keywords in IPTC's older form (IIM), as photo agencies and newsrooms write it. */

export interface IptcWords {
  readonly caption: string | undefined;
  readonly keywords: readonly string[];
}

const signature = Buffer.from('8BIM');
const iptcResource = 0x0404;
const charset = '1:90';
const utf8 = '\x1b%G';

/** The IPTC block among Photoshop's resources, or undefined. */
export function iptcOfPhotoshop(bytes: Buffer): Buffer | undefined {
  let at = 0;
  while (at + 12 <= bytes.length && bytes.subarray(at, at + 4).equals(signature)) {
    const id = bytes.readUInt16BE(at + 4);
    // A name with its length before it; names and contents begin at even places.
    const nameLength = bytes[at + 6] + 1;
    const size = at + 6 + nameLength + (nameLength % 2);
    if (size + 4 > bytes.length) return undefined;
    const end = size + 4 + bytes.readUInt32BE(size);
    if (id === iptcResource) return bytes.subarray(size + 4, end);
    at = end + (end % 2);
  }
  return undefined;
}

/** Reads an IPTC block. What is behind a fault is left out. */
export function readIptc(bytes: Buffer): IptcWords {
  const found = new Map<string, Buffer[]>();
  // Each: 0x1c, record, number, length. Longer ones than 32 kB say so by the length's first bit.
  for (let at = 0; at + 5 <= bytes.length && bytes[at] === 0x1c; ) {
    const key = `${bytes[at + 1]}:${bytes[at + 2]}`;
    const length = bytes.readUInt16BE(at + 3);
    if (length & 0x8000) break;
    const values = found.get(key) ?? [];
    found.set(key, [...values, bytes.subarray(at + 5, at + 5 + length)]);
    at += 5 + length;
  }
  const isUtf8 = found.get(charset)?.[0]?.toString('latin1') === utf8;
  const texts = (key: string): string[] =>
    (found.get(key) ?? [])
      .map((value) => decode(value, isUtf8).trim())
      .filter((text) => text !== '');
  return { caption: texts('2:120')[0], keywords: texts('2:25') };
}

/** Blocks that do not say so are often UTF-8 too; else they are Latin. */
function decode(bytes: Buffer, isUtf8: boolean): string {
  const text = bytes.toString('utf8');
  return isUtf8 || !text.includes('\ufffd') ? text : new TextDecoder('windows-1252').decode(bytes);
}
