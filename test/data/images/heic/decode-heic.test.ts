/** HEIC pictures against heif-convert: layouts, rotation, colours; what is cut, missing or too large. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type DecodedImage,
  decodeImage,
  readImageSize,
} from '../../../../src/data/images/decode.ts';
import { perceptualHash } from '../../../../src/data/images/perceptual-hash.ts';
import { hasHeifTools } from '../../../metadata/embed/encoders.ts';
import { fixtures, repositoryRoot } from '../../../paths.ts';
import {
  type Coded,
  type Composition,
  clap,
  codedPicture,
  compose,
  gridOf,
  icc,
  imir,
  irot,
  ispe,
  nclx,
  overlaysOf,
} from './container.ts';
import { convertHeic, encodeHeic } from './heif-tools.ts';

const folder = mkdtempSync(join(tmpdir(), 'refcap-heic-'));
afterAll(() => rmSync(folder, { recursive: true }));

const photo = (width: number, height: number) =>
  sharp(join(repositoryRoot, 'samples/parrot.jpg')).resize(width, height);

/** The largest difference of a level, and how many of all levels differ. */
function difference(a: DecodedImage, b: DecodedImage): { most: number; share: number } {
  expect([a.width, a.height]).toEqual([b.width, b.height]);
  let most = 0;
  let count = 0;
  for (const [i, value] of a.data.entries()) {
    if (value !== b.data[i]) count += 1;
    most = Math.max(most, Math.abs(value - b.data[i]));
  }
  return { most, share: count / a.data.length };
}

describe.skipIf(!hasHeifTools)('what heif-enc makes', () => {
  const jpeg = () => photo(160, 96).jpeg({ chromaSubsampling: '4:4:4', quality: 95 });
  const png = () => photo(161, 97).png();
  const cases: Record<string, [() => Promise<Buffer>, string[], most?: number]> = {
    '4:4:4': [() => png().toBuffer(), ['-p', 'chroma=444']],
    'without loss': [() => png().toBuffer(), ['-L', '-p', 'chroma=444', '--matrix_coefficients=0']],
    '4:2:2 of 10 bits, as cameras have it': [
      () => photo(160, 96).toColourspace('rgb16').png().toBuffer(),
      ['-b', '10', '-p', 'chroma=422'],
      1,
    ],
    '4:2:2': [() => png().toBuffer(), ['-p', 'chroma=422']],
    grey: [() => photo(160, 96).toColourspace('b-w').png().toBuffer(), []],
    // Where chroma is coarser, libheif 1.15 computes RGB in whole numbers, of which some are a level lower.
    '4:2:0': [() => png().toBuffer(), [], 1],
    'BT.709, studio range': [
      () => png().toBuffer(),
      ['--matrix_coefficients=1', '--full_range_flag=0'],
      1,
    ],
    transparency: [() => photo(160, 96).ensureAlpha(0.5).png().toBuffer(), ['-t', '32'], 1],
    '10 bits': [
      () => photo(160, 96).toColourspace('rgb16').png().toBuffer(),
      ['-b', '10', '-p', 'chroma=444'],
    ],
    '12 bits': [
      () => photo(160, 96).toColourspace('rgb16').png().toBuffer(),
      ['-b', '12', '-p', 'chroma=444'],
    ],
    'a profile, with EXIF': [() => jpeg().withIccProfile('p3').toBuffer(), ['-p', 'chroma=444']],
    'an orientation in EXIF alone': [
      () => photo(160, 96).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
      [],
      1,
    ],
  };
  for (const [name, [make, options, most = 0]] of Object.entries(cases))
    it(`has heif-convert's pixels: ${name}`, async () => {
      const heic = encodeHeic(folder, await make(), ...options);
      const image = await decodeImage(heic);
      expect(image.format).toBe('HEIC');
      const found = difference(image, await decodeImage(convertHeic(folder, heic)));
      expect(found.most).toBeLessThanOrEqual(most);
      expect(found.share).toBeLessThan(0.05);
      const { width, height } = image;
      expect(await readImageSize(heic)).toEqual({ width, height });
    });

  it('divides colours by alpha that were multiplied by it', async () => {
    const { width, height, data } = await decodeImage(await photo(160, 96).png().toBuffer());
    const [whole, halved] = [0, 1].map(() => Buffer.alloc(width * height * 4, 128));
    for (const [i, value] of data.entries()) {
      const at = 4 * Math.floor(i / 3) + (i % 3);
      whole[at] = value;
      halved[at] = Math.round((value * 128) / 255);
    }
    const png = await sharp(halved, { raw: { width, height, channels: 4 } })
      .png()
      .toBuffer();
    const options = ['-L', '-p', 'chroma=444', '--matrix_coefficients=0'];
    const multiplied = encodeHeic(folder, png, '--premultiplied-alpha', ...options);
    const straight = await photo(160, 96)
      .ensureAlpha(128 / 255)
      .png()
      .toBuffer();
    const found = difference(await decodeImage(multiplied), await decodeImage(straight));
    // Of halved colours the lowest bit is lost, and heif-enc codes them to within a level.
    expect(found.most).toBeLessThanOrEqual(2);
  });

  it('takes wide colours that are told by numbers to sRGB, as by a profile', async () => {
    const png = await photo(160, 96).png().toBuffer();
    const { hvcC, data } = codedPicture(encodeHeic(folder, png, '-p', 'chroma=444'));
    const withColours = (...colours: Buffer[]) =>
      decodeImage(
        compose({ items: [{ type: 'hvc1', data, properties: [hvcC, ispe(160, 96), ...colours] }] }),
      );
    const plain = await withColours();
    for (const srgb of [nclx(1, 13), nclx(2, 2), nclx(6, 6)])
      expect(difference(await withColours(srgb), plain).most).toBe(0);
    const wide = await withColours(nclx(12, 13));
    expect(difference(wide, plain).most).toBeGreaterThan(15);
    expect(
      difference(wide, { ...plain, data: displayP3ToSrgb(plain.data) }).most,
    ).toBeLessThanOrEqual(1);
    const tagged = await photo(8, 8).withIccProfile('srgb').png().toBuffer();
    const profile = (await sharp(tagged).metadata()).icc ?? Buffer.alloc(0);
    // A profile comes before numbers.
    expect(difference(await withColours(nclx(12, 13), icc(profile)), plain).most).toBe(0);
  });
});

/** By the matrix that CSS Color 4 publishes. */
function displayP3ToSrgb(data: Uint8Array): Uint8Array {
  const light = (level: number) =>
    level <= 0.04045 * 255 ? level / 255 / 12.92 : ((level / 255 + 0.055) / 1.055) ** 2.4;
  const level = (one: number) => {
    const cut = Math.min(1, Math.max(0, one));
    return Math.round(255 * (cut <= 0.0031308 ? 12.92 * cut : 1.055 * cut ** (1 / 2.4) - 0.055));
  };
  const rows = [
    [1.2249401762805587, -0.22494017628055996, 0],
    [-0.042056954709688163, 1.0420569547096881, 0],
    [-0.019637554590334432, -0.078636045550631889, 1.0982736001409663],
  ];
  const converted = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 3) {
    const colour = [...data.subarray(i, i + 3)].map(light);
    for (const [c, row] of rows.entries())
      converted[i + c] = level(row[0] * colour[0] + row[1] * colour[1] + row[2] * colour[2]);
  }
  return converted;
}

describe.skipIf(!hasHeifTools)('what phones make', () => {
  const tiles: Coded[] = [];
  const layouts: Record<string, () => Composition> = {
    'a grid': () => gridOf(tiles, [2, 2], [120, 100]),
    'a grid, turned left': () => gridOf(tiles, [2, 2], [120, 100], [irot(1)]),
    'a grid, turned right': () => gridOf(tiles, [2, 2], [120, 100], [irot(3)]),
    'a grid, upside down': () => gridOf(tiles, [2, 2], [120, 100], [irot(2)]),
    'left and right changed': () => gridOf(tiles, [4, 1], [256, 60], [imir(0)]),
    'turned, then top and bottom changed': () =>
      gridOf(tiles, [1, 4], [64, 250], [irot(1), imir(1)]),
    'cut, then turned': () => gridOf(tiles, [2, 2], [128, 128], [clap(100, 80), irot(1)]),
  };
  beforeAll(async () => {
    for (const [left, top] of [
      [0, 0],
      [64, 0],
      [0, 64],
      [64, 64],
    ]) {
      const tile = await photo(128, 128).extract({ left, top, width: 64, height: 64 }).png();
      const heic = encodeHeic(folder, await tile.toBuffer(), '-p', 'chroma=444');
      tiles.push(codedPicture(heic));
    }
  });

  for (const [name, layout] of Object.entries(layouts))
    it(`has heif-convert's pixels: ${name}`, async () => {
      const heic = compose(layout());
      const image = await decodeImage(heic);
      expect(difference(image, await decodeImage(convertHeic(folder, heic))).most).toBe(0);
      const { width, height } = image;
      expect(await readImageSize(heic)).toEqual({ width, height });
    });

  it('is turned once: what EXIF says is for those that do not read the rest', async () => {
    const plain = gridOf(tiles, [2, 2], [120, 100], [irot(3)]);
    const exif = await photo(8, 8).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    const start = exif.indexOf('Exif\0\0', 0, 'latin1');
    const data = Buffer.concat([Buffer.of(0, 0, 0, 6), exif.subarray(start, start + 200)]);
    const id = plain.items.length + 1;
    const heic = compose({
      items: [...plain.items, { type: 'Exif', data }],
      references: [...(plain.references ?? []), ['cdsc', id, 1]],
    });
    const image = await decodeImage(heic);
    expect([image.width, image.height]).toEqual([100, 120]);
    expect(difference(image, await decodeImage(compose(plain))).most).toBe(0);
  });

  it('is refused where a tile is missing or cut', async () => {
    const layout = gridOf(tiles, [2, 2], [128, 128]);
    const [whole, ...items] = layout.items;
    const failure = (composition: Composition) =>
      expect(decodeImage(compose(composition), { name: 'x.heic' })).rejects;
    await failure({ ...layout, references: [['dimg', 1, 2, 3, 4]] }).toThrow(
      /^x\.heic: the HEIC is cut off, damaged or of a rare kind \(.*\); save or copy it anew\.$/,
    );
    await failure({ ...layout, references: [['dimg', 1, 2, 3, 4, 9]] }).toThrow(
      /^x\.heic: the HEIC/,
    );
    const cut = items.map((item, i) =>
      i === 2 ? { ...item, data: item.data.subarray(0, item.data.length >> 1) } : item,
    );
    await failure({ ...layout, items: [whole, ...cut] }).toThrow(/^x\.heic: the HEIC is cut off/);
  });

  it('is refused before a pixel is decoded where it is too large, or says less than it is', async () => {
    const vast = compose(
      gridOf(
        Array(256 * 256)
          .fill(tiles[0])
          .slice(0, 4),
        [2, 2],
        [60_000, 60_000],
      ),
    );
    await expect(decodeImage(vast, { name: 'x.heic' })).rejects.toThrow(
      /^x\.heic: 60000 x 60000 pixels are more than the limit of 268,435,456\.$/,
    );
    const heic = compose(gridOf(tiles, [2, 2], [128, 128]));
    await expect(decodeImage(heic, { maxPixels: 128 * 128 - 1 })).rejects.toThrow(
      /limit of 16,383/,
    );
    expect((await decodeImage(heic, { maxPixels: 128 * 128 })).width).toBe(128);
    const hidden = compose(gridOf(Array(256).fill(tiles[0]), [16, 16], [100, 100]));
    await expect(decodeImage(hidden)).rejects.toThrow(/\(it has more tiles than are seen\)/);
    await expect(decodeImage(compose(overlaysOf(tiles[0], 3)))).rejects.toThrow(
      /\(it has more parts than are seen\)/,
    );
    const few = compose(overlaysOf(tiles[0], 1));
    const overlaid = await decodeImage(few);
    expect(difference(overlaid, await decodeImage(convertHeic(folder, few))).most).toBe(0);
    const [{ hvcC, data }] = tiles;
    const less = compose({ items: [{ type: 'hvc1', data, properties: [hvcC, ispe(8, 8)] }] });
    await expect(decodeImage(less)).rejects.toThrow(/HEIC is cut off, damaged/);
  });
});

describe('a photo as phones write it', () => {
  const file = join(fixtures, 'heic/phone.heic');
  const heic = readFileSync(file);

  it('has the pixels that pillow-heif gave', async () => {
    const image = await decodeImage(file);
    expect([image.width, image.height]).toEqual([100, 120]);
    const reference = await decodeImage(join(fixtures, 'heic/phone.png'));
    expect(difference(image, reference).most).toBe(0);
    expect(await readImageSize(file)).toEqual({ width: 100, height: 120 });
  });

  it('is read under any name, and named where that is another', async () => {
    const warnings: string[] = [];
    const read = (name: string) =>
      decodeImage(heic, { name, onWarning: (one) => warnings.push(one) });
    for (const name of ['a.HEIC', 'a.heif', 'a.hif', 'a.jpg']) await read(name);
    expect(warnings).toEqual(['a.jpg: named as JPEG but the content is HEIC, read as that.']);
  });

  it('looks like its PNG', async () => {
    const [a, b] = await Promise.all([
      perceptualHash(file),
      perceptualHash(join(fixtures, 'heic/phone.png')),
    ]);
    const bits = [...(a ^ b).toString(2)].filter((bit) => bit === '1').length;
    expect(bits).toBeLessThanOrEqual(2);
  });

  it('is refused where it is cut, at any place', async () => {
    for (const share of [0.1, 0.3, 0.5, 0.7, 0.9, 0.99]) {
      const cut = heic.subarray(0, Math.floor(heic.length * share));
      await expect(decodeImage(cut, { name: 'x.heic' })).rejects.toThrow(
        /^x\.heic: the HEIC is cut off, damaged or of a rare kind \(.+\); save or copy it anew\.$/,
      );
    }
    const zeros = Buffer.concat([
      heic.subarray(0, heic.length >> 1),
      Buffer.alloc(heic.length >> 1),
    ]);
    await expect(decodeImage(zeros)).rejects.toThrow(/HEIC is cut off/);
  });

  it('is decoded many at a time, and after broken ones', async () => {
    const first = await decodeImage(heic);
    const all = await Promise.all(
      Array.from({ length: 24 }, (_, i) =>
        decodeImage(i % 3 === 0 ? heic.subarray(0, 3000) : heic).catch(() => undefined),
      ),
    );
    for (const [i, image] of all.entries())
      if (i % 3 === 0) expect(image).toBeUndefined();
      else expect(Buffer.compare(image?.data ?? Buffer.alloc(0), first.data)).toBe(0);
  });

  it('stops where it is no longer wanted', async () => {
    const stop = new AbortController();
    const decoding = decodeImage(heic, { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(decoding).rejects.toThrow('enough');
  });
});
