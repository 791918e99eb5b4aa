/** Contact sheets of explanations: a tile a word, dark where it did not look. */
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { Explanation } from '../../../src/explain/explanation.ts';
import { explanationSheet } from '../../../src/explain/output/sheet.ts';

/** A word whose map is high in one of four cells. */
function word(text: string, cell: number): Explanation['words'][number] {
  const map = new Float32Array(4);
  map[cell] = 1;
  return { text, logprob: -0.1, dependence: 1, place: 'centre', map };
}

async function sheetOf(...words: Explanation['words'][number][]) {
  const source = await sharp({
    create: { width: 40, height: 20, channels: 3, background: '#ffffff' },
  })
    .png()
    .toBuffer();
  const caption = words.map(({ text }) => text).join(' ');
  const explanation: Explanation = {
    ...{ caption, method: 'attention', side: 2, words, width: 40, height: 20 },
  };
  const png = await explanationSheet([{ file: 'a & b.png', source, explanation }]);
  const { data, info } = await sharp(png).greyscale().raw().toBuffer({ resolveWithObject: true });
  return { data, ...info };
}

describe('a contact sheet', () => {
  it('has a tile for each word, six in a row', async () => {
    const two = await sheetOf(word('a', 0), word('<dog>', 3));
    const six = await sheetOf(...Array.from({ length: 6 }, (_, i) => word(`w${i}`, 0)));
    const seven = await sheetOf(...Array.from({ length: 7 }, (_, i) => word(`w${i}`, 0)));
    expect(six.width).toBeGreaterThan(2.9 * two.width);
    expect(seven.width).toBe(six.width);
    expect(six.height).toBe(two.height);
    expect(seven.height).toBeGreaterThan(1.7 * six.height);
  });

  it('shows the picture clear where the word looked', async () => {
    const { data, width } = await sheetOf(word('a', 0), word('dog', 3));
    // The tiles begin under the heading, 224 pixels a side and 8 apart.
    const at = (tile: number, x: number, y: number) => data[(44 + y) * width + 8 + 232 * tile + x];
    const [near, far] = [20, 204];
    expect(at(0, near, near)).toBeGreaterThan(230);
    expect(at(0, far, far)).toBeLessThan(120);
    expect(at(1, near, near)).toBeLessThan(120);
    expect(at(1, far, far)).toBeGreaterThan(230);
  });
});
