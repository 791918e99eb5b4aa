/** Broken, oversized and foreign files: one sentence with the name, never a half-grey picture or a crash. */
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/base/errors.ts';
import { decodeImage, defaultMaxPixels } from '../../../src/data/index.ts';
import { pngFile, raw, samplePicture } from '../picture.ts';

const picture = samplePicture(64, 48);
const encoders = {
  JPEG: () => sharp(picture.data, raw(picture)).jpeg({ quality: 90 }),
  'progressive JPEG': () => sharp(picture.data, raw(picture)).jpeg({ progressive: true }),
  PNG: () => sharp(picture.data, raw(picture)).png({ compressionLevel: 1 }),
  WebP: () => sharp(picture.data, raw(picture)).webp(),
  AVIF: () => sharp(picture.data, raw(picture)).avif(),
  GIF: () => sharp(picture.data, raw(picture)).gif(),
  TIFF: () => sharp(picture.data, raw(picture)).tiff({ compression: 'none' }),
  'TIFF, LZW': () => sharp(picture.data, raw(picture)).tiff({ compression: 'lzw' }),
  'TIFF, JPEG': () => sharp(picture.data, raw(picture)).tiff({ compression: 'jpeg' }),
};

async function failure(bytes: Uint8Array, name = 'photo'): Promise<string> {
  try {
    await decodeImage(bytes, { name });
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return error instanceof Error ? error.message : '';
  }
  throw new Error('decoded without an error');
}

/** A sentence: the name first, one line, one full stop at the end. */
const sentence = /^photo[^\n]*: [^\n]+[^.]\.$/;

describe('a file cut off anywhere', () => {
  for (const [name, make] of Object.entries(encoders))
    it(`is refused: ${name}`, async () => {
      const whole = await make().toBuffer();
      await fc.assert(
        fc.asyncProperty(fc.double({ min: 0, max: 0.97, noNaN: true }), async (share) => {
          expect(await failure(whole.subarray(0, Math.floor(whole.length * share)))).toMatch(
            sentence,
          );
        }),
        { seed: 7, numRuns: 60 },
      );
    });

  it('is refused when the JPEG was closed after the cut', async () => {
    const whole = await encoders.JPEG().toBuffer();
    const closed = Buffer.concat([
      whole.subarray(0, whole.length * 0.7),
      Buffer.from([0xff, 0xd9]),
    ]);
    expect(await failure(closed)).toMatch(/photo: the JPEG is cut off, damaged/);
  });

  it('is refused when zeros took the place of the rest', async () => {
    for (const make of [encoders.JPEG, encoders.PNG, encoders['TIFF, LZW']]) {
      const whole = await make().toBuffer();
      expect(await failure(Buffer.from(whole).fill(0, Math.floor(whole.length * 0.6)))).toMatch(
        sentence,
      );
    }
  });
});

describe('a file with wrong bytes', () => {
  it('decodes or gives a sentence, and nothing else', async () => {
    const files = await Promise.all(Object.values(encoders).map((make) => make().toBuffer()));
    const edit = fc.tuple(
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      fc.integer({ min: 0, max: 255 }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...files),
        fc.array(edit, { minLength: 1, maxLength: 6 }),
        async (file, edits) => {
          const bytes = Buffer.from(file);
          for (const [place, value] of edits) bytes[Math.floor(place * bytes.length)] = value;
          try {
            const image = await decodeImage(bytes, { name: 'photo', maxPixels: 1_000_000 });
            expect(image.data.length).toBe(image.width * image.height * 3);
          } catch (error) {
            expect(error).toBeInstanceOf(InputError);
            expect(error instanceof Error ? error.message : '').toMatch(sentence);
          }
        },
      ),
      { seed: 11, numRuns: 400 },
    );
  });

  it('still decodes where no pixel is lost', async () => {
    const whole = await encoders.JPEG().toBuffer();
    const frame = whole.indexOf(Buffer.from([0xff, 0xc0]));
    const odd = Buffer.concat([whole.subarray(0, frame), Buffer.alloc(3), whole.subarray(frame)]);
    const trailing = Buffer.concat([whole, Buffer.from('added by a camera')]);
    const { data } = await decodeImage(whole);
    for (const file of [odd, trailing])
      expect(Buffer.from((await decodeImage(file)).data).equals(Buffer.from(data))).toBe(true);
  });
});

describe('limits', () => {
  it('refuse 60,000 x 60,000 pixels before decoding any', async () => {
    const bomb = pngFile(60000, 60000, 8, 2, Buffer.alloc(10));
    const start = performance.now();
    expect(await failure(bomb, 'bomb.png')).toBe(
      'bomb.png: 60000 x 60000 pixels are more than the limit of 268,435,456.',
    );
    expect(performance.now() - start).toBeLessThan(2000);
    expect(60000 * 60000).toBeGreaterThan(defaultMaxPixels);
  });

  it('can be set', async () => {
    const file = await encoders.PNG().toBuffer();
    await expect(decodeImage(file, { maxPixels: 64 * 48 - 1 })).rejects.toThrow(/64 x 48 pixels/);
    await expect(decodeImage(file, { maxBytes: file.length - 1 })).rejects.toThrow(
      /bytes are more than/,
    );
    const { width } = await decodeImage(file, { maxPixels: 64 * 48, maxBytes: file.length });
    expect(width).toBe(64);
  });
});

describe('a file that is no picture', () => {
  const cases: Record<string, [Uint8Array, RegExp]> = {
    'an empty file': [Buffer.alloc(0), /^photo\.jpg: the file is empty\.$/],
    text: [Buffer.from('just some notes'), /the file is text, not a JPEG/],
    'a web page': [Buffer.from('<!DOCTYPE html><html><body>404'), /is a web page/],
    zeros: [Buffer.alloc(5000), /is filled with zeros/],
    'a BMP of zeros': [Buffer.concat([Buffer.from('BM'), Buffer.alloc(60)]), /a header of 0 bytes/],
    'a HEIC of one box': [
      Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'),
      /the HEIC is cut off, damaged/,
    ],
    MP4: [Buffer.from('\0\0\0\x18ftypisom\0\0\0\0isommp42', 'latin1'), /is a video/],
    PDF: [Buffer.from('%PDF-1.7\n'), /is a PDF/],
    'random bytes': [Buffer.from([1, 2, 3, 250, 251, 252, 0, 9]), /of an unknown kind/],
  };
  for (const [name, [bytes, message]] of Object.entries(cases))
    it(`is named: ${name}`, async () => expect(await failure(bytes, 'photo.jpg')).toMatch(message));
});

describe('SVG', () => {
  const svg = Buffer.from(
    '\ufeff<?xml version="1.0"?>\n<!-- a --><svg xmlns="http://www.w3.org/2000/svg" width="4" height="2"><rect width="2" height="2" fill="#f00"/></svg>',
  );
  it('is refused, also under another name', async () => {
    expect(await failure(svg, 'photo.png')).toMatch(
      /photo\.png: SVG is refused unless it is asked for/,
    );
  });
  it('is drawn over white when asked for', async () => {
    const { data } = await decodeImage(svg, { allowSvg: true });
    expect([...data.subarray(0, 3), ...data.subarray(9, 12)]).toEqual([255, 0, 0, 255, 255, 255]);
  });
});

it('an aborted signal stops before decoding', async () => {
  const file = await encoders.PNG().toBuffer();
  await expect(decodeImage(file, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
});

it('many at once are judged each for itself', async () => {
  const pixels = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) % 256);
  const source = sharp(pixels, { raw: { width: 64, height: 64, channels: 3 } });
  const png = await source.png().toBuffer();
  const jpeg = await source.jpeg().toBuffer();
  // Stray bytes between two segments: odd, and no pixel is lost.
  const segment = 4 + jpeg.readUInt16BE(4);
  const odd = Buffer.concat([jpeg.subarray(0, segment), Buffer.of(1, 2), jpeg.subarray(segment)]);
  const halves = [png, jpeg].map((bytes) => bytes.subarray(0, bytes.length >> 1));
  const whole = await decodeImage(jpeg);
  const jobs = Array.from({ length: 150 }, async (_, i) => {
    const outcome = await decodeImage([odd, ...halves][i % 3], { name: `${i}` }).then(
      ({ data }) => Buffer.compare(data, whole.data),
      (error: Error) => error.message.slice(`${i}: `.length),
    );
    return [i % 3, outcome] as const;
  });
  const outcomes = await Promise.all(jobs);
  for (const kind of [0, 1, 2])
    expect(new Set(outcomes.flatMap(([k, outcome]) => (k === kind ? [outcome] : [])))).toEqual(
      new Set([
        [
          0,
          'the PNG is cut off, damaged or of a rare kind (libpng read error); save or copy it anew.',
          'the JPEG is cut off, damaged or of a rare kind (premature end of JPEG image); save or copy it anew.',
        ][kind],
      ]),
    );
});
