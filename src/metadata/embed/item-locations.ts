/** The box `iloc` of AVIF and HEIC: where the bytes of each item are. */
import { boxBytes, type IsoBox, NumberReader, numberBytes } from './boxes.ts';
import { damaged, unfit } from './carrier.ts';

/** Bytes of an item. */
export interface Extent {
  readonly index: number;
  readonly offset: number;
  readonly length: number;
}

export interface ItemLocation {
  readonly id: number;
  /** What offsets count from: 0 the file, 1 the box `idat`, 2 another item. */
  readonly method: number;
  /** 0: this file. */
  readonly reference: number;
  readonly base: number;
  readonly extents: readonly Extent[];
}

/** The box with its numbers as they are written: how many bytes each takes. */
export interface ItemLocations {
  readonly version: number;
  readonly flags: number;
  readonly offsetSize: number;
  readonly lengthSize: number;
  readonly baseSize: number;
  readonly indexSize: number;
  readonly items: readonly ItemLocation[];
}

/** @throws InputError when the box is damaged, or of a later version */
export function readItemLocations(
  bytes: Buffer,
  box: IsoBox,
  name: string,
  kind: string,
): ItemLocations {
  const fault = () => damaged(name, kind, 'its iloc is not whole');
  const read = new NumberReader(bytes, box.body, box.end, fault);
  const version = read.number(1);
  if (version > 2) throw unfit(name, `its ${kind} has an iloc of version ${version}`);
  const flags = read.number(2) * 256 + read.number(1);
  const [sizes, more] = [read.number(1), read.number(1)];
  const [offsetSize, lengthSize] = [sizes >> 4, sizes & 15];
  const [baseSize, indexSize] = [more >> 4, version === 0 ? 0 : more & 15];
  if ([offsetSize, lengthSize, baseSize, indexSize].some((size) => ![0, 4, 8].includes(size)))
    throw fault();
  const count = read.number(version < 2 ? 2 : 4);
  const items: ItemLocation[] = [];
  for (let i = 0; i < count; i++) {
    const id = read.number(version < 2 ? 2 : 4);
    const method = version === 0 ? 0 : read.number(2) & 15;
    const reference = read.number(2);
    const base = read.number(baseSize);
    const extents: Extent[] = [];
    for (let n = read.number(2); n > 0; n--)
      extents.push({
        index: read.number(indexSize),
        offset: read.number(offsetSize),
        length: read.number(lengthSize),
      });
    items.push({ id, method, reference, base, extents });
  }
  return { version, flags, offsetSize, lengthSize, baseSize, indexSize, items };
}

/** The box anew. @throws InputError where a number does not fit */
export function itemLocationsBox(locations: ItemLocations, name: string): Buffer {
  const { version, flags, offsetSize, lengthSize, baseSize, indexSize, items } = locations;
  const put = (value: number, size: number): Buffer => {
    const written = numberBytes(value, size);
    if (written) return written;
    throw unfit(name, 'places in it would be larger than its numbers can be');
  };
  const idSize = version < 2 ? 2 : 4;
  return boxBytes(
    'iloc',
    Buffer.from([version, flags >> 16, (flags >> 8) & 255, flags & 255]),
    Buffer.from([(offsetSize << 4) | lengthSize, (baseSize << 4) | indexSize]),
    put(items.length, idSize),
    ...items.flatMap(({ id, method, reference, base, extents }) => [
      put(id, idSize),
      version === 0 ? Buffer.alloc(0) : put(method, 2),
      put(reference, 2),
      put(base, baseSize),
      put(extents.length, 2),
      ...extents.flatMap(({ index, offset, length }) => [
        put(index, indexSize),
        put(offset, offsetSize),
        put(length, lengthSize),
      ]),
    ]),
  );
}

/**
 * An item whose bytes in the file have moved.
 * @param moved where a byte of the old file is in the new one
 * @throws InputError where its places cannot say so
 */
export function movedItem(
  item: ItemLocation,
  { offsetSize, baseSize }: ItemLocations,
  moved: (place: number) => number,
  name: string,
): ItemLocation {
  if (item.method !== 0 || item.reference !== 0 || item.extents.length === 0) return item;
  const shifts = item.extents.map(({ offset }) => {
    const place = item.base + offset;
    return moved(place) - place;
  });
  const [shift] = shifts;
  if (shifts.every((other) => other === 0)) return item;
  if (offsetSize > 0)
    return {
      ...item,
      extents: item.extents.map((extent, i) => ({ ...extent, offset: extent.offset + shifts[i] })),
    };
  if (baseSize > 0 && shifts.every((other) => other === shift))
    return { ...item, base: item.base + shift };
  throw unfit(name, 'the places of its items cannot be changed');
}
