/** HEIC files put together by hand (ISO/IEC 23008-12) from pictures that heif-enc coded: layouts that it does not make. */
import { box, bytesOf, u16, u32 } from '../../../metadata/embed/heif.ts';

/** A picture as heif-enc coded it: its parameter sets, its size, its bytes. */
export interface Coded {
  readonly hvcC: Buffer;
  readonly ispe: Buffer;
  readonly data: Buffer;
}

export interface ComposedItem {
  readonly type: string;
  readonly data: Buffer;
  /** Whole boxes. */
  readonly properties?: readonly Buffer[];
  readonly isHidden?: boolean;
}

export interface Composition {
  /** Numbered from 1; the first one is shown. */
  readonly items: readonly ComposedItem[];
  readonly references?: readonly (readonly [type: string, from: number, ...to: number[]])[];
}

/** @param heic of one picture without transparency, thumbnail and metadata, whose `mdat` is the picture alone */
export function codedPicture(heic: Buffer): Coded {
  const found = (type: string): Buffer => {
    const at = heic.indexOf(type, 0, 'latin1') - 4;
    return heic.subarray(at, at + heic.readUInt32BE(at));
  };
  return { hvcC: found('hvcC'), ispe: found('ispe'), data: found('mdat').subarray(8) };
}

export const ispe = (width: number, height: number): Buffer =>
  box('ispe', u32(0), u32(width), u32(height));
/** Turns to the left. */
export const irot = (quarters: number): Buffer => box('irot', [quarters]);
/** 0: left and right change places; 1: top and bottom. */
export const imir = (axis: 0 | 1): Buffer => box('imir', [axis]);
export const icc = (profile: Buffer): Buffer => box('colr', 'prof', profile);
/** Colours by numbers of H.273; the matrix is BT.601's, full range. */
export const nclx = (primaries: number, transfer: number): Buffer =>
  box('colr', 'nclx', u16(primaries), u16(transfer), u16(6), [0x80]);
/** Cuts the middle out. */
export const clap = (width: number, height: number): Buffer =>
  box('clap', ...[width, 1, height, 1, 0, 1, 0, 1].map(u32));

/** The item of a grid. */
function grid(columns: number, rows: number, width: number, height: number): Buffer {
  return bytesOf([0, 0, rows - 1, columns - 1], u16(width), u16(height));
}

/** A grid of coded tiles, which are the items from 2. */
export function gridOf(
  tiles: readonly Coded[],
  [columns, rows]: readonly [number, number],
  [width, height]: readonly [number, number],
  properties: readonly Buffer[] = [],
): Composition {
  const items = tiles.map(
    ({ hvcC, ispe: size, data }): ComposedItem => ({
      type: 'hvc1',
      data,
      properties: [hvcC, size],
      isHidden: true,
    }),
  );
  return {
    items: [
      {
        type: 'grid',
        data: grid(columns, rows, width, height),
        properties: [ispe(width, height), ...properties],
      },
      ...items,
    ],
    references: [['dimg', 1, ...items.map((_, i) => i + 2)]],
  };
}

/** Overlays of five pictures, which are overlays in turn, `levels` deep; at the bottom is the same coded picture. */
export function overlaysOf({ hvcC, ispe: size, data }: Coded, levels: number): Composition {
  const places = [0, 9, 18, 27, 36].flatMap((at) => [...u16(at), ...u16(at)]);
  const overlay: ComposedItem = {
    type: 'iovl',
    data: bytesOf([0, 0], ...[0, 0, 0, 0xffff, 100, 100].map(u16), places),
    properties: [ispe(100, 100)],
  };
  const coded: ComposedItem = { type: 'hvc1', data, properties: [hvcC, size], isHidden: true };
  const five = (item: ComposedItem) => Array.from({ length: 5 }, () => item);
  const between = Array.from({ length: levels - 1 }, () => five({ ...overlay, isHidden: true }));
  const items = [overlay, ...between.flat(), ...five(coded)];
  const references = items.slice(0, -5).map((_, i): readonly [string, number, ...number[]] => {
    const next = 2 + 5 * Math.ceil(i / 5);
    return ['dimg', i + 1, next, next + 1, next + 2, next + 3, next + 4];
  });
  return { items, references };
}

export function compose({ items, references = [] }: Composition): Buffer {
  /** Each once: libheif reads no more than a hundred. */
  const properties = new Map(
    items.flatMap((item) => item.properties ?? []).map((one) => [one.toString('latin1'), one]),
  );
  const names = [...properties.keys()];
  const infe = items.map(({ type, isHidden }, i) =>
    box('infe', [2, 0, 0, isHidden ? 1 : 0], u16(i + 1), u16(0), `${type}\0`),
  );
  const ipma = items.map((item, i) => {
    const own = item.properties ?? [];
    const places = own.map((one) => 0x80 | (names.indexOf(one.toString('latin1')) + 1));
    return bytesOf(u16(i + 1), [own.length, ...places]);
  });
  const metaOf = (places: readonly number[]): Buffer =>
    box(
      'meta',
      u32(0),
      box('hdlr', u32(0), u32(0), 'pict', Array(13).fill(0)),
      box('pitm', u32(0), u16(1)),
      box('iinf', u32(0), u16(items.length), ...infe),
      ...(references.length === 0
        ? []
        : [
            box(
              'iref',
              u32(0),
              ...references.map(([type, from, ...to]) =>
                box(type, u16(from), u16(to.length), ...to.map(u16)),
              ),
            ),
          ]),
      box(
        'iprp',
        box('ipco', ...properties.values()),
        box('ipma', u32(0), u32(items.length), ...ipma),
      ),
      box(
        'iloc',
        ...[u32(0), [0x44, 0], u16(items.length)],
        ...items.map(({ data }, i) =>
          bytesOf(u16(i + 1), u16(0), u16(1), u32(places[i]), u32(data.length)),
        ),
      ),
    );
  const ftyp = box('ftyp', 'heic', u32(0), 'mif1heic');
  let place = ftyp.length + metaOf(items.map(() => 0)).length + 8;
  const places = items.map(({ data }) => {
    const at = place;
    place += data.length;
    return at;
  });
  return Buffer.concat([ftyp, metaOf(places), box('mdat', ...items.map(({ data }) => data))]);
}
