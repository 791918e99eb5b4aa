/** Checks image decoding and resampling against a folder of pictures and what Pillow made of them. */
import { join } from 'node:path';
import { z } from 'zod';
import { blipPreprocessing, createPreprocessor, decodeImage } from '../src/data/index.ts';
import { readCases } from './read-cases.ts';

const casesSchema = z.array(
  z.looseObject({ input: z.string(), size: z.int().positive(), expected: z.string() }),
);

/**
 * Runs every case of DIR/cases.json: `input` squashed to `size` x `size` must equal the picture
 * `expected` in every byte. Prints a row a case.
 * @returns 0 if all agree, 1 if some do not or cannot be read, 2 without a path.
 */
export async function run([folder]: readonly string[]): Promise<number> {
  if (folder === undefined) {
    console.error('Usage: npm run verify -- preprocess FOLDER');
    return 2;
  }
  const file = join(folder, 'cases.json');
  const cases = await readCases(file, casesSchema);
  if (cases === undefined) return 1;
  let failures = 0;
  for (const { input, size, expected } of cases) {
    const verdict = await compare(join(folder, input), size, join(folder, expected));
    if (verdict !== 'equal') failures++;
    console.log(`${input.padEnd(28)} ${String(size).padStart(5)}  ${verdict}`);
  }
  console.log(`preprocess: ${cases.length - failures} of ${cases.length} equal`);
  return failures === 0 && cases.length > 0 ? 0 : 1;
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
