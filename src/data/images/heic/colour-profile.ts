/** Colour spaces that are told by numbers (nclx; ITU-T H.273) as ICC profiles, which the colour engine converts. Pure. */

/** Where red, green and blue are (CIE x and y), by H.273's number; white is D65. Others are near sRGB's, and taken for them. */
const primaries: Readonly<Record<number, readonly (readonly [x: number, y: number])[]>> = {
  // BT.2020
  9: [
    [0.708, 0.292],
    [0.17, 0.797],
    [0.131, 0.046],
  ],
  // Display P3 (SMPTE EG 432-1)
  12: [
    [0.68, 0.32],
    [0.265, 0.69],
    [0.15, 0.06],
  ],
};
const srgbPrimaries = [
  [0.64, 0.33],
  [0.3, 0.6],
  [0.15, 0.06],
] as const;
const d65 = [0.3127, 0.329] as const;
/** ICC's white. */
const d50 = [0.9642, 1, 0.8249] as const;

/** Light (0 to 1) of a code (0 to 1), by H.273's number. Others are shown as sRGB is. */
const transfers: Readonly<Record<number, (code: number) => number>> = {
  4: (code) => code ** 2.2,
  5: (code) => code ** 2.8,
  8: (code) => code,
  16: perceptualQuantizer,
};

/**
 * The profile of a colour space, or undefined where it is sRGB's or near to it. The darker curve of HLG is that of screens
 * without HDR, for which HLG was made to fit (ITU-R BT.2408); light beyond white, by PQ, is compressed (BT.2390).
 */
export function colourProfile(
  colourPrimaries: number,
  transferCharacteristics: number,
): Uint8Array | undefined {
  const places = primaries[colourPrimaries];
  const transfer = transfers[transferCharacteristics];
  if (places === undefined && transfer === undefined) return undefined;
  return matrixProfile(colorants(places ?? srgbPrimaries), transfer ?? srgb);
}

function srgb(code: number): number {
  return code <= 0.04045 ? code / 12.92 : ((code + 0.055) / 1.055) ** 2.4;
}

const pq = { m1: 1305 / 8192, m2: 2523 / 32, c1: 107 / 128, c2: 2413 / 128, c3: 2392 / 128 };

/** Candelas a square metre of a code of PQ (SMPTE ST 2084), and back. */
function pqLight(code: number): number {
  const root = Math.max(0, code) ** (1 / pq.m2);
  return 10_000 * (Math.max(0, root - pq.c1) / (pq.c2 - pq.c3 * root)) ** (1 / pq.m1);
}
function pqCode(light: number): number {
  const power = (light / 10_000) ** pq.m1;
  return ((pq.c1 + pq.c2 * power) / (1 + pq.c3 * power)) ** pq.m2;
}

/** Of white (BT.2408), and of the brightest that pictures are made for. */
const white = 203;
const peak = 1000;

/** PQ for a screen whose white is the brightest: the electrical-electrical transfer function of BT.2390. */
function perceptualQuantizer(code: number): number {
  const top = pqCode(peak);
  const most = pqCode(white) / top;
  const knee = 1.5 * most - 0.5;
  const given = Math.min(1, code / top);
  return Math.min(1, pqLight(given < knee ? code : top * spline(given)) / white);

  function spline(at: number): number {
    const t = (at - knee) / (1 - knee);
    return (
      (2 * t ** 3 - 3 * t ** 2 + 1) * knee +
      (t ** 3 - 2 * t ** 2 + t) * (1 - knee) +
      (-2 * t ** 3 + 3 * t ** 2) * most
    );
  }
}

type Vector = readonly [number, number, number];
type Matrix = readonly [Vector, Vector, Vector];

/** XYZ of red, green and blue that add up to white, adapted to D50 (Bradford): columns of the matrix. */
function colorants(places: readonly (readonly [x: number, y: number])[]): Vector[] {
  const [r, g, b] = places.map(([x, y]) => xyz(x, y));
  const source = xyz(...d65);
  const inverse = inverted(transposed([r, g, b]));
  const amounts = times(inverse, source);
  const cone = times(bradford, source);
  const wanted = times(bradford, d50);
  const back = inverted(bradford);
  return [r, g, b].map((colour, i) => {
    const [x, y, z] = colour.map((value) => value * amounts[i]);
    const [l, m, s] = times(bradford, [x, y, z]);
    return times(back, [
      (l * wanted[0]) / cone[0],
      (m * wanted[1]) / cone[1],
      (s * wanted[2]) / cone[2],
    ]);
  });
}

const bradford: Matrix = [
  [0.8951, 0.2664, -0.1614],
  [-0.7502, 1.7135, 0.0367],
  [0.0389, -0.0685, 1.0296],
];

function xyz(x: number, y: number): Vector {
  return [x / y, 1, (1 - x - y) / y];
}

function times(matrix: Matrix, [x, y, z]: Vector): Vector {
  const row = ([a, b, c]: Vector): number => a * x + b * y + c * z;
  return [row(matrix[0]), row(matrix[1]), row(matrix[2])];
}

function transposed([a, b, c]: Matrix): Matrix {
  return [
    [a[0], b[0], c[0]],
    [a[1], b[1], c[1]],
    [a[2], b[2], c[2]],
  ];
}

function inverted([a, b, c]: Matrix): Matrix {
  const cross = (u: Vector, v: Vector): Vector => [
    u[1] * v[2] - u[2] * v[1],
    u[2] * v[0] - u[0] * v[2],
    u[0] * v[1] - u[1] * v[0],
  ];
  const bc = cross(b, c);
  const size = a[0] * bc[0] + a[1] * bc[1] + a[2] * bc[2];
  const scaled = ([x, y, z]: Vector): Vector => [x / size, y / size, z / size];
  return transposed([scaled(bc), scaled(cross(c, a)), scaled(cross(a, b))]);
}

/** Entries of a curve's table: each of 255 levels is one of them. */
const entries = 16 * 255 + 1;

/** A display profile of ICC's version 2: a matrix, and one curve for the three colours. */
function matrixProfile([red, green, blue]: readonly Vector[], transfer: typeof srgb): Uint8Array {
  const curve = Buffer.alloc(12 + 2 * entries);
  curve.write('curv', 'latin1');
  curve.writeUInt32BE(entries, 8);
  for (let i = 0; i < entries; i++)
    curve.writeUInt16BE(Math.round(65535 * transfer(i / (entries - 1))), 12 + 2 * i);
  const tags: readonly (readonly [name: string, content: Buffer])[] = [
    ['desc', description('nclx')],
    ['cprt', Buffer.from('text\0\0\0\0none\0', 'latin1')],
    ['wtpt', xyzTag(d50)],
    ['rXYZ', xyzTag(red)],
    ['gXYZ', xyzTag(green)],
    ['bXYZ', xyzTag(blue)],
    ...['rTRC', 'gTRC', 'bTRC'].map((name) => [name, curve] as const),
  ];
  const table = Buffer.alloc(4 + 12 * tags.length);
  table.writeUInt32BE(tags.length);
  const contents: Buffer[] = [];
  let place = 128 + table.length;
  for (const [i, [name, content]] of tags.entries()) {
    table.write(name, 4 + 12 * i, 'latin1');
    table.writeUInt32BE(place, 8 + 12 * i);
    table.writeUInt32BE(content.length, 12 + 12 * i);
    const padded = Buffer.alloc(Math.ceil(content.length / 4) * 4);
    content.copy(padded);
    contents.push(padded);
    place += padded.length;
  }
  return Buffer.concat([header(place), table, ...contents]);
}

function header(length: number): Buffer {
  const bytes = Buffer.alloc(128);
  bytes.writeUInt32BE(length);
  bytes.writeUInt32BE(0x02100000, 8);
  bytes.write('mntrRGB XYZ ', 12, 'latin1');
  bytes.write('acsp', 36, 'latin1');
  for (const [i, value] of d50.entries()) bytes.writeInt32BE(fixed(value), 68 + 4 * i);
  return bytes;
}

function description(text: string): Buffer {
  const bytes = Buffer.alloc(12 + text.length + 1 + 78);
  bytes.write('desc', 'latin1');
  bytes.writeUInt32BE(text.length + 1, 8);
  bytes.write(text, 12, 'latin1');
  return bytes;
}

function xyzTag(value: Vector): Buffer {
  const bytes = Buffer.alloc(20);
  bytes.write('XYZ ', 'latin1');
  for (const [i, one] of value.entries()) bytes.writeInt32BE(fixed(one), 8 + 4 * i);
  return bytes;
}

/** In 65536ths. */
function fixed(value: number): number {
  return Math.round(value * 65536);
}
