// What is done to each frame of a film, in WebAssembly with SIMD: AssemblyScript (assemblyscript.org), which
// `npx tsx scripts/film-kernel/build.ts` compiles into src/data/films/kernel/bytes.ts. It computes what the plain
// functions of src/data/films/kernel/planes.ts and src/video/scenes/ compute, to the bit; test/data/films/kernel/ compares.
//
// Frames are I420 (planes of Y, U and V, the latter of half the width and height, rounded up) or RGB of 24 bits. All
// memory is the caller's. Reads go up to 16 bytes beyond a frame.

// ---- Colours: as libswscale's conversion for x86 rounds, each product by itself.

/** Factors of ((y - y0) * yy) >> 13 and its like, split as 128 * high + low so that products fit 16 bits. */
let yy1: v128, yy0: v128, vr1: v128, vr0: v128, ub1: v128, ub0: v128, ug1: v128, ug0: v128, vg1: v128, vg0: v128;
let black: v128;

export function setColours(y0: i32, yy: i32, vr: i32, ub: i32, ug: i32, vg: i32): void {
  black = i16x8.splat(<i16>y0);
  yy1 = i16x8.splat(<i16>(yy >> 7)); yy0 = i16x8.splat(<i16>(yy & 127));
  vr1 = i16x8.splat(<i16>(vr >> 7)); vr0 = i16x8.splat(<i16>(vr & 127));
  ub1 = i16x8.splat(<i16>(ub >> 7)); ub0 = i16x8.splat(<i16>(ub & 127));
  ug1 = i16x8.splat(<i16>(ug >> 7)); ug0 = i16x8.splat(<i16>(ug & 127));
  vg1 = i16x8.splat(<i16>(vg >> 7)); vg0 = i16x8.splat(<i16>(vg & 127));
}

/** (a * factor) >> 13. */
// @ts-ignore: decorator
@inline
function product(a: v128, high: v128, low: v128): v128 {
  return i16x8.shr_s(i16x8.add(i16x8.mul(a, high), i16x8.shr_s(i16x8.mul(a, low), 7)), 6);
}

// @ts-ignore: decorator
@inline
function toByte(a: v128): v128 {
  return i16x8.min_s(i16x8.max_s(a, i16x8.splat(0)), i16x8.splat(255));
}

// @ts-ignore: decorator
@inline
function centred(bytes: v128): v128 {
  return i16x8.sub(i16x8.extend_low_i8x16_u(bytes), i16x8.splat(128));
}

/** A frame of I420 as RGB. Writes up to 24 bytes beyond `target`'s picture. */
export function planesToRgb(frame: usize, width: i32, height: i32, target: usize): void {
  const chromaWidth = (width + 1) >> 1;
  const u0 = frame + width * height;
  const v0 = u0 + chromaWidth * ((height + 1) >> 1);
  for (let row = 0; row < height; row++) {
    let y = frame + row * width;
    let u = u0 + (row >> 1) * chromaWidth;
    let v = v0 + (row >> 1) * chromaWidth;
    let at = target + row * width * 3;
    for (let x = 0; x < width; x += 8) {
      const us = centred(twice(v128.load32_zero(u)));
      const vs = centred(twice(v128.load32_zero(v)));
      const light = product(i16x8.sub(v128.load8x8_u(y), black), yy1, yy0);
      const r = i16x8.add(light, product(vs, vr1, vr0));
      const g = i16x8.add(light, i16x8.add(product(us, ug1, ug0), product(vs, vg1, vg0)));
      const b = i16x8.add(light, product(us, ub1, ub0));
      const rg = i8x16.narrow_i16x8_u(r, g);
      const bb = i8x16.narrow_i16x8_u(b, b);
      v128.store(at, v128.shuffle<i8>(rg, bb, 0, 8, 16, 1, 9, 17, 2, 10, 18, 3, 11, 19, 4, 12, 20, 5));
      v128.store64_lane(at + 16, v128.shuffle<i8>(rg, bb, 13, 21, 6, 14, 22, 7, 15, 23, 0, 0, 0, 0, 0, 0, 0, 0), 0);
      y += 8; u += 4; v += 4; at += 24;
    }
  }
}

/** Each of the first eight bytes twice. */
// @ts-ignore: decorator
@inline
function twice(bytes: v128): v128 {
  return v128.shuffle<i8>(bytes, bytes, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
}

// ---- What detectors of scenes see: a frame made small by OpenCV's bilinear resize, its colours as hue, saturation and
// ---- value, and how far they are from those of the frame before.

let groups: i32, rows: i32;
let columnPlaces: usize, columnWeights: usize, columnMasks: usize, rowTable: usize, colours: usize, sums: usize;

/**
 * @param eights the small frame's columns in groups of eight
 * @param places of each column the left one of the two between which it lies; 0 beyond the last column
 * @param weights of each column the left one's weight and the right one's, of 16 bits; 0 beyond the last
 * @param masks of each group 16 bytes: which bytes of the chroma of eight pairs belong to their pixels
 * @param table of each row of the small frame the rows above and below, and the weight of the latter, of 32 bits
 * @param last where the hues, saturations and values of a small frame are kept: 48 bytes for each group
 * @param result four sums: changes of hue, saturation and value, and of all bytes
 */
export function setSizes(eights: i32, rowCount: i32, places: usize, weights: usize, masks: usize, table: usize, last: usize, result: usize): void {
  groups = eights; rows = rowCount;
  columnPlaces = places; columnWeights = weights; columnMasks = masks; rowTable = table; colours = last; sums = result;
}

/** Rows of what is summed in 16 bits: changes of hue, saturation and value, and all bytes. */
let hueSum: v128, saturationSum: v128, valueSum: v128, brightSum: v128;

// @ts-ignore: decorator
@inline
function across(pairs: v128, weights: v128): v128 {
  return i32x4.shr_s(i32x4.dot_i16x8_s(pairs, weights), 4);
}

// @ts-ignore: decorator
@inline
function down(above: v128, below: v128, up: v128, weight: v128): v128 {
  const sum = i32x4.add(i32x4.shr_s(i32x4.mul(above, up), 16), i32x4.shr_s(i32x4.mul(below, weight), 16));
  return i32x4.shr_s(i32x4.add(sum, i32x4.splat(2)), 2);
}

/** To the nearest whole number, halves to the even one, below 2 ** 22. */
// @ts-ignore: decorator
@inline
function whole(a: v128): v128 {
  return i32x4.sub(f32x4.add(a, f32x4.splat(12582912)), i32x4.splat(0x4B400000));
}

/** (part * round(unit / divisor) + 2048) >> 12; where the divisor is 0 so is the part. */
// @ts-ignore: decorator
@inline
function fraction(part: v128, unit: f32, divisor: v128): v128 {
  const factor = whole(f32x4.div(f32x4.splat(unit), f32x4.convert_i32x4_s(divisor)));
  return i32x4.shr_s(i32x4.add(i32x4.mul(part, factor), i32x4.splat(2048)), 12);
}

// @ts-ignore: decorator
@inline
function fractions(part: v128, unit: f32, divisor: v128): v128 {
  return i16x8.narrow_i32x4_s(
    fraction(i32x4.extend_low_i16x8_s(part), unit, i32x4.extend_low_i16x8_s(divisor)),
    fraction(i32x4.extend_high_i16x8_s(part), unit, i32x4.extend_high_i16x8_s(divisor)),
  );
}

/** Eight pixels of the small frame: adds up how they changed, and keeps them. */
// @ts-ignore: decorator
@inline
function compare(r: v128, g: v128, b: v128, kept: usize): void {
  const value = i16x8.max_s(i16x8.max_s(r, g), b);
  const range = i16x8.sub(value, i16x8.min_s(i16x8.min_s(r, g), b));
  const turnOfOthers = v128.bitselect(
    i16x8.add(i16x8.sub(b, r), i16x8.shl(range, 1)),
    i16x8.add(i16x8.sub(r, g), i16x8.shl(range, 2)),
    i16x8.eq(value, g),
  );
  const turn = v128.bitselect(i16x8.sub(g, b), turnOfOthers, i16x8.eq(value, r));
  const angle = fractions(turn, 122880, range);
  const hue = i16x8.add(angle, v128.and(i16x8.lt_s(angle, i16x8.splat(0)), i16x8.splat(180)));
  const saturation = fractions(range, 1044480, value);
  hueSum = i16x8.add(hueSum, i16x8.abs(i16x8.sub(hue, v128.load(kept))));
  saturationSum = i16x8.add(saturationSum, i16x8.abs(i16x8.sub(saturation, v128.load(kept, 16))));
  valueSum = i16x8.add(valueSum, i16x8.abs(i16x8.sub(value, v128.load(kept, 32))));
  brightSum = i16x8.add(brightSum, i16x8.add(r, i16x8.add(g, b)));
  v128.store(kept, hue);
  v128.store(kept, saturation, 16);
  v128.store(kept, value, 32);
}

// @ts-ignore: decorator
@inline
function startRow(): void {
  hueSum = saturationSum = valueSum = brightSum = i16x8.splat(0);
}

/** A row has at most 256 columns, so that sums of 16 bits hold it. */
// @ts-ignore: decorator
@inline
function endRow(): void {
  addTo(sums, hueSum);
  addTo(sums + 4, saturationSum);
  addTo(sums + 8, valueSum);
  addTo(sums + 12, brightSum);
}

// @ts-ignore: decorator
@inline
function addTo(place: usize, eight: v128): void {
  const four = i32x4.extadd_pairwise_i16x8_u(eight);
  const sum = i32x4.extract_lane(four, 0) + i32x4.extract_lane(four, 1) + i32x4.extract_lane(four, 2) + i32x4.extract_lane(four, 3);
  store<i32>(place, load<i32>(place) + sum);
}

/** Bytes at eight places of a row, and those to their right. */
// @ts-ignore: decorator
@inline
function pairsAt(row: usize, places: usize, shift: i32): v128 {
  let pairs = v128.load16_lane(row + (load<i32>(places) >> shift), i8x16.splat(0), 0);
  pairs = v128.load16_lane(row + (load<i32>(places, 4) >> shift), pairs, 1);
  pairs = v128.load16_lane(row + (load<i32>(places, 8) >> shift), pairs, 2);
  pairs = v128.load16_lane(row + (load<i32>(places, 12) >> shift), pairs, 3);
  pairs = v128.load16_lane(row + (load<i32>(places, 16) >> shift), pairs, 4);
  pairs = v128.load16_lane(row + (load<i32>(places, 20) >> shift), pairs, 5);
  pairs = v128.load16_lane(row + (load<i32>(places, 24) >> shift), pairs, 6);
  return v128.load16_lane(row + (load<i32>(places, 28) >> shift), pairs, 7);
}

/** Adds what a frame of I420 measures to the sums, and keeps its colours. */
export function measurePlanes(frame: usize, width: i32, height: i32): void {
  const chromaWidth = (width + 1) >> 1;
  const u0 = frame + width * height;
  const toV = chromaWidth * ((height + 1) >> 1);
  let kept = colours;
  for (let row = 0; row < rows; row++) {
    const table = rowTable + 12 * row;
    const above = load<i32>(table), below = load<i32>(table, 4), weight = load<i32>(table, 8);
    const isSame = above >> 1 == below >> 1;
    const ya = frame + above * width, yb = frame + below * width;
    const ua = u0 + (above >> 1) * chromaWidth, ub = u0 + (below >> 1) * chromaWidth;
    const down0 = i32x4.splat(weight), up0 = i32x4.splat(2048 - weight);
    startRow();
    for (let group = 0; group < groups; group++) {
      const places = columnPlaces + 32 * group;
      const w0 = v128.load(columnWeights + 32 * group), w1 = v128.load(columnWeights + 32 * group, 16);
      const mask = v128.load(columnMasks + 16 * group);
      let us = v128.swizzle(pairsAt(ua, places, 1), mask);
      let vs = v128.swizzle(pairsAt(ua + toV, places, 1), mask);
      let ul = centred(us), uh = i16x8.sub(i16x8.extend_high_i8x16_u(us), i16x8.splat(128));
      let vl = centred(vs), vh = i16x8.sub(i16x8.extend_high_i8x16_u(vs), i16x8.splat(128));
      let rl = product(vl, vr1, vr0), rh = product(vh, vr1, vr0);
      let gl = i16x8.add(product(ul, ug1, ug0), product(vl, vg1, vg0)), gh = i16x8.add(product(uh, ug1, ug0), product(vh, vg1, vg0));
      let bl = product(ul, ub1, ub0), bh = product(uh, ub1, ub0);
      let ys = pairsAt(ya, places, 0);
      let yl = product(i16x8.sub(i16x8.extend_low_i8x16_u(ys), black), yy1, yy0);
      let yh = product(i16x8.sub(i16x8.extend_high_i8x16_u(ys), black), yy1, yy0);
      const r0 = across(toByte(i16x8.add(yl, rl)), w0), r1 = across(toByte(i16x8.add(yh, rh)), w1);
      const g0 = across(toByte(i16x8.add(yl, gl)), w0), g1 = across(toByte(i16x8.add(yh, gh)), w1);
      const b0 = across(toByte(i16x8.add(yl, bl)), w0), b1 = across(toByte(i16x8.add(yh, bh)), w1);
      if (!isSame) {
        us = v128.swizzle(pairsAt(ub, places, 1), mask);
        vs = v128.swizzle(pairsAt(ub + toV, places, 1), mask);
        ul = centred(us); uh = i16x8.sub(i16x8.extend_high_i8x16_u(us), i16x8.splat(128));
        vl = centred(vs); vh = i16x8.sub(i16x8.extend_high_i8x16_u(vs), i16x8.splat(128));
        rl = product(vl, vr1, vr0); rh = product(vh, vr1, vr0);
        gl = i16x8.add(product(ul, ug1, ug0), product(vl, vg1, vg0)); gh = i16x8.add(product(uh, ug1, ug0), product(vh, vg1, vg0));
        bl = product(ul, ub1, ub0); bh = product(uh, ub1, ub0);
      }
      ys = pairsAt(yb, places, 0);
      yl = product(i16x8.sub(i16x8.extend_low_i8x16_u(ys), black), yy1, yy0);
      yh = product(i16x8.sub(i16x8.extend_high_i8x16_u(ys), black), yy1, yy0);
      const r = i16x8.narrow_i32x4_s(down(r0, across(toByte(i16x8.add(yl, rl)), w0), up0, down0), down(r1, across(toByte(i16x8.add(yh, rh)), w1), up0, down0));
      const g = i16x8.narrow_i32x4_s(down(g0, across(toByte(i16x8.add(yl, gl)), w0), up0, down0), down(g1, across(toByte(i16x8.add(yh, gh)), w1), up0, down0));
      const b = i16x8.narrow_i32x4_s(down(b0, across(toByte(i16x8.add(yl, bl)), w0), up0, down0), down(b1, across(toByte(i16x8.add(yh, bh)), w1), up0, down0));
      compare(r, g, b, kept);
      kept += 48;
    }
    endRow();
  }
}

/** Two pixels of RGB at two places each: r r' r r' g g' g g' b b' b b' . . . . */
// @ts-ignore: decorator
@inline
function pixelsAt(row: usize, places: usize): v128 {
  const two = v128.load64_lane(row + 3 * load<i32>(places, 4), v128.load64_zero(row + 3 * load<i32>(places)), 1);
  return v128.shuffle<i8>(two, two, 0, 3, 8, 11, 1, 4, 9, 12, 2, 5, 10, 13, 0, 0, 0, 0);
}

/** The same of a frame of RGB. */
export function measureRgb(frame: usize, width: i32): void {
  let kept = colours;
  for (let row = 0; row < rows; row++) {
    const table = rowTable + 12 * row;
    const ya = frame + load<i32>(table) * width * 3, yb = frame + load<i32>(table, 4) * width * 3;
    const weight = load<i32>(table, 8);
    const down0 = i32x4.splat(weight), up0 = i32x4.splat(2048 - weight);
    startRow();
    for (let group = 0; group < groups; group++) {
      const places = columnPlaces + 32 * group;
      const w0 = v128.load(columnWeights + 32 * group), w1 = v128.load(columnWeights + 32 * group, 16);
      const a0 = pixelsAt(ya, places), a1 = pixelsAt(ya, places + 8), a2 = pixelsAt(ya, places + 16), a3 = pixelsAt(ya, places + 24);
      const b0 = pixelsAt(yb, places), b1 = pixelsAt(yb, places + 8), b2 = pixelsAt(yb, places + 16), b3 = pixelsAt(yb, places + 24);
      const r = i16x8.narrow_i32x4_s(
        down(across(fours(a0, a1, 0), w0), across(fours(b0, b1, 0), w0), up0, down0),
        down(across(fours(a2, a3, 0), w1), across(fours(b2, b3, 0), w1), up0, down0));
      const g = i16x8.narrow_i32x4_s(
        down(across(fours(a0, a1, 1), w0), across(fours(b0, b1, 1), w0), up0, down0),
        down(across(fours(a2, a3, 1), w1), across(fours(b2, b3, 1), w1), up0, down0));
      const b = i16x8.narrow_i32x4_s(
        down(across(fours(a0, a1, 2), w0), across(fours(b0, b1, 2), w0), up0, down0),
        down(across(fours(a2, a3, 2), w1), across(fours(b2, b3, 2), w1), up0, down0));
      compare(r, g, b, kept);
      kept += 48;
    }
    endRow();
  }
}

/** One channel of two and two pixels, in 16 bits. */
// @ts-ignore: decorator
@inline
function fours(first: v128, second: v128, channel: i32): v128 {
  if (channel == 0) return i16x8.extend_low_i8x16_u(v128.shuffle<i32>(first, second, 0, 4, 0, 4));
  if (channel == 1) return i16x8.extend_low_i8x16_u(v128.shuffle<i32>(first, second, 1, 5, 1, 5));
  return i16x8.extend_low_i8x16_u(v128.shuffle<i32>(first, second, 2, 6, 2, 6));
}
