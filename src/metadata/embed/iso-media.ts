/**
 * XMP in AVIF and HEIC files (ISO/IEC 23008-12): an item of the type application/rdf+xml that describes the picture. Its
 * bytes stand in a box of their own behind the box `meta`; places of what follows are corrected.
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
  const [xmp, second] = list.items.filter(
    ({ type, contentType }) => type === 'mime' && contentType === 'application/rdf+xml',
  );
  if (second) throw severalPackets(name);
  if (xmp && xmp.contentEncoding !== '') throw unfit(name, 'its XMP is compressed');
  return { boxes, meta, inner, list, locations, xmp };
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
  const { inner, list, locations, xmp } = file;
  if (locations.offsetSize === 0 || locations.lengthSize === 0)
    throw unfit(name, 'it has no numbers for the place of more items');
  const primary = primaryItem(bytes, only(inner, 'pitm', name), name, kind);
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
  // A box that holds nothing but the old packet goes with it.
  const gone = boxes.find((box) => box.type === 'mdat' && old && isWhole(box, old));
  const others = locations.items.filter((item) => item.id !== id);
  const place = (offset: number, length: number): ItemLocation => ({
    ...{ id, method: 0, reference: 0, base: 0 },
    extents: [{ index: 0, offset, length }],
  });
  const numbered = (items: readonly ItemLocation[]): Buffer =>
    metaBox(bytes, file, change.changed, itemLocationsBox({ ...locations, items }, name));
  // What is put in has its length whatever the numbers in it are.
  const withPlace = (items: readonly ItemLocation[], offset: number): ItemLocation[] => {
    const own = packet ? [place(offset, packet.length)] : [];
    const at = old ? locations.items.indexOf(old) : items.length;
    return [...items.slice(0, at), ...own, ...items.slice(at)];
  };
  const added = packet ? boxBytes('mdat', packet) : Buffer.alloc(0);
  const grown = numbered(withPlace(others, 0)).length - (meta.end - meta.start) + added.length;
  const moved = (byte: number): number =>
    byte + (byte >= meta.end ? grown : 0) - (gone && byte >= gone.end ? gone.end - gone.start : 0);
  const start = meta.start - (gone && gone.end <= meta.start ? gone.end - gone.start : 0);
  const inPlace = others.map((item) => movedItem(item, locations, moved, name));
  const behind = start + numbered(withPlace(others, 0)).length + 8;
  const written = numbered(withPlace(inPlace, behind));
  const parts = boxes.flatMap((box) => {
    if (box === gone) return [];
    if (box === meta) return [written, added];
    const own = bytes.subarray(box.start, box.end);
    return [box.type === 'moov' ? moveChunkOffsets(own, moved, name, kind) : own];
  });
  return Buffer.concat(parts);
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
