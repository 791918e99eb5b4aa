/** AVIF and HEIC files laid out in another way: the same items in other places, told by other numbers. */
import { box, bytesOf, innerBoxes, itemsIn, sized, u16, u32, walk } from './heif.ts';

interface NewItem {
  readonly id: number;
  readonly content: Buffer;
  /** Its entry in `iinf`. */
  readonly entry: Buffer;
  /** A box of references, for a file that has none. */
  readonly iref: Buffer;
}

export interface Relaid {
  readonly ilocVersion: 0 | 1 | 2;
  readonly offsetSize: 4 | 8;
  readonly baseSize: 0 | 4 | 8;
  /** Where meta stands: before or behind the pictures. */
  readonly metaLast?: boolean;
  /** Types of items that are kept in meta itself (`idat`), which old places cannot tell. */
  readonly inMeta?: RegExp;
  /** Items are cut into two extents. */
  readonly isCut?: boolean;
  readonly more?: NewItem;
}

/** The file with its items in another layout. It has no film, whose frames would lose their places. */
export function relaid(bytes: Buffer, layout: Relaid): Buffer {
  const boxes = [...walk(bytes, 0)];
  const body = (type: string): Buffer =>
    boxes.find((each) => each.type === type)?.body ?? Buffer.alloc(0);
  const inner = innerBoxes(body('meta'));
  const { more } = layout;
  const added = more ? [{ id: more.id, type: 'mime', content: more.content }] : [];
  const items = [...itemsIn(bytes, inner), ...added].map((item) => ({
    ...item,
    isInMeta: layout.ilocVersion > 0 && (layout.inMeta?.test(item.type) ?? false),
  }));
  const [own, others] = [true, false].map((isInMeta) =>
    items.filter((item) => item.isInMeta === isInMeta).map(({ content }) => content),
  );
  const idat = bytesOf(...own);
  const mdat = box('mdat', ...others);
  const ftyp = box('ftyp', body('ftyp'));
  const meta = (start: number): Buffer => {
    const at = { file: start, meta: 0 };
    const entries = items.map(({ id, content, isInMeta }) => {
      const place = isInMeta ? at.meta : at.file;
      if (isInMeta) at.meta += content.length;
      else at.file += content.length;
      return location(id, { place, length: content.length, isInMeta }, layout);
    });
    const kept = [...inner].flatMap(([type, content]) => {
      if (type === 'iloc' || type === 'idat') return [];
      return [type === 'iinf' && more ? withEntry(content, more.entry) : box(type, content)];
    });
    const sizes = [(layout.offsetSize << 4) | 4, layout.baseSize << 4];
    const count = layout.ilocVersion < 2 ? u16(items.length) : u32(items.length);
    const iloc = box('iloc', [layout.ilocVersion, 0, 0, 0], sizes, count, ...entries);
    return box(
      'meta',
      u32(0),
      ...kept,
      iloc,
      more?.iref ?? '',
      ...(idat.length > 0 ? [box('idat', idat)] : []),
    );
  };
  const start = ftyp.length + (layout.metaLast ? 0 : meta(0).length) + 8;
  return bytesOf(ftyp, ...(layout.metaLast ? [mdat, meta(start)] : [meta(start), mdat]));
}

function withEntry(iinf: Buffer, entry: Buffer): Buffer {
  const count = u16(iinf.readUInt16BE(4) + 1);
  return box('iinf', iinf.subarray(0, 4), count, iinf.subarray(6), entry);
}

function location(
  id: number,
  { place, length, isInMeta }: { place: number; length: number; isInMeta: boolean },
  { ilocVersion, offsetSize, baseSize, isCut = false }: Relaid,
): Buffer {
  const [base, offset] = baseSize > 0 ? [place, 0] : [0, place];
  const half = Math.ceil(length / 2);
  const extents = isCut ? [half, length - half] : [length];
  return bytesOf(
    ilocVersion < 2 ? u16(id) : u32(id),
    ilocVersion > 0 ? u16(isInMeta ? 1 : 0) : [],
    u16(0),
    sized(base, baseSize),
    u16(extents.length),
    ...extents.map((size, i) => bytesOf(sized(offset + i * half, offsetSize), u32(size))),
  );
}
