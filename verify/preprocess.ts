/** Checks image decoding and resampling against a folder of pictures and what Pillow made of them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { blipPreprocessing, createPreprocessor, decodeImage } from '../src/data/index.ts';

const casesSchema = z.array(
  z.looseObject({ input: z.string(), size: z.int().positive(), expected: z.string() }),
);

/**
 * Runs every case of DIR/cases.json: `input` squashed to `size` x `size` must equal the picture
 * `expected` in every byte. Prints a row a case.
 * @returns whether all agree.
 */
export async function verify(folder: string): Promise<boolean> {
  const cases = casesSchema.parse(JSON.parse(await readFile(join(folder, 'cases.json'), 'utf8')));
  let failures = 0;
  for (const { input, size, expected } of cases) {
    const verdict = await compare(join(folder, input), size, join(folder, expected));
    if (verdict !== 'equal') failures++;
    console.log(`${input.padEnd(28)} ${String(size).padStart(5)}  ${verdict}`);
  }
  console.log(`preprocess: ${cases.length - failures} of ${cases.length} equal`);
  return failures === 0 && cases.length > 0;
}

async function compare(input: string, size: number, expected: string): Promise<string> {
  try {
    const reference = await decodeImage(expected);
    const actual = createPreprocessor(blipPreprocessing(size)).resize(await decodeImage(input));
    if (actual.width !== reference.width || actual.height !== reference.height)
      return `${actual.width} x ${actual.height} where ${reference.width} x ${reference.height} is expected`;
    let different = 0;
    let largest = 0;
    for (let i = 0; i < reference.data.length; i++) {
      const difference = Math.abs(actual.data[i] - reference.data[i]);
      if (difference > 0) different++;
      largest = Math.max(largest, difference);
    }
    return different === 0 ? 'equal' : `${different} bytes differ, by up to ${largest}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
