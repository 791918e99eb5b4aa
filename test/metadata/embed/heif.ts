/** AVIF and HEIC files: hand-made ones in the layouts that there are, and their parts by a walker of its own. */
import { createHash } from 'node:crypto';

const digest = (bytes: Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex').slice(0, 16);

export const u16 = (value: number) => [value >> 8, value & 255];
export const u32 = (value: number) => [...u16(value >>> 16), ...u16(value & 0xffff)];
export const sized = (value: number, size: number) =>
  size === 0 ? [] : size === 8 ? [...u32(0), ...u32(value)] : u32(value);
export const bytesOf = (...parts: (readonly number[] | string | Buffer)[]): Buffer =>
  Buffer.concat(
    parts.map((part) =>
      typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part),
    ),
  );
export const box = (type: string, ...parts: (readonly number[] | string | Buffer)[]): Buffer => {
  const body = bytesOf(...parts);
  return bytesOf(u32(body.length + 8), type, body);
};

export interface HeifLayout {
  readonly ilocVersion?: 0 | 1 | 2;
  readonly offsetSize?: 0 | 4 | 8;
  readonly baseSize?: 0 | 4 | 8;
  /** Where meta stands: before or behind the pictures. */
  readonly metaLast?: boolean;
  /** Whether the last box says that it goes to the end of the file. */
  readonly isOpen?: boolean;
  /** Whether the Exif item is kept in meta itself. */
  readonly inMeta?: boolean;
  /** A track whose frames are found by stco or co64. */
  readonly sequence?: 'stco' | 'co64';
  readonly references?: boolean;
  /** Boxes behind all. */
  readonly more?: readonly Buffer[];
}

export const picture: Buffer = Buffer.from('the picture, which no decoder reads'.repeat(9));
export const exif: Buffer = Buffer.from('\0\0\0\x06Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0', 'latin1');

/** A HEIC file of a picture in two extents and Exif. */
export function heif(layout: HeifLayout = {}): Buffer {
  const { metaLast = false, isOpen = false, sequence, more = [] } = layout;
  const ftyp = box('ftyp', 'heic', u32(0), 'mif1heic');
  const mdat = box('mdat', picture, layout.inMeta ? '' : exif);
  if (isOpen) mdat.writeUInt32BE(0);
  const film = (at: number) =>
    sequence
      ? [box('moov', box('trak', box('mdia', box('minf', box('stbl', chunks(sequence, at))))))]
      : [];
  const meta = (at: number) => metaOf(layout, at);
  const length = meta(0).length;
  const start = ftyp.length + (metaLast ? 0 : length + (film(0)[0]?.length ?? 0)) + 8;
  const parts = metaLast
    ? [mdat, ...film(start), meta(start)]
    : [meta(start), ...film(start), mdat];
  return bytesOf(ftyp, ...parts, ...more);
}

const chunks = (type: 'stco' | 'co64', at: number) =>
  box(
    type,
    u32(0),
    u32(2),
    ...[at, at + 9].map((place) => (type === 'stco' ? u32(place) : sized(place, 8))),
  );

function metaOf(layout: HeifLayout, at: number): Buffer {
  const { ilocVersion = 1, offsetSize = 4, baseSize = 0, inMeta = false } = layout;
  const entry = (id: number, type: string) =>
    box('infe', [2, 0, 0, 0], u16(id), u16(0), type, '\0');
  const id = (value: number) => (ilocVersion < 2 ? u16(value) : u32(value));
  const half = 100;
  const item = (number: number, method: number, place: number, ...lengths: number[]) => {
    const base = baseSize > 0 ? place : 0;
    let offset = place - base;
    return bytesOf(
      id(number),
      ilocVersion > 0 ? u16(method) : [],
      u16(0),
      sized(base, baseSize),
      u16(lengths.length),
      ...lengths.map((size) => {
        const extent = bytesOf(sized(offset, offsetSize), u32(size));
        offset += size;
        return extent;
      }),
    );
  };
  // Without offsets an item is one extent at its base.
  const lengths = offsetSize === 0 ? [picture.length] : [half, picture.length - half];
  const exifAt = inMeta ? 0 : at + picture.length;
  const iloc = box(
    'iloc',
    [ilocVersion, 0, 0, 0],
    [(offsetSize << 4) | 4, baseSize << 4],
    id(2),
    item(1, 0, at, ...lengths),
    item(2, inMeta ? 1 : 0, exifAt, exif.length),
  );
  return box(
    'meta',
    u32(0),
    box('hdlr', u32(0), u32(0), 'pict', u32(0), u32(0), u32(0), '\0'),
    box('pitm', u32(0), u16(1)),
    iloc,
    box('iinf', u32(0), u16(2), entry(1, 'hvc1'), entry(2, 'Exif')),
    ...(layout.references === false
      ? []
      : [box('iref', u32(0), box('cdsc', u16(2), u16(1), u16(1)))]),
    box('iprp', box('ipco', box('ispe', u32(0), u32(8), u32(6))), box('ipma', u32(0), u32(0))),
    ...(inMeta ? [box('idat', exif)] : []),
  );
}

interface FoundBox {
  readonly type: string;
  readonly body: Buffer;
  readonly start: number;
}

export function* walk(bytes: Buffer, from: number): Generator<FoundBox> {
  for (let at = from; at < bytes.length; ) {
    const short = bytes.readUInt32BE(at);
    const size =
      short === 0 ? bytes.length - at : short === 1 ? Number(bytes.readBigUInt64BE(at + 8)) : short;
    const head = short === 1 ? 16 : 8;
    yield {
      type: bytes.toString('latin1', at + 4, at + 8),
      body: bytes.subarray(at + head, at + size),
      start: at + head,
    };
    at += size;
  }
}

/** Everything but XMP: boxes by their content, items by their bytes, frames of sequences by what stands there. */
export function heifParts(bytes: Buffer): string[] {
  const parts: string[] = [];
  for (const { type, body } of walk(bytes, 0)) {
    if (type === 'meta') parts.push(...metaParts(bytes, body));
    else if (type === 'moov') parts.push(...frames(bytes, body));
    else if (type !== 'mdat' || !body.includes('x:xmpmeta')) parts.push(`${type} ${digest(body)}`);
  }
  return parts;
}

/** The boxes in `meta` by their types. */
export const innerBoxes = (meta: Buffer): Map<string, Buffer> =>
  new Map([...walk(meta, 4)].map(({ type, body }) => [type, body]));

export interface FoundItem {
  readonly id: number;
  /** Its type, and what else its entry says. */
  readonly type: string;
  readonly content: Buffer;
}

/** The items of a file, in the order of their places. */
export function itemsIn(bytes: Buffer, inner: ReadonlyMap<string, Buffer>): FoundItem[] {
  const [iinf, iloc] = [inner.get('iinf') ?? Buffer.alloc(0), inner.get('iloc') ?? Buffer.alloc(0)];
  const types = new Map(
    [...walk(iinf, iinf[0] === 0 ? 6 : 8)].map(({ body }) => [
      body[0] < 3 ? body.readUInt16BE(4) : body.readUInt32BE(4),
      body
        .toString('latin1', body[0] < 3 ? 8 : 10)
        .replace(/\0+/g, ' ')
        .trim(),
    ]),
  );
  return placesOf(iloc).map(({ id, method, extents }) => {
    const source = method === 0 ? bytes : (inner.get('idat') ?? bytes);
    const content = Buffer.concat(extents.map(([from, to]) => source.subarray(from, to)));
    return { id, type: types.get(id) ?? '', content };
  });
}

function metaParts(bytes: Buffer, meta: Buffer): string[] {
  const inner = innerBoxes(meta);
  const items = itemsIn(bytes, inner);
  const others = [...inner].flatMap(([type, body]) =>
    ['iinf', 'iloc', 'iref'].includes(type) ? [] : [`meta/${type} ${digest(body)}`],
  );
  const references = [...walk(inner.get('iref') ?? Buffer.alloc(4), 4)].map(
    ({ type, body }) =>
      `${type} ${items.find(({ id }) => id === body.readUInt16BE(0))?.type} ${body.toString('hex', 2)}`,
  );
  const contents = items.map(({ type, content }) => `item ${type} ${digest(content)}`);
  return [...others, ...references, ...contents].filter((part) => !part.includes('rdf+xml'));
}

function placesOf(iloc: Buffer): { id: number; method: number; extents: [number, number][] }[] {
  const version = iloc[0];
  let at = 6;
  const take = (size: number): number => {
    at += size;
    return size === 0
      ? 0
      : size === 8
        ? Number(iloc.readBigUInt64BE(at - 8))
        : iloc.readUIntBE(at - size, size);
  };
  const idSize = version < 2 ? 2 : 4;
  return Array.from({ length: take(idSize) }, () => {
    const id = take(idSize);
    const method = version > 0 ? take(2) : 0;
    take(2);
    const base = take(iloc[5] >> 4);
    const extents = Array.from({ length: take(2) }, (): [number, number] => {
      if (version > 0) take(iloc[5] & 15);
      const start = base + take(iloc[4] >> 4);
      return [start, start + take(iloc[4] & 15)];
    });
    return { id, method, extents };
  });
}

/** What stands where the tracks' chunks begin. */
function frames(bytes: Buffer, boxes: Buffer): string[] {
  return [...walk(boxes, 0)].flatMap(({ type, body }) => {
    if (['trak', 'mdia', 'minf', 'stbl'].includes(type)) return frames(bytes, body);
    if (type !== 'stco' && type !== 'co64') return [`${type} ${digest(body)}`];
    return Array.from({ length: body.readUInt32BE(4) }, (_, i) => {
      const place =
        type === 'stco' ? body.readUInt32BE(8 + 4 * i) : Number(body.readBigUInt64BE(8 + 8 * i));
      return `frame ${digest(bytes.subarray(place, place + 9))}`;
    });
  });
}
