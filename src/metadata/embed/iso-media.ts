/**
 * XMP in AVIF and HEIC files (ISO/IEC 23008-12): an item of the type application/rdf+xml that describes the picture. Its
 * bytes stand in a box of their own, behind the box `meta` where they are new; places of what follows are corrected.
 */
import { boxBytes, type IsoBox, isoBoxes } from './boxes.ts';
import { type Carrier, damaged, severalPackets, signed, unfit } from './carrier.ts';
import { moveChunkOffsets } from './chunk-offsets.ts';
import {
  type ItemLocation,
  type ItemLocations,
  itemLocationsBox,
  movedItem,
  readItemLocations,
} from './item-locations.ts';
import {
  describedItems,
  type Item,
  type ItemList,
  itemListBox,
  primaryItem,
  readItems,
  withDescribing,
  withoutReferences,
  xmpItemBox,
} from './items.ts';

const kind = 'AVIF or HEIC';
const brands = /^(?:avi[fs]|mi[af1][f1]|msf1|hei[cxms]|hev[cxms])$/;
/** The box in which Content Credentials stand. */
const c2pa = Buffer.from('d8fec3d61b0e483c92975828877ec481', 'hex');

export const isoMedia: Carrier = {
  kind,
  isOurs: (bytes) =>
    bytes.toString('latin1', 4, 8) === 'ftyp' && brands.test(bytes.toString('latin1', 8, 12)),
  read: (bytes, name) => {
    const file = readFile(bytes, name);
    const place = file.xmp && locationOf(file, file.xmp.id);
    return place && itemBytes(bytes, file, place, name);
  },
  write: (bytes, packet, name) => {
    const file = readFile(bytes, name);
    if (file.boxes.some(({ type, body }) => type === 'uuid' && bytes.indexOf(c2pa, body) === body))
      throw signed(name);
    if (file.boxes.some(({ type }) => type === 'moof' || type === 'mfra'))
      throw unfit(name, 'it is a film in fragments');
    return packet ? withXmp(bytes, file, packet, name) : withoutXmp(bytes, file, name);
  },
};

/** A file's boxes, those of its items, and its XMP. */
interface IsoFile {
  readonly boxes: readonly IsoBox[];
  readonly meta: IsoBox;
  /** What is in `meta`. */
  readonly inner: readonly IsoBox[];
  readonly list: ItemList;
  readonly locations: ItemLocations;
  /** The number of the picture itself. */
  readonly primary: number;
  /** Its XMP. */
  readonly xmp: Item | undefined;
}

function readFile(bytes: Buffer, name: string): IsoFile {
  const boxes = isoBoxes(bytes, 0, bytes.length, name, kind);
  const meta = only(boxes, 'meta', name);
  const inner = isoBoxes(bytes, meta.body + 4, meta.end, name, kind);
  const list = readItems(bytes, only(inner, 'iinf', name), name, kind);
  const locations = readItemLocations(bytes, only(inner, 'iloc', name), name, kind);
  for (const { method, reference, base, extents } of locations.items)
    for (const { offset, length } of extents)
      if (method === 0 && reference === 0 && base + offset + length > bytes.length)
        throw damaged(name, kind, 'a part of the picture is missing');
  const primary = primaryItem(bytes, only(inner, 'pitm', name), name, kind);
  const iref = inner.find(({ type }) => type === 'iref');
  const described = iref ? describedItems(bytes, iref, name, kind) : new Map<number, number[]>();
  // Other pictures in the file, such as maps of depth, may have XMP of their own.
  const [xmp, second] = list.items.filter(
    ({ id, type, contentType }) =>
      type === 'mime' &&
      contentType === 'application/rdf+xml' &&
      (described.get(id)?.includes(primary) ?? true),
  );
  if (second) throw severalPackets(name);
  if (xmp && xmp.contentEncoding !== '') throw unfit(name, 'its XMP is compressed');
  return { boxes, meta, inner, list, locations, primary, xmp };
}

function only(boxes: readonly IsoBox[], type: string, name: string): IsoBox {
  const [found, second] = boxes.filter((box) => box.type === type);
  if (!found || second)
    throw damaged(name, kind, `it has ${found ? 'several boxes' : 'no box'} ${type}`);
  return found;
}

function locationOf({ locations }: IsoFile, id: number): ItemLocation | undefined {
  return locations.items.find((item) => item.id === id);
}

/** The bytes of an item. @throws InputError where they are not in this file */
function itemBytes(bytes: Buffer, file: IsoFile, place: ItemLocation, name: string): Buffer {
  const { method, reference, base, extents } = place;
  const idat = file.inner.find(({ type }) => type === 'idat');
  const from = method === 0 ? 0 : method === 1 ? idat?.body : undefined;
  if (reference !== 0 || from === undefined) throw unfit(name, 'its XMP is kept elsewhere');
  const end = method === 0 ? bytes.length : (idat?.end ?? 0);
  return Buffer.concat(
    extents.map(({ offset, length }) => {
      const start = from + base + offset;
      if (start + length > end) throw damaged(name, kind, 'its XMP is not whole');
      // No length: to the end.
      return bytes.subarray(start, length === 0 ? end : start + length);
    }),
  );
}

function withXmp(bytes: Buffer, file: IsoFile, packet: Buffer, name: string): Buffer {
  const { inner, list, locations, primary, xmp } = file;
  if (locations.offsetSize === 0 || locations.lengthSize === 0)
    throw unfit(name, 'it has no numbers for the place of more items');
  const id = xmp?.id ?? Math.max(...[...list.items, ...locations.items].map((each) => each.id)) + 1;
  const changed = new Map<string, Buffer | undefined>();
  if (!xmp) {
    const entries = [...list.items.map(({ box }) => bytes.subarray(box.start, box.end))];
    const iinf = only(inner, 'iinf', name);
    changed.set('iinf', itemListBox(bytes, iinf, list, [...entries, xmpItemBox(id)], name));
    const iref = inner.find(({ type }) => type === 'iref');
    changed.set('iref', withDescribing(bytes, iref, id, primary, name));
  }
  return rebuilt(bytes, file, { changed, packet, id }, name);
}

function withoutXmp(bytes: Buffer, file: IsoFile, name: string): Buffer {
  const { inner, list, xmp } = file;
  if (!xmp) return bytes;
  const entries = list.items
    .filter(({ id }) => id !== xmp.id)
    .map(({ box }) => bytes.subarray(box.start, box.end));
  const iinf = only(inner, 'iinf', name);
  const iref = inner.find(({ type }) => type === 'iref');
  const changed = new Map<string, Buffer | undefined>([
    ['iinf', itemListBox(bytes, iinf, list, entries, name)],
  ]);
  if (iref) changed.set('iref', withoutReferences(bytes, iref, xmp.id, name, kind));
  return rebuilt(bytes, file, { changed, id: xmp.id }, name);
}

interface Change {
  /** Boxes of `meta` by their type; undefined: taken out. */
  readonly changed: ReadonlyMap<string, Buffer | undefined>;
  /** The XMP item; without a packet it is taken out. */
  readonly id: number;
  readonly packet?: Buffer;
}

function rebuilt(bytes: Buffer, file: IsoFile, change: Change, name: string): Buffer {
  const { boxes, meta, locations } = file;
  const { id, packet } = change;
  const old = locationOf(file, id);
  // A box that holds nothing but the old packet gives its place to the new one.
  const gone = boxes.find((box) => box.type === 'mdat' && old && isWhole(box, old));
  const others = locations.items.filter((item) => item.id !== id);
  const isByBase = countsFromBase(locations, old ? [old] : others);
  const place = (at: number, method: number): ItemLocation => ({
    ...{ id, method, reference: 0, base: isByBase ? at : 0 },
    extents: [{ index: 0, offset: isByBase ? 0 : at, length: packet?.length ?? 0 }],
  });
  const withPlace = (
    items: readonly ItemLocation[],
    offset: number,
    method = 0,
  ): ItemLocation[] => {
    const own = packet ? [place(offset, method)] : [];
    const at = old ? locations.items.indexOf(old) : items.length;
    return [...items.slice(0, at), ...own, ...items.slice(at)];
  };
  const numbered = (items: readonly ItemLocation[]): Buffer =>
    metaBox(bytes, file, change.changed, itemLocationsBox({ ...locations, items }, name));
  const there = packet && placeOfPacket(bytes, file, packet, gone);
  const added = packet && !there ? dataBox(bytes, gone, packet) : undefined;
  const entry = gone?.start ?? meta.end;
  // What is put in has its length whatever the numbers in it are.
  const grown = numbered(withPlace(others, 0)).length - (meta.end - meta.start);
  const behindMeta = (byte: number): number => byte + (byte >= meta.end ? grown : 0);
  const moved = (byte: number): number =>
    behindMeta(byte) +
    (byte >= entry ? (added?.whole.length ?? 0) : 0) -
    (gone && byte >= gone.end ? gone.end - gone.start : 0);
  const inPlace = others.map((item) => movedItem(item, locations, moved, name));
  const written = numbered(
    there
      ? withPlace(inPlace, there.method === 0 ? moved(there.offset) : there.offset, there.method)
      : withPlace(inPlace, behindMeta(entry) + (added?.head ?? 0)),
  );
  const own = added ? [added.whole] : [];
  const parts = boxes.flatMap((box) => {
    if (box === gone) return own;
    if (box === meta) return [written, ...(gone ? [] : own)];
    const whole = bytes.subarray(box.start, box.end);
    return [box.type === 'moov' ? moveChunkOffsets(whole, moved, name, kind) : whole];
  });
  return Buffer.concat(parts);
}

/** Whether these items tell their places by their bases alone, as libheif writes them. */
function countsFromBase({ baseSize }: ItemLocations, items: readonly ItemLocation[]): boolean {
  return baseSize > 0 && items.every(({ extents }) => extents.every(({ offset }) => offset === 0));
}

/**
 * Where the file holds just these bytes already, which no item may show any more: a packet that was there before
 * ours comes back to its place. @param gone is not looked into
 */
function placeOfPacket(
  bytes: Buffer,
  { boxes, inner, locations }: IsoFile,
  packet: Buffer,
  gone: IsoBox | undefined,
): { method: number; offset: number } | undefined {
  const idat = locations.version > 0 && inner.find(({ type }) => type === 'idat');
  if (idat) {
    const at = bytes.subarray(idat.body, idat.end).indexOf(packet);
    if (at >= 0) return { method: 1, offset: at };
  }
  for (const box of boxes) {
    if (box.type !== 'mdat' || box === gone) continue;
    const at = bytes.subarray(box.body, box.end).indexOf(packet);
    if (at >= 0) return { method: 0, offset: box.body + at };
  }
  return undefined;
}

/** A box `mdat` with a packet, its head written as that of the box whose place it takes. */
function dataBox(
  bytes: Buffer,
  like: IsoBox | undefined,
  packet: Buffer,
): { whole: Buffer; head: number } {
  if (!like) return { whole: boxBytes('mdat', packet), head: 8 };
  const head = Buffer.from(bytes.subarray(like.start, like.body));
  const size = head.length + packet.length;
  if (head.length === 16) head.writeBigUInt64BE(BigInt(size), 8);
  else if (!like.isOpen) head.writeUInt32BE(size);
  return { whole: Buffer.concat([head, packet]), head: head.length };
}

function isWhole({ body, end }: IsoBox, { method, base, extents }: ItemLocation): boolean {
  const [only, more] = extents;
  return (
    method === 0 &&
    !more &&
    base + only?.offset === body &&
    base + only.offset + only.length === end
  );
}

/** The box `meta` with its changed boxes; those that are new stand at its end. */
function metaBox(
  bytes: Buffer,
  { meta, inner }: IsoFile,
  changed: Change['changed'],
  iloc: Buffer,
): Buffer {
  const all = new Map([...changed, ['iloc', iloc] as const]);
  const kept = inner.flatMap(({ type, start, end }) => {
    if (!all.has(type)) return [bytes.subarray(start, end)];
    const replaced = all.get(type);
    return replaced ? [replaced] : [];
  });
  const fresh = [...all].flatMap(([type, box]) =>
    box && !inner.some((each) => each.type === type) ? [box] : [],
  );
  return boxBytes('meta', bytes.subarray(meta.body, meta.body + 4), ...kept, ...fresh);
}
