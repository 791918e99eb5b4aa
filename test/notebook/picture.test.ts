/** Small pictures for cells. */
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/base/errors.ts';
import { imageTag, type ShownImage, smallPicture } from '../../src/notebook/picture.ts';
import { repositoryRoot } from '../paths.ts';

const photo = join(repositoryRoot, 'samples/cat.jpg');

function bytesOf({ address }: ShownImage): Buffer {
  const [head, data] = address.split(',');
  expect(head).toBe('data:image/jpeg;base64');
  return Buffer.from(data, 'base64');
}

/** The mean of what two pictures of one size differ by, of 255. */
async function difference(a: Buffer, b: Buffer): Promise<number> {
  const [first, second] = await Promise.all([a, b].map((x) => sharp(x).raw().toBuffer()));
  expect(first.length).toBe(second.length);
  return first.reduce((sum, x, i) => sum + Math.abs(x - second[i]), 0) / first.length;
}

describe('a small picture', () => {
  it('is the picture, of the size asked for, by its name', async () => {
    const small = await smallPicture(photo, { size: 96 });
    const bytes = bytesOf(small);
    expect(bytes.length).toBeLessThan(6000);
    const { width, height } = await sharp(bytes).metadata();
    expect(Math.max(width, height)).toBe(96);
    const expected = sharp(photo).resize(width, height).png();
    const itself = await difference(bytes, await expected.clone().toBuffer());
    expect(itself).toBeLessThan(0.2 * (await difference(bytes, await expected.flip().toBuffer())));
    expect(small.description).toBe('cat.jpg');
  });

  it('has its description in HTML, apart from markup', async () => {
    const small = await smallPicture(photo, { size: 8, description: 'a "striped" <cat>' });
    expect(imageTag(small)).toBe(
      `<img src="${small.address}" alt="a &quot;striped&quot; &lt;cat&gt;">`,
    );
  });

  it('of what is none says so', async () => {
    await expect(smallPicture(join(repositoryRoot, 'NOTICE'))).rejects.toThrow(InputError);
  });
});
