/** The items of AVIF and HEIC pictures: pictures, Exif, XMP, and how they belong together. */
import { boxBytes, type IsoBox, isoBoxes, NumberReader, numberBytes } from './boxes.ts';
import { damaged, unfit } from './carrier.ts';

/** An item, as far as it matters here. */
export interface Item {
  readonly id: number;
  /** Four letters; '' in old files, which have none. */
  readonly type: string;
  /** Of `mime` items. */
  readonly contentType: string;
  readonly contentEncoding: string;
  readonly box: IsoBox;
}

/** The box `iinf`. */
export interface ItemList {
  readonly items: readonly Item[];
  /** Bytes of the number of items. */
  readonly countSize: 2 | 4;
}

/** @throws InputError when it is damaged */
export function readItems(bytes: Buffer, box: IsoBox, name: string, kind: string): ItemList {
  const fault = () => damaged(name, kind, 'its iinf is not whole');
  const read = new NumberReader(bytes, box.body, box.end, fault);
  const countSize = read.number(4) >>> 24 === 0 ? 2 : 4;
  const count = read.number(countSize);
  const items = isoBoxes(bytes, read.at, box.end, name, kind).map((each) =>
    readItem(bytes, each, fault),
  );
  if (items.length !== count) throw fault();
  return { items, countSize };
}

function readItem(bytes: Buffer, box: IsoBox, fault: () => Error): Item {
  const read = new NumberReader(bytes, box.body, box.end, fault);
  const version = read.number(4) >>> 24;
  const id = read.number(version < 3 ? 2 : 4);
  read.number(2);
  if (version < 2) return { id, type: '', contentType: '', contentEncoding: '', box };
  const type = String.fromCharCode(...[1, 1, 1, 1].map((size) => read.number(size)));
  if (type !== 'mime') return { id, type, contentType: '', contentEncoding: '', box };
  read.text();
  const contentType = read.text();
  // The encoding may be left out.
  const contentEncoding = read.at < box.end ? read.text() : '';
  return { id, type, contentType, contentEncoding, box };
}

/** The box `iinf` with these entries (whole boxes). */
export function itemListBox(
  bytes: Buffer,
  box: IsoBox,
  { countSize }: ItemList,
  entries: readonly Buffer[],
  name: string,
): Buffer {
  const count = numberBytes(entries.length, countSize);
  if (!count) throw unfit(name, 'it has as many items as it can have');
  return boxBytes('iinf', bytes.subarray(box.body, box.body + 4), count, ...entries);
}

/** The entry of an XMP item. */
export function xmpItemBox(id: number): Buffer {
  const isLong = id > 0xffff;
  return boxBytes(
    'infe',
    Buffer.from([isLong ? 3 : 2, 0, 0, 0]),
    numberBytes(id, isLong ? 4 : 2) ?? Buffer.alloc(0),
    Buffer.from([0, 0]),
    Buffer.from('mime\0application/rdf+xml\0', 'latin1'),
  );
}

/** The number of the picture itself. @throws InputError when the box is damaged */
export function primaryItem(bytes: Buffer, box: IsoBox, name: string, kind: string): number {
  const fault = () => damaged(name, kind, 'its pitm is not whole');
  const read = new NumberReader(bytes, box.body, box.end, fault);
  return read.number(read.number(4) >>> 24 === 0 ? 2 : 4);
}

/** The items that others describe, as XMP and Exif do (`cdsc`), by those others. @param box `iref` */
export function describedItems(
  bytes: Buffer,
  box: IsoBox,
  name: string,
  kind: string,
): Map<number, number[]> {
  const fault = () => damaged(name, kind, 'its iref is not whole');
  const size = bytes[box.body] === 0 ? 2 : 4;
  const described = new Map<number, number[]>();
  for (const { type, body, end } of isoBoxes(bytes, box.body + 4, box.end, name, kind)) {
    if (type !== 'cdsc') continue;
    const read = new NumberReader(bytes, body, end, fault);
    const from = read.number(size);
    const to = Array.from({ length: read.number(2) }, () => read.number(size));
    described.set(from, [...(described.get(from) ?? []), ...to]);
  }
  return described;
}

/** The box `iref` with one more reference: an item describes another. @param box where there is one */
export function withDescribing(
  bytes: Buffer,
  box: IsoBox | undefined,
  from: number,
  to: number,
  name: string,
): Buffer {
  const isLong = box ? bytes[box.body] !== 0 : Math.max(from, to) > 0xffff;
  const head = box ? bytes.subarray(box.body, box.end) : Buffer.from([isLong ? 1 : 0, 0, 0, 0]);
  const [a, b] = [from, to].map((id) => numberBytes(id, isLong ? 4 : 2));
  if (!a || !b) throw unfit(name, 'its references cannot name one more item');
  return boxBytes('iref', head, boxBytes('cdsc', a, Buffer.from([0, 1]), b));
}

/** The box `iref` without the references of an item; undefined where none are left. */
export function withoutReferences(
  bytes: Buffer,
  box: IsoBox,
  item: number,
  name: string,
  kind: string,
): Buffer | undefined {
  const size = bytes[box.body] === 0 ? 2 : 4;
  const all = isoBoxes(bytes, box.body + 4, box.end, name, kind);
  const kept = all.filter(
    ({ body, end }) => body + size > end || bytes.readUIntBE(body, size) !== item,
  );
  if (kept.length === 0) return undefined;
  const parts = kept.map(({ start, end }) => bytes.subarray(start, end));
  return boxBytes('iref', bytes.subarray(box.body, box.body + 4), ...parts);
}
