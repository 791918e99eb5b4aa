/** Pictures of every kind to the pixels that Pillow reads, or to one sentence. Files and pixels: programs/pillow.py. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { decodeImage } from '../../../src/data/index.ts';
import { fixtures } from '../../paths.ts';

const bytes = z.base64().transform((text) => Buffer.from(text, 'base64'));
const cases = z
  .array(
    z.object({
      name: z.string(),
      format: z.enum(['BMP', 'TIFF', 'JPEG']),
      width: z.number(),
      height: z.number(),
      file: bytes,
      pixels: bytes.optional(),
      refusal: z.string().optional(),
    }),
  )
  .parse(JSON.parse(readFileSync(join(fixtures, 'images/pillow.json'), 'utf8')));

describe('the pixels of Pillow', () => {
  for (const { name, format, width, height, file, pixels } of cases)
    if (pixels)
      it(`${format}, ${name}`, async () => {
        const image = await decodeImage(file);
        expect([image.format, image.width, image.height]).toEqual([format, width, height]);
        // Where alpha is blended, Pillow rounds and libvips rounds down.
        const most = name.includes('alpha') ? 1 : 0;
        const off = [...image.data].filter((value, i) => Math.abs(value - pixels[i]) > most);
        expect(off.length).toBe(0);
      });
});

describe('what is not read', () => {
  for (const { name, format, file, refusal } of cases)
    if (refusal)
      it(`${format}, ${name}: one sentence`, async () => {
        const message = await decodeImage(file, { name: 'it' }).then(
          () => 'read',
          (error: unknown) => (error instanceof Error ? error.message : ''),
        );
        expect(message).toContain(refusal);
        expect(message.startsWith(`it: `)).toBe(true);
      });
});

describe('BMP', () => {
  const find = (name: string) =>
    cases.find((one) => one.format === 'BMP' && one.name === name)?.file;

  it('takes an alpha of zeros everywhere for none', async () => {
    const file = Buffer.from(find('32 bits, alpha, header of 124') ?? []);
    for (let at = file.readUInt32LE(10) + 3; at < file.length; at += 4) file[at] = 0;
    const plain = await decodeImage(Buffer.from(find('24 bits') ?? []));
    expect([...(await decodeImage(file)).data]).toEqual([...plain.data]);
  });

  it('is refused over the limit of pixels before a pixel is decoded', async () => {
    const file = Buffer.from(find('24 bits') ?? []);
    file.writeInt32LE(100_000, 18);
    file.writeInt32LE(100_000, 22);
    await expect(decodeImage(file)).rejects.toThrow(/100000 x 100000 pixels are more than/);
  });

  it('is not taken for one by two letters', async () => {
    await expect(decodeImage(Buffer.from('BMW drives past a house, in a text'))).rejects.toThrow(
      /the file is text, not a JPEG, PNG, WebP, AVIF, HEIC, GIF, TIFF or BMP image/,
    );
  });
});
