/** The bundled photos, one after the other. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../src/base/errors.ts';
import { Captioner } from '../../src/caption/captioner.ts';
import { captionPhotos, describeDecoding } from '../../src/caption/demo.ts';
import type { SamplePhoto } from '../../src/data/datasets/sample-photos.ts';
import { tiny } from './models.ts';

let captioner: Captioner;
beforeAll(async () => {
  captioner = await Captioner.load(tiny, { threads: 1 });
});
afterAll(() => captioner[Symbol.dispose]());

const photo = (file: string): SamplePhoto => ({
  file,
  path: join(tiny, 'images', file),
  source: undefined,
  licence: undefined,
  description: undefined,
});

describe('the photos', () => {
  it('come in order with their captions, one that cannot be read with the reason', async () => {
    const names = ['owl-1.png', 'missing.png', 'cat-0.png'];
    const options = { do_sample: true, seed: 1 };
    const found: (string | InputError)[] = [];
    for await (const { photo: one, result } of captionPhotos(
      Promise.resolve(captioner),
      names.map(photo),
      options,
    )) {
      expect(one.file).toBe(names[found.length]);
      found.push(result instanceof InputError ? result : result.caption);
    }
    const path = photo('cat-0.png').path;
    const alone = await captioner.caption(path, { ...options, imageNumbers: [2] });
    expect(found[2]).toBe(alone.caption);
    expect(String(found[1])).toContain('missing.png: there is no such file');
  });

  it('are not begun with options that do not fit', async () => {
    const photos = captionPhotos(Promise.resolve(captioner), [photo('owl-1.png')], {
      num_beams: 0,
    });
    await expect(photos.next()).rejects.toThrow('num_beams');
  });
});

it('says how a model searches', () => {
  expect(describeDecoding({})).toBe('greedy search');
  expect(describeDecoding({ num_beams: 4 })).toBe('4 beams');
  expect(describeDecoding({ num_beams: 4, do_sample: true })).toBe('drawing words by chance');
});
