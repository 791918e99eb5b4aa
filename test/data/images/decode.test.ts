/** Decoding: every format to the same pixels, orientation, colours, transparency. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readImageSize } from '../../../src/data/images/decode.ts';
import { isSrgbProfile } from '../../../src/data/images/icc.ts';
import { decodeImage, type RgbImage } from '../../../src/data/index.ts';
import { cmykTiff, flatPicture, pngFile, raw, samplePicture } from '../picture.ts';

const picture = samplePicture(31, 23);
const encode = (image: RgbImage = picture) => sharp(image.data, raw(image));
const bytes = (image: RgbImage) => Buffer.from(image.data);

/** Mean and largest absolute difference. */
function distance(a: RgbImage, b: RgbImage): { mean: number; max: number } {
  expect([a.width, a.height]).toEqual([b.width, b.height]);
  let sum = 0;
  let max = 0;
  for (let i = 0; i < a.data.length; i++) {
    const difference = Math.abs(a.data[i] - b.data[i]);
    sum += difference;
    max = Math.max(max, difference);
  }
  return { mean: sum / a.data.length, max };
}

describe('formats', () => {
  const lossless = {
    PNG: () => encode().png(),
    WebP: () => encode().webp({ lossless: true }),
    TIFF: () => encode().tiff({ compression: 'none' }),
    'TIFF, deflate': () => encode().tiff({ compression: 'deflate', predictor: 'horizontal' }),
    'TIFF, LZW': () => encode().tiff({ compression: 'lzw' }),
    'PNG, interlaced': () => encode().png({ progressive: true }),
    'PNG, 16 bits': () => encode().toColourspace('rgb16').png(),
  };
  for (const [name, make] of Object.entries(lossless))
    it(`decodes ${name} to the same pixels`, async () => {
      const image = await decodeImage(await make().toBuffer());
      expect(image.format).toBe(name.split(',')[0]);
      expect(bytes(image).equals(bytes(picture))).toBe(true);
    });

  const lossy = {
    JPEG: () => encode().jpeg({ quality: 100, chromaSubsampling: '4:4:4' }),
    AVIF: () => encode().avif({ quality: 95, chromaSubsampling: '4:4:4' }),
    WebP: () => encode().webp({ quality: 100 }),
  };
  for (const [name, make] of Object.entries(lossy))
    it(`decodes lossy ${name} to nearly the same pixels`, async () => {
      const image = await decodeImage(await make().toBuffer());
      expect(image.format).toBe(name);
      expect(distance(image, picture).mean).toBeLessThan(6);
    });

  it('decodes palettes', async () => {
    const flat = flatPicture(20, 20);
    for (const file of [
      await encode(flat).png({ palette: true }).toBuffer(),
      await encode(flat).gif().toBuffer(),
    ])
      expect(distance(await decodeImage(file), flat).max).toBeLessThanOrEqual(2);
  });

  it('takes the first frame of an animation', async () => {
    const other = samplePicture(31, 23);
    other.data.fill(9);
    const stacked = sharp(Buffer.concat([picture.data, other.data]), {
      raw: { width: 31, height: 46, channels: 3, pageHeight: 23 },
    });
    const image = await decodeImage(await stacked.webp({ lossless: true }).toBuffer());
    expect(bytes(image).equals(bytes(picture))).toBe(true);
  });

  it('repeats grey and stretches one bit', async () => {
    const grey = Uint8Array.from([0, 0, 77, 255]); // filter byte, then three pixels
    const eight = await decodeImage(pngFile(3, 1, 8, 0, grey));
    expect([...eight.data]).toEqual([0, 0, 0, 77, 77, 77, 255, 255, 255]);
    const one = await decodeImage(pngFile(3, 1, 1, 0, Uint8Array.from([0, 0b10100000])));
    expect([...one.data]).toEqual([255, 255, 255, 0, 0, 0, 255, 255, 255]);
  });

  it('cuts 16 bits to their upper 8', async () => {
    const rows = Uint8Array.from([0, 0x12, 0xff, 0xab, 0x00, 0xfe, 0x80]);
    const grey = await decodeImage(pngFile(3, 1, 16, 0, rows));
    expect([...grey.data]).toEqual([0x12, 0x12, 0x12, 0xab, 0xab, 0xab, 0xfe, 0xfe, 0xfe]);
    const colour = await decodeImage(pngFile(1, 1, 16, 2, rows));
    expect([...colour.data]).toEqual([0x12, 0xab, 0xfe]);
  });
});

describe('orientation', () => {
  /** Where the pixel (x, y) of the upright picture is stored, by EXIF value. */
  const stored: Record<number, (x: number, y: number, w: number, h: number) => [number, number]> = {
    1: (x, y) => [x, y],
    2: (x, y, w) => [w - 1 - x, y],
    3: (x, y, w, h) => [w - 1 - x, h - 1 - y],
    4: (x, y, _, h) => [x, h - 1 - y],
    5: (x, y) => [y, x],
    6: (x, y, w) => [y, w - 1 - x],
    7: (x, y, w, h) => [h - 1 - y, w - 1 - x],
    8: (x, y, _, h) => [h - 1 - y, x],
  };
  for (const [value, place] of Object.entries(stored))
    it(`applies EXIF value ${value}`, async () => {
      const { width, height, data } = picture;
      const turned = Number(value) > 4;
      const [w, h] = turned ? [height, width] : [width, height];
      const pixels = new Uint8Array(data.length);
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
          const [sx, sy] = place(x, y, width, height);
          for (let c = 0; c < 3; c++) pixels[(sy * w + sx) * 3 + c] = data[(y * width + x) * 3 + c];
        }
      const file = encode({ width: w, height: h, data: pixels });
      for (const made of [
        file
          .clone()
          .withMetadata({ orientation: Number(value) })
          .png(),
        file
          .clone()
          .withMetadata({ orientation: Number(value) })
          .tiff({ compression: 'lzw' }),
      ]) {
        const image = await decodeImage(await made.toBuffer());
        const { width: across, height: down } = await readImageSize(await made.toBuffer());
        expect([across, down]).toEqual([width, height]);
        expect([image.width, image.height]).toEqual([width, height]);
        expect(bytes(image).equals(bytes(picture))).toBe(true);
      }
    });
});

describe('colour', () => {
  it('converts Display P3 to sRGB, with 8 and 16 bits and with transparency', async () => {
    for (const source of [encode(), encode().toColourspace('rgb16'), encode().ensureAlpha(1)]) {
      const file = await source.withIccProfile('p3').png().toBuffer();
      const asStored = await sharp(file, { ignoreIcc: true })
        .toColourspace('srgb')
        .removeAlpha()
        .raw()
        .toBuffer();
      expect(distance({ ...picture, data: asStored }, picture).mean).toBeGreaterThan(3);
      // Not zero: the file's 8 bits are coarse where the picture is dark.
      expect(distance(await decodeImage(file), picture).mean).toBeLessThan(0.8);
    }
  });

  it('leaves pixels tagged as sRGB as they are', async () => {
    const file = await encode().withIccProfile('srgb').png().toBuffer();
    const { icc } = await sharp(file).metadata();
    expect(icc && isSrgbProfile(icc)).toBe(true);
    expect(bytes(await decodeImage(file)).equals(bytes(picture))).toBe(true);
  });

  it('does not take other or broken profiles for sRGB', async () => {
    const { icc } = await sharp(await encode().withIccProfile('p3').png().toBuffer()).metadata();
    expect(icc && isSrgbProfile(icc)).toBe(false);
    const srgb = (await sharp(await encode().withIccProfile('srgb').png().toBuffer()).metadata())
      .icc;
    for (const length of [0, 20, 130, 200])
      expect(isSrgbProfile(srgb?.subarray(0, length) ?? Buffer.alloc(0))).toBe(false);
  });

  it('converts untagged CMYK as Pillow does', async () => {
    // Pillow 13: Image.frombytes('CMYK', (4, 1), ...).convert('RGB')
    const inks = Uint8Array.from([0, 0, 0, 0, 255, 0, 0, 0, 10, 200, 77, 30, 128, 128, 128, 128]);
    const image = await decodeImage(cmykTiff(4, 1, inks));
    expect([...image.data]).toEqual([255, 255, 255, 0, 255, 255, 216, 49, 157, 63, 63, 63]);
  });

  it('converts CMYK with a profile through the profile', async () => {
    const muted = { ...picture, data: picture.data.map((value) => 96 + (value >> 2)) };
    const file = await encode(muted)
      .toColourspace('cmyk')
      .withIccProfile('cmyk')
      .tiff({ compression: 'lzw' })
      .toBuffer();
    const inks = await sharp(file)
      .pipelineColourspace('cmyk')
      .toColourspace('cmyk')
      .raw()
      .toBuffer();
    const untagged = await decodeImage(cmykTiff(muted.width, muted.height, inks));
    const tagged = await decodeImage(file);
    expect(distance(tagged, muted).mean).toBeLessThan(8);
    expect(distance(untagged, muted).mean).toBeGreaterThan(16);
  });

  it('lays transparency over white', async () => {
    const pixels = Uint8Array.from([0, 200, 0, 0, 0, 200, 0, 255, 0, 0, 0, 51]);
    const rgba = sharp(pixels, { raw: { width: 3, height: 1, channels: 4 } });
    for (const file of [
      rgba.clone().png(),
      rgba.clone().webp({ lossless: true, exact: true }),
      rgba.clone().tiff({ compression: 'lzw' }),
    ]) {
      const { data } = await decodeImage(await file.toBuffer());
      expect([...data]).toEqual([255, 255, 255, 0, 200, 0, 204, 204, 204]);
    }
    const grey = await decodeImage(pngFile(2, 1, 8, 4, Uint8Array.from([0, 0, 0, 7, 255])));
    expect([...grey.data]).toEqual([255, 255, 255, 7, 7, 7]);
  });
});

describe('a path', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'refcap-image-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('is read like bytes, and the wrong extension is only remarked upon', async () => {
    const path = join(folder, 'photo.jpg');
    await writeFile(path, await encode().png().toBuffer());
    const warnings: string[] = [];
    const image = await decodeImage(path, { onWarning: (sentence) => warnings.push(sentence) });
    expect(bytes(image).equals(bytes(picture))).toBe(true);
    expect(warnings).toEqual([`${path}: named as JPEG but the content is PNG, read as that.`]);
  });

  it('that is missing or a folder gives one sentence', async () => {
    await expect(decodeImage(join(folder, 'none.jpg'))).rejects.toThrow(
      /none\.jpg: there is no such file\.$/,
    );
    await expect(decodeImage(folder)).rejects.toThrow(/this is a folder, not an image\.$/);
  });

  it.skipIf(process.platform === 'win32')('that is a pipe is not waited for', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe.jpg')]);
    await expect(decodeImage(join(folder, 'pipe.jpg'))).rejects.toThrow(/not a regular file\.$/);
  });
});
