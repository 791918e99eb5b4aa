/** Caption files paired and put in the order in which the COCO evaluation reads them. */
import { describe, expect, it } from 'vitest';
import { readInput } from '../../src/score/input.ts';
import { temporaryFolder, write } from '../data/caption-files.ts';

const folder = temporaryFolder();
const decoder = new TextDecoder();

describe('readInput', () => {
  it('takes the images as COCO’s list has them, their references as the annotations', async () => {
    const references = write(
      folder,
      'annotations.json',
      JSON.stringify({
        annotations: [
          { image_id: 7, caption: 'seven' },
          { image_id: 3, caption: 'three' },
          { image_id: 7, caption: 'seven again' },
          { image_id: 5, caption: 'five' },
        ],
        images: [
          { id: 3, file_name: 'c.jpg' },
          { id: 9 },
          { id: 5 },
          { id: 7, file_name: 'g.jpg' },
        ],
      }),
    );
    const candidates = write(folder, 'a.json', JSON.stringify({ 5: 'e', 7: 'g', 3: 'c' }));
    const {
      corpus,
      match,
      references: read,
    } = await readInput({
      candidates: [candidates],
      references: [references],
    });
    const texts = Array.from({ length: corpus.images }, (_, image) => [
      read.ids[match.images[image]],
      decoder.decode(corpus.candidate(0, image)),
      ...corpus.references(image).map((text) => decoder.decode(text)),
    ]);
    expect(texts).toEqual([
      ['3', 'c', 'three'],
      ['5', 'e', 'five'],
      ['7', 'g', 'seven', 'seven again'],
    ]);
  });

  it('tells systems of one name apart by their paths', async () => {
    const references = write(folder, 'r.json', JSON.stringify({ a: ['x'], b: ['y'] }));
    const one = write(folder, 'one.json', JSON.stringify({ b: 'q', a: 'p' }));
    const { names, corpus } = await readInput({ candidates: [one, one], references: [references] });
    expect(names).toEqual([`${one} (1)`, `${one} (2)`]);
    expect(decoder.decode(corpus.candidate(1, 0))).toBe('p');
  });
});
