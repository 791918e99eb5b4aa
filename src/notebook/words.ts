/** An explanation in a cell: each word under the part of the picture that it comes from. */
import sharp from 'sharp';
import { decodeImage } from '../data/images/decode.ts';
import type { Explanation } from '../explain/explanation.ts';
import { veiledPicture } from '../explain/output/veiled.ts';
import { dependenceLevel } from '../explain/output/words.ts';
import type { Shown } from './shown.ts';
import { showTable, type TableCell } from './table.ts';

/** Pixels of a word's picture. */
const longest = 112;

/**
 * A row for each word: the picture, clear where the word comes from and dark elsewhere, how probable the word was, and
 * how much it depends on the picture.
 * @param image what was explained
 * @throws InputError where the picture cannot be read
 */
export async function showWords(
  image: string | Uint8Array,
  { words, side }: Explanation,
): Promise<Shown> {
  const { data, width, height } = await decodeImage(image);
  const plain = await sharp(data, { raw: { width, height, channels: 3 } })
    .resize({ width: longest, height: longest, fit: 'inside' })
    .png()
    .toBuffer({ resolveWithObject: true });
  const rows: TableCell[][] = [];
  for (const word of words) {
    const veiled = await veiledPicture(plain.data, word.map, side, plain.info);
    const jpeg = await veiled.jpeg({ quality: 75 }).toBuffer();
    rows.push([
      word.text,
      { address: `data:image/jpeg;base64,${jpeg.toString('base64')}`, description: word.place },
      `${Math.round(100 * Math.exp(word.logprob))} %`,
      dependenceLevel(word),
    ]);
  }
  return showTable(['word', 'where', 'probability', 'depends on the picture'], rows);
}
