/** A contact sheet: all words of explained captions side by side, each over its picture, as one PNG. */
import sharp, { type OverlayOptions } from 'sharp';
import { decodeImage } from '../../data/images/decode.ts';
import type { DecodeOptions } from '../../data/images/rgb.ts';
import type { Explanation } from '../explanation.ts';
import { veiledPicture } from './veiled.ts';
import { dependenceLevel } from './words.ts';

/** Pixels. */
const tile = { width: 224, height: 224, label: 44, gap: 8, head: 36 } as const;
const mostColumns = 6;

export interface SheetPicture {
  readonly file: string;
  readonly source: string | Uint8Array;
  readonly explanation: Explanation;
}

/** The words' labels are drawn in the system's sans-serif font. @throws InputError where a picture cannot be read */
export async function explanationSheet(
  pictures: readonly SheetPicture[],
  options: DecodeOptions = {},
): Promise<Buffer> {
  const columns = Math.max(
    1,
    Math.min(mostColumns, ...[Math.max(...pictures.map((p) => p.explanation.words.length))]),
  );
  const width = columns * (tile.width + tile.gap) + tile.gap;
  const layers: OverlayOptions[] = [];
  let top: number = tile.gap;
  for (const picture of pictures) {
    layers.push({
      input: text(heading(picture), width - 2 * tile.gap, tile.head, 18),
      top,
      left: tile.gap,
    });
    top += tile.head;
    const rows = Math.ceil(picture.explanation.words.length / columns);
    const tiles = await tilesOf(picture, options);
    for (const [i, layer] of tiles.entries()) {
      const at = {
        left: tile.gap + (Math.floor(i / 2) % columns) * (tile.width + tile.gap),
        top: top + Math.floor(i / 2 / columns) * (tile.height + tile.label) + (i % 2) * tile.height,
      };
      layers.push({ input: layer, ...at });
    }
    top += rows * (tile.height + tile.label) + tile.gap;
  }
  return sharp({ create: { width, height: top, channels: 3, background: '#ffffff' } })
    .composite(layers)
    .png()
    .toBuffer();
}

function heading({ file, explanation: { caption, method } }: SheetPicture): string {
  return `${file}: ${caption} (${method})`;
}

/** For each word its picture under its veil, then its label. */
async function tilesOf(
  { source, explanation: { words, side } }: SheetPicture,
  options: DecodeOptions,
): Promise<Buffer[]> {
  const { data, width, height } = await decodeImage(source, options);
  const size = { width: tile.width, height: tile.height, fit: 'fill' } as const;
  const raw = { width, height, channels: 3 } as const;
  const plain = await sharp(data, { raw }).resize(size).png().toBuffer();
  const tiles: Buffer[] = [];
  for (const word of words) {
    tiles.push(await (await veiledPicture(plain, word.map, side, size)).png().toBuffer());
    const sure = `${Math.round(100 * Math.exp(word.logprob))} %`;
    tiles.push(text(`${word.text}\n${sure}, ${dependenceLevel(word)}`, tile.width, tile.label, 15));
  }
  return tiles;
}

/** Lines of text on white, as SVG. */
function text(lines: string, width: number, height: number, size: number): Buffer {
  const escaped = lines.replaceAll('&', '&amp;').replaceAll('<', '&lt;').split('\n');
  const spans = escaped.map(
    (line, i) =>
      `<text x="2" y="${(i + 1) * (size + 3)}"${i > 0 ? ' fill="#444"' : ''}>${line}</text>`,
  );
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="${size}">${spans.join('')}</svg>`,
  );
}
